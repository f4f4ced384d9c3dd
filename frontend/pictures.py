"""Take a screenshot of every page: `python frontend/pictures.py FOLDER`, or of each step of docs/tour.md with `--tour`.

Full and empty, light and dark, at three widths, of a studio of its own with sample projects. Look at them before a
change of the looks is called done. The tour goes from sample images to a device that sends images back, and ends with
what did not work.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str]) -> int:
    spec = "tour" if "--tour" in arguments else "pictures"
    named = [argument for argument in arguments if argument != "--tour"]
    if len(named) != 1:
        print(__doc__)
        return 2
    folder = Path(named[0]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "frontend/build.py", "--strict"], cwd=ROOT, check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    environment = {
        **os.environ,
        "PICTURES_FOLDER": str(folder),
        "PICTURES_PORT": port,
        "PICTURES_PYTHON": sys.executable,
        "MEASURE_URL": f"http://127.0.0.1:{port}",
    }
    command = [sys.executable, "frontend/check.py", "--measure", spec]
    code = subprocess.run(command, cwd=ROOT, env=environment).returncode
    print(f"{len(list((folder / spec).glob('*.png')))} screenshots in {folder / spec}")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
