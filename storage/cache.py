"""The local cache: files named by their sha256, written beside their place and renamed when whole and safe."""

from __future__ import annotations

import contextlib
import fcntl
import filecmp
import hashlib
import os
import re
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from storage.durability import FileSystem, sync_file, sync_folder, together

SHA256 = re.compile(r"^[0-9a-f]{64}$")
ABANDONED_SECONDS = 2.0
CHUNK_BYTES = 1 << 20
MANY = 32  # Fewer files are put on the disk by themselves, and nothing else with them.


def blob_path(root: Path, sha256: str) -> Path:
    """Where the file with this content lives below `root`.

    Raises:
        ValueError: `sha256` is not 64 lower-case hexadecimal digits.
    """
    if not SHA256.match(sha256):
        raise ValueError(f"not a sha256: {sha256!r}")
    return root.joinpath(sha256[:2], sha256)


class Receiver:
    """A process that receives files. It holds one lock as long as it lives, so that a sweep can tell what is being
    written from what a killed process left behind; the files, which bear its name, need not be open for that."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name = uuid.uuid4().hex
        self._path = folder / self.name
        self._lock = open(self._path, "xb")  # noqa: SIM115 - held until the process ends
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._process = os.getpid()

    @property
    def is_alive(self) -> bool:
        """Not in the child of a fork, which needs a lock of its own, and not when its lock was deleted."""
        return self._process == os.getpid() and self._path.exists()


class Incoming:
    """A file being received: hashed while it is written, invisible until `LocalCache.keep`.

    It is open only while it is written to: a request may bring a thousand of them.

    Args:
        content: all of it, where that is in memory: it is written at once.
    """

    def __init__(self, folder: Path, receiver: str, content: bytes | None = None) -> None:
        self.path = folder / f"{receiver}.{uuid.uuid4().hex}"
        self._file: BinaryIO | None = self._opened(buffering=0 if content else -1)
        self._hash = hashlib.sha256()
        self.size = 0
        self.is_staged = False
        self._is_there = True
        if content:
            try:
                self._write_whole(content)
            except BaseException:
                self.discard()
                raise

    def _opened(self, buffering: int) -> BinaryIO:
        try:
            return open(self.path, "xb", buffering)
        except FileNotFoundError:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return open(self.path, "xb", buffering)

    def _write_whole(self, content: bytes) -> None:
        rest = memoryview(content)
        while rest:
            rest = rest[self._file.write(rest) :]  # type: ignore[union-attr]
        self.finish()
        self._hash.update(content)
        self.size = len(content)

    def fill_from(self, path: Path) -> None:
        """Become a second name of a file that was received elsewhere on this disk; it is hashed now."""
        self.discard()
        os.link(path, self.path)
        self._is_there = True
        with open(path, "rb") as source:
            while chunk := source.read(CHUNK_BYTES):
                self._hash.update(chunk)
                self.size += len(chunk)

    def write(self, chunk: bytes) -> None:
        if self._file is None:
            self._file = open(self.path, "ab")  # noqa: SIM115 - closed by finish
        self._file.write(chunk)
        self._hash.update(chunk)
        self.size += len(chunk)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def flush(self) -> None:
        """Others can read what was written so far."""
        if self._file is not None:
            self._file.flush()

    def finish(self) -> None:
        """Nothing more is written: close the file, which stays where it is."""
        if self._file is not None:
            file, self._file = self._file, None
            file.close()

    def sync(self) -> None:
        """Returns when the bytes are on the disk."""
        self.finish()
        sync_file(self.path)

    def discard(self) -> None:
        """Remove the file if it was not kept. May be called twice."""
        with contextlib.suppress(OSError):  # what could not be flushed to a full disk is not wanted any more
            self.finish()
        if self._is_there:
            self.path.unlink(missing_ok=True)
            self._is_there = False

    def move_to(self, target: Path) -> None:
        os.replace(self.path, target)
        self._is_there = False


class LocalCache:
    """Files by sha256 below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / "incoming"
        self.receivers = root / "receivers"
        self._receiver: Receiver | None = None
        self._receiver_lock = threading.Lock()

    def path(self, sha256: str) -> Path:
        return blob_path(self.root, sha256)

    def receive(self, content: bytes | None = None) -> Incoming:
        return Incoming(self.incoming, self.receiver_name(), content)

    def adopt(self, path: Path) -> Incoming:
        adopted = self.receive()
        adopted.fill_from(path)
        return adopted

    def private_path(self) -> Path:
        """A name for a file that only this process reads. Should the process die, it is swept with what it received."""
        self.incoming.mkdir(parents=True, exist_ok=True)
        return self.incoming / f"{self.receiver_name()}.{uuid.uuid4().hex}.pinned"

    def receiver_name(self) -> str:
        """What the names of this process's incoming files begin with."""
        with self._receiver_lock:
            if self._receiver is None or not self._receiver.is_alive:
                self._receiver = Receiver(self.receivers)
            return self._receiver.name

    def is_receiving(self, name: str) -> bool:
        """Whether the process with this receiver name lives."""
        try:
            with open(self.receivers / name, "rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return False
        except BlockingIOError:
            return True
        except (OSError, ValueError):  # its lock was swept away, or the name is none
            return False

    def sync(self, files: list[Incoming]) -> None:
        """Put the bytes of many files on the disk; together this costs little more than for one."""
        together(Incoming.sync, files)

    def stage(self, files: Iterable[Incoming], file_system: FileSystem | None = None) -> None:
        """Do all that waits for the disk: put the bytes there, and give each file its name as a second one.

        A file that nobody places afterwards is a stray one, which is swept.

        Args:
            file_system: of this folder, and open since before the files were written.
        """
        fresh = [file for file in files if not file.is_staged]
        if file_system is not None and len(fresh) < MANY:
            file_system = None
        if file_system is None:
            self.sync(fresh)
        else:
            file_system.sync()
        folders: set[Path] = set()
        for file in fresh:
            target = self._target(file, folders)
            try:
                self._name(file, target)
            except OSError:  # a file system without links: it gets its name when it is placed
                continue
            file.is_staged = True
            folders.add(target.parent)
        if file_system is None:
            together(sync_folder, list(folders))
        else:
            file_system.sync()

    @staticmethod
    def _name(file: Incoming, target: Path) -> None:
        """Give the file a second name, in the place of whatever has it, unless that has the same content."""
        try:
            os.link(file.path, target)
            return
        except FileExistsError:
            if _has_content_of(target, file.path):
                return
            second = file.path.with_name(f"{file.path.name}.named")
        os.link(file.path, second)
        os.replace(second, target)
        second.unlink(missing_ok=True)  # where both are names of one file already, replacing does nothing

    def place(self, files: Iterable[Incoming]) -> None:
        """Give synced files their names; afterwards they survive a power cut.

        A staged file has its name, unless a sweep of the same content came in between. A file that is there with the
        same content stays: a process in the sandbox may read that one, by its inode, and not one that takes its place.
        """
        folders: set[Path] = set()
        for file in files:
            target = self._target(file, folders)
            if file.is_staged and target.exists():
                file.discard()
                continue
            file.finish()
            if _has_content_of(target, file.path):
                file.discard()
            else:
                file.move_to(target)
            folders.add(target.parent)
        together(sync_folder, list(folders))

    def _target(self, file: Incoming, folders: set[Path]) -> Path:
        """Where the file belongs; a folder that is made for it changes the one above, which is added to `folders`."""
        target = self.path(file.sha256)
        if not target.parent.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            folders.add(self.root)
        return target

    def remove(self, sha256: str) -> None:
        self.path(sha256).unlink(missing_ok=True)

    def set_aside(self, sha256: str) -> None:
        """Take the file from its place, which costs no time however large it is; `remove_aside` deletes it.

        Should this process die in between, it is swept as what a killed process left.
        """
        self.incoming.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.replace(self.path(sha256), self._aside(sha256))

    def remove_aside(self, sha256: str) -> None:
        self._aside(sha256).unlink(missing_ok=True)

    def _aside(self, sha256: str) -> Path:
        return self.incoming / f"{self.receiver_name()}.{sha256}.removed"

    def files(self) -> Iterator[Path]:
        """Every kept file, in no order."""
        for folder in sorted(self.root.glob("??")):
            yield from (path for path in folder.iterdir() if SHA256.match(path.name))

    def sweep_incoming(self) -> int:
        """Remove what killed processes left half written. Returns how many files."""
        removed = 0
        if not self.incoming.is_dir():
            return removed
        dead = self._dead_receivers()
        for path in self.incoming.iterdir():
            receiver = path.name.partition(".")[0]
            if receiver in dead or not (self.receivers / receiver).exists():
                with contextlib.suppress(FileNotFoundError):
                    if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                        path.unlink()
                        removed += 1
        return removed

    def _dead_receivers(self) -> set[str]:
        """Names of processes that have ended; their locks are removed."""
        dead = set()
        for path in self.receivers.glob("*"):
            with contextlib.suppress(FileNotFoundError, BlockingIOError):
                with open(path, "rb") as lock:
                    if time.time() - path.stat().st_mtime < ABANDONED_SECONDS:
                        continue  # it may be made at this moment
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink()
                    dead.add(path.name)
        return dead


def _has_content_of(path: Path, other: Path) -> bool:
    """Whether both are there and hold the same bytes."""
    try:
        return path.samefile(other) or filecmp.cmp(path, other, shallow=False)
    except FileNotFoundError:
        return False
