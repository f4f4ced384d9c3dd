"""How much of the disk a process has taken that may have wanted to hide it."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import psutil

ENTRY_BYTES = 4096  # what an empty file takes at least
NOBODY_CAN_LIST = (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG)
DELETED = " (deleted)"


class Hidden(Exception):
    """Something was put where it cannot be counted, which nothing does that has no such purpose."""


def bytes_of_folder(folder: Path, enough: int) -> int:
    """Of all files below the folder; counting ends where there are more than `enough`.

    Raises:
        Hidden: a folder below it has a mode or a path, of more than 4,096 characters, that nobody can list.
    """
    total, folders = 0, [folder]
    while folders and total <= enough:
        with _looking(), os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
                with _looking():
                    total += max(ENTRY_BYTES, entry.stat(follow_symlinks=False).st_size)
    return total


@contextlib.contextmanager
def _looking() -> Iterator[None]:
    """What is removed meanwhile is not counted, nor what cannot be looked at for want of open files."""
    try:
        yield
    except OSError as error:
        if error.errno in NOBODY_CAN_LIST:
            raise Hidden(str(error)) from error


def bytes_without_name(process: psutil.Process, folder: Path, file_bytes: int) -> int:
    """Of files that have no name any more, or never had one, and stay on the disk as long as they are open or mapped.

    How long a file is that is only mapped, nobody but root is told: as long as it may be (`file_bytes`), unless the
    process has written less in all.

    Raises:
        Hidden: the process does not let itself be looked at.
    """
    own = Path(f"/proc/{process.pid}")
    opened: dict[tuple[int, int], int] = {}
    mapped: set[tuple[int, int]] = set()
    with _looking():
        opened, mapped = _opened(own), _mapped(own, folder)
    only_mapped = len(mapped - opened.keys())
    if not only_mapped:
        return sum(opened.values())
    return sum(opened.values()) + min(only_mapped * file_bytes, process.io_counters().write_bytes)


def can_look_into(process: psutil.Process) -> bool:
    """Whether this system lets a process look at what another of its user has open."""
    with contextlib.suppress(OSError):
        return bool(list(Path(f"/proc/{process.pid}/fd").iterdir()))
    return False


def _opened(own: Path) -> dict[tuple[int, int], int]:
    found = {}
    for descriptor in (own / "fd").iterdir():
        with _looking():
            status = descriptor.stat()
            if stat.S_ISREG(status.st_mode) and not status.st_nlink:
                found[status.st_dev, status.st_ino] = status.st_size
    return found


def _mapped(own: Path, folder: Path) -> set[tuple[int, int]]:
    found = set()
    with open(own / "maps", encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            *_, device, inode, path = line.rstrip("\n").split(maxsplit=5) if line.count("/") else ("", "", "")
            if path.startswith(f"{folder}/") and path.endswith(DELETED):
                major, minor = (int(part, 16) for part in device.split(":"))
                found.add((os.makedev(major, minor), int(inode)))
    return found
