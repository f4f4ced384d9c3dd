"""What a process in the sandbox may read of /proc stays readable, also when the kernel drops what nobody holds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from vision.sandbox.process import start
from vision.sandbox.surroundings import PROC

HELD = """
import os
for number in os.listdir("/proc/self/fd"):
    if os.path.islink(f"/proc/self/fd/{number}"):
        print(os.readlink(f"/proc/self/fd/{number}"))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
def test_the_entries_that_rules_are_about_are_held(tmp_path):
    """Only root can make the kernel drop them, and it drops none that is open; of one that it has dropped it makes
    another inode, which no rule knows."""
    held = start([sys.executable, "-c", HELD], folder=tmp_path).communicate()[0].decode().splitlines()
    there = {f"/proc/{name}" for name in PROC if Path(f"/proc/{name}").exists()}
    assert "/proc/meminfo" in there and there <= set(held)
