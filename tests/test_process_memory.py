"""The launcher's limit of memory for each process: what asks for more is refused, not the machine's memory taken."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from mlstudio.launcher.children import Child

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
ASK = "import sys; x = bytearray(int(sys.argv[1])); print(len(x))"


def status_of(size: int, memory_bytes: int, code: str = ASK) -> int:
    child = Child("asks", [sys.executable, "-c", code, str(size)], dict(os.environ), memory_bytes=memory_bytes)
    child.start()
    try:
        return child.process.wait(30)
    finally:
        child.process.kill()


def test_more_than_the_limit_is_refused():
    assert status_of(50 << 20, 300 << 20) == 0
    assert status_of(500 << 20, 300 << 20) == 1
    assert status_of(500 << 20, 0) == 0


def test_a_process_in_the_sandbox_has_its_own_limit(tmp_path):
    """A worker may have less memory than a training that it starts."""
    start = (
        "import sys; from pathlib import Path; from vision.sandbox.limits import Limits;"
        "from vision.sandbox.process import start;"
        f"p = start([sys.executable, '-c', 'bytearray({500 << 20})'], folder=Path({str(tmp_path)!r}),"
        f"          limits=Limits(memory_bytes={2 << 30}), stdout={subprocess.DEVNULL});"
        "sys.exit(p.wait())"
    )
    assert status_of(0, 300 << 20, start) == 0
