"""Healthy or not, by the part of the studio that runs here: the web server answers, or the worker does."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path


def role() -> str:
    """What the container was started for: `studio --only worker` → worker."""
    words = Path("/proc/1/cmdline").read_bytes().decode().split("\0") if len(sys.argv) < 2 else sys.argv
    return words[words.index("--only") + 1] if "--only" in words else "web"


def main() -> int:
    part = role()
    if part == "web":
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{os.environ.get('MLSTUDIO_PORT', '8000')}/healthz/", timeout=5)
        except urllib.error.HTTPError:
            return 0  # it answers; the name under which it was asked is not among its own
        except OSError:
            return 1
        return 0
    if part == "beat":
        return 0  # the launcher starts it again when it dies; nobody asks it anything
    name = f"{part}@{os.uname().nodename}"
    command = [sys.executable, "-m", "celery", "--quiet", "-A", "mlstudio.celery", "inspect", "ping", "-d", name]
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20).returncode


if __name__ == "__main__":
    sys.exit(main())
