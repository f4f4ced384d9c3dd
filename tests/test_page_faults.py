"""Labels and a large upload in a real browser, while the server, the tab and the line die: `make test-thorough`."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.pictures import jpeg
from tests.studio import ROOT

MIB = int(os.environ.get("MLSTUDIO_TEST_UPLOAD_MIB", "2048"))


def large_zip(path: Path) -> Path:
    """Some images, and a file of random bytes that no reader is interested in."""
    generator = random.Random(MIB)
    with zipfile.ZipFile(path, "w", allowZip64=True) as archive:
        for number in range(20):
            archive.writestr(f"photos/{'ab'[number % 2]}/{number}.jpg", jpeg(number))
        with archive.open("photos/recording.bin", "w", force_zip64=True) as file:
            for _ in range(MIB):
                file.write(generator.randbytes(1 << 20))
    return path


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.thorough
@pytest.mark.timeout(0)  # each step of it has a limit
@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed")
def test_nothing_is_lost_in_the_browser(tmp_path):
    subprocess.run([sys.executable, "frontend/build.py", "--strict"], cwd=ROOT, check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLSTUDIO_")}
    environment |= {
        "FAULTS_FOLDER": str(tmp_path),
        "FAULTS_PORT": port,
        "FAULTS_PYTHON": sys.executable,
        "FAULTS_ZIP": str(large_zip(tmp_path / "large.zip")),
        "MEASURE_URL": f"http://127.0.0.1:{port}",
    }
    command = [sys.executable, "frontend/check.py", "--measure", "faults"]
    seen = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert seen.returncode == 0, seen.stdout[-6000:] + seen.stderr[-2000:]
