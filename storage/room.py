"""Free space that is estimated: what running uploads have announced counts as used, in every process of the studio."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

SUFFIX = ".room"
# So much of what is still to come is kept free for one upload: a few that announce a lot and send little would
# otherwise keep everybody out.
AHEAD_BYTES = 1 << 30
# What is slow holds little: after a minute an upload reserves only what comes in the next ten at its pace.
GRACE_SECONDS = 60.0
AHEAD_SECONDS = 600.0


class Room:
    """The space that one upload still needs, as the size of an empty (sparse) file beside the incoming ones.

    It bears the name of its process, as they do, and is swept with them when the process was killed.
    """

    def __init__(self, folder: Path, receiver: str, size_bytes: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{receiver}.{os.urandom(8).hex()}{SUFFIX}"
        self._announced = size_bytes
        self._since = time.monotonic()
        self._path.touch()
        self._set(min(size_bytes, AHEAD_BYTES))

    def shrink(self, received_bytes: int) -> None:
        """Give back what has come, for it takes real space now."""
        left = min(max(0, self._announced - received_bytes), AHEAD_BYTES)
        elapsed = time.monotonic() - self._since
        if elapsed > GRACE_SECONDS:
            left = min(left, int(received_bytes / elapsed * AHEAD_SECONDS))
        self._set(left)

    def release(self) -> None:
        self._path.unlink(missing_ok=True)

    def _set(self, size_bytes: int) -> None:
        with contextlib.suppress(FileNotFoundError):  # swept: its data folder was emptied
            os.truncate(self._path, size_bytes)


def reserved_bytes(folder: Path) -> int:
    """What all running uploads together have announced and not sent yet."""
    return sum(_sizes(folder))


def _sizes(folder: Path) -> Iterator[int]:
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(SUFFIX):
                with contextlib.suppress(FileNotFoundError):
                    yield entry.stat().st_size
