"""A process in the sandbox that hides what it takes is ended as one that takes it openly."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from vision.sandbox import landlock
from vision.sandbox.limits import MIB, Limits
from vision.sandbox.process import start
from vision.sandbox.removal import remove_tree
from vision.sandbox.taken import Hidden, bytes_of_folder

LIMITS = Limits(
    memory_bytes=256 * MIB,
    reserved_bytes=1024 * MIB,
    cpu_seconds=20,
    file_bytes=8 * MIB,
    folder_bytes=32 * MIB,
    threads=32,
)
FILL = f"file.write(bytes({7 * MIB})); file.flush(); kept.append(file)"
HIDING = {
    "removed": f"file = open('x', 'wb'); {FILL}; os.unlink('x')",
    "never named": f"file = os.fdopen(os.open('.', os.O_TMPFILE | os.O_RDWR), 'wb'); {FILL}",
    "mapped": f"file = open('x', 'w+b'); {FILL}; kept.append(mmap.mmap(file.fileno(), 4096)); file.close(); "
    "os.unlink('x')",
    "deep": f"[(os.mkdir('d' * 250), os.chdir('d' * 250)) for _ in range(20)]; file = open('x', 'wb'); {FILL}",
}
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it is about /proc")


@pytest.fixture
def inside(tmp_path):
    folder = tmp_path / "job"
    folder.mkdir()
    yield folder
    remove_tree(folder)


def how_it_ended(folder: Path, code: str) -> str:
    imports = "import ctypes, mmap, os, threading, time\nkept = []\n"
    process = start([sys.executable, "-c", f"{imports}{code}\ntime.sleep(600)"], folder=folder, limits=LIMITS)
    assert process.wait(timeout=60) == -signal.SIGKILL
    return process.exceeded


@pytest.mark.parametrize("way", HIDING)
def test_files_that_no_listing_shows_are_counted(inside, way):
    assert how_it_ended(inside, f"for number in range(8):\n    {HIDING[way]}") == "folder"


@pytest.mark.skipif(os.geteuid() == 0, reason="root lists all folders")
def test_a_folder_that_cannot_be_listed_counts_as_full(inside):
    assert how_it_ended(inside, "os.mkdir('closed', 0o300)") == "folder"


def test_a_few_files_without_a_name_are_everyday(inside):
    code = f"for number in range(3):\n    {HIDING['removed']}\n    {HIDING['mapped']}\ntime.sleep(5)\nos._exit(7)"
    process = start(
        [sys.executable, "-c", f"import mmap, os, time\nkept = []\n{code}"],
        folder=inside,
        limits=Limits(file_bytes=8 * MIB, folder_bytes=128 * MIB),
    )
    assert (process.wait(timeout=60), process.exceeded) == (7, "")


def test_a_path_that_is_too_long_to_be_listed_is_no_folder_of_a_library(inside):
    here = Path.cwd()
    try:
        os.chdir(inside)
        for _ in range(20):
            Path("d" * 250).mkdir()
            os.chdir("d" * 250)
    finally:
        os.chdir(here)
    with pytest.raises(Hidden):
        bytes_of_folder(inside, 1 << 40)


def test_memory_of_threads_that_outlive_the_first_one_is_not_hidden(inside):
    """Linux shows no memory of a process whose first thread has ended, however much the others take."""
    code = (
        "def take():\n"
        "    time.sleep(0.5)\n"
        "    kept.append(mmap.mmap(-1, 1 << 30))\n"
        "    for at in range(0, 1 << 30, 4096): kept[0][at] = 1\n"
        "    time.sleep(600)\n"
        "threading.Thread(target=take).start()\n"
        f"ctypes.CDLL(None).syscall({ {'x86_64': 60, 'aarch64': 93}.get(os.uname().machine, 60) }, 0)"
    )
    assert how_it_ended(inside, code) in ("threads", "memory")


@pytest.mark.skipif(not landlock.abi(), reason="this kernel has no Landlock")
def test_files_can_still_be_made_with_ordinary_modes(inside):
    code = "import os; [os.close(os.open(str(m), os.O_CREAT | os.O_RDWR | os.O_TRUNC, m)) for m in (0o600, 0o777)]"
    assert start([sys.executable, "-c", code], folder=inside).wait(timeout=60) == 0
