"""The local cache: files named by their sha256, written beside their place and renamed when whole and safe."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import time
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SHA256 = re.compile(r"^[0-9a-f]{64}$")
ABANDONED_SECONDS = 2.0
CHUNK_BYTES = 1 << 20


def blob_path(root: Path, sha256: str) -> Path:
    """Where the file with this content lives below `root`.

    Raises:
        ValueError: `sha256` is not 64 lower-case hexadecimal digits.
    """
    if not SHA256.match(sha256):
        raise ValueError(f"not a sha256: {sha256!r}")
    return root / sha256[:2] / sha256


class Incoming:
    """A file being received: hashed while it is written, invisible until `LocalCache.keep`.

    It holds a lock on its file for as long as its process lives, so that a sweep can tell a file that is being
    written from what a killed process left behind.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / uuid.uuid4().hex
        self._file = open(self.path, "xb")  # noqa: SIM115 - closed by discard or release
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._hash = hashlib.sha256()
        self.size = 0

    @classmethod
    def adopt(cls, folder: Path, path: Path) -> Incoming:
        """A file that was received elsewhere on this disk, hashed now; `path` keeps its name too."""
        adopted = cls(folder)
        adopted._file.close()
        adopted.path.unlink()
        os.link(path, adopted.path)
        adopted._file = open(adopted.path, "ab")  # noqa: SIM115 - closed by discard or release
        fcntl.flock(adopted._file, fcntl.LOCK_EX)
        with open(path, "rb") as source:
            while chunk := source.read(CHUNK_BYTES):
                adopted._hash.update(chunk)
                adopted.size += len(chunk)
        return adopted

    def write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self._hash.update(chunk)
        self.size += len(chunk)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def flush(self) -> None:
        self._file.flush()

    def sync(self) -> None:
        """Returns when the bytes are on the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def release(self) -> None:
        """The file has its place now; let go of it."""
        self._file.close()

    def discard(self) -> None:
        """Remove the file if it was not kept. May be called twice."""
        if not self._file.closed:
            self._file.close()
        self.path.unlink(missing_ok=True)


class LocalCache:
    """Files by sha256 below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / "incoming"

    def path(self, sha256: str) -> Path:
        return blob_path(self.root, sha256)

    def receive(self) -> Incoming:
        return Incoming(self.incoming)

    def sync(self, files: list[Incoming]) -> None:
        """Put the bytes of many files on the disk; together this costs little more than for one."""
        if len(files) < 4:
            for file in files:
                file.sync()
            return
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(Incoming.sync, files))

    def place(self, files: Iterable[Incoming]) -> None:
        """Give synced files their names; afterwards they survive a power cut."""
        folders = set()
        for file in files:
            target = self.path(file.sha256)
            if not target.parent.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                folders.add(self.root)
            os.replace(file.path, target)
            file.release()
            folders.add(target.parent)
        for folder in folders:
            sync_folder(folder)

    def remove(self, sha256: str) -> None:
        self.path(sha256).unlink(missing_ok=True)

    def files(self) -> Iterator[Path]:
        """Every kept file, in no order."""
        for folder in sorted(self.root.glob("??")):
            yield from (path for path in folder.iterdir() if SHA256.match(path.name))

    def sweep_incoming(self) -> int:
        """Remove what killed processes left half written. Returns how many files."""
        removed = 0
        if not self.incoming.is_dir():
            return removed
        for path in self.incoming.iterdir():
            with contextlib.suppress(FileNotFoundError, BlockingIOError):
                if time.time() - path.stat().st_mtime < ABANDONED_SECONDS:
                    continue
                with open(path, "rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink()
                    removed += 1
        return removed


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
