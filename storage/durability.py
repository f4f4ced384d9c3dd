"""Durable writing: wait until what was written is on the disk, file by file or for a whole file system at once."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

DISK_WAITS = 8  # at once
# statfs(2): those whose syncfs returns when all is on the disk. What FUSE passes to others, and what lies in a network,
# may not be then.
EXT4, XFS, BTRFS = 0xEF53, 0x58465342, 0x9123683E
STATFS_BYTES = 256  # more than the structure has; its first field, a long, is the kind


class FileSystem:
    """All that a file system holds, which one call puts on the disk.

    It must be open before anything is written that `sync` is relied upon for: Linux says that a write has failed to
    those descriptors that were open then.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def of(cls, folder: Path) -> FileSystem | None:
        """That of a folder; None where the call is not there, or does not wait for the disk."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        if sys.platform == "linux" and _kind(descriptor) in (EXT4, XFS, BTRFS):
            return cls(descriptor)
        os.close(descriptor)
        return None

    def sync(self) -> None:
        """Returns when everything that was written before is on the disk, also what others wrote."""
        _checked(_libc().syncfs(self._descriptor))

    def close(self) -> None:
        os.close(self._descriptor)


def _kind(descriptor: int) -> int:
    answer = (ctypes.c_long * (STATFS_BYTES // ctypes.sizeof(ctypes.c_long)))()
    _checked(_libc().fstatfs(descriptor, answer))
    return answer[0]


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def together(wait: Callable[[Any], None], things: Sequence) -> None:
    """Wait for the disk for many things at once: it writes them together."""
    if len(things) < 4:
        for thing in things:
            wait(thing)
        return
    with ThreadPoolExecutor(DISK_WAITS) as pool:
        list(pool.map(wait, things))


def sync_file(path: Path) -> None:
    """Returns when the bytes of a file are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
