"""Tar archives from strangers: plain ones are read where they lie, compressed ones are unpacked once, within limits."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings

from common.words import counted
from datasets.archives import RATIO_FREE_BYTES
from datasets.examining import too_large
from jobs.errors import WorkFailed
from storage import services as storage
from vision.formats import FormatError
from vision.formats.encodings import detect
from vision.formats.texts import is_junk, readable, too_many
from vision.imaging.preprocessing import ImageError

CHUNK_BYTES = 1 << 20
MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
DAMAGES = (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError)
# Headers are some hundred bytes; long names and attributes some kilobytes.
MAX_HEADER_BYTES = 1 << 20
MAX_XZ_BYTES = 256 << 20  # xz -9 needs 65 MB
MOST_NAME = 4_000  # characters of a path
TRAILING_BYTES = 64 << 10  # tars are filled up to some kilobytes; behind these another may have been appended


@dataclass(frozen=True, slots=True)
class Member:
    offset: int
    size: int
    is_file: bool


def compression_of(head: bytes) -> str | None:
    return next((name for magic, name in MAGIC.items() if head.startswith(magic)), None)


def is_tar(head: bytes) -> bool:
    """Whether a file begins as tar archives do; `head` has at least 512 bytes of it."""
    try:
        tarfile.TarInfo.frombuf(head[:512], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def unpack(
    file: BinaryIO, compression: str, target: Path, packed_bytes: int, keep: Callable[[], None], before: int = 0
) -> int:
    """Decompress to `target`, and say to how many bytes.

    Args:
        packed_bytes: of what was sent.
        before: what else of it has been unpacked already: the limits are for all of it together.

    Raises:
        WorkFailed: `archive_bomb`, `archive_too_large`, `damaged_archive`; and what `keep` raises.
    """
    total = 0
    try:
        with _decompressed(file, compression) as source, open(target, "wb") as out:
            while chunk := source.read(CHUNK_BYTES):
                total += len(chunk)
                _check(before + total, packed_bytes)
                storage.ensure_free_space(len(chunk))
                out.write(chunk)
                keep()
    except DAMAGES as error:
        raise WorkFailed(
            "damaged_archive", f"The archive cannot be unpacked ({error}). Make it again and upload it again."
        ) from error
    return total


def _check(total: int, packed_bytes: int) -> None:
    if total > settings.MAX_ARCHIVE_BYTES:
        raise WorkFailed("archive_too_large", f"The archive unpacks to more than {settings.MAX_ARCHIVE_BYTES:,} bytes.")
    if total > RATIO_FREE_BYTES and total > settings.MAX_ARCHIVE_RATIO * max(1, packed_bytes):
        raise WorkFailed(
            "archive_bomb",
            f"The archive has {packed_bytes:,} bytes and unpacks to more than {total:,}: images never shrink that "
            "much.",
        )


@contextmanager
def _decompressed(file: BinaryIO, compression: str) -> Iterator[Any]:
    if compression == "zstd":
        import zstandard  # loaded when it is needed

        with zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(file, read_across_frames=True) as source:
            try:
                yield source
            except zstandard.ZstdError as error:
                raise ValueError(str(error)) from error
        return
    if compression == "xz":
        yield _Xz(file)
        return
    openers: dict[str, Callable[..., Any]] = {"gzip": gzip.open, "bzip2": bz2.open}
    with openers[compression](file) as source:
        yield source


class _Xz:
    """An xz file that may need little memory: its header may ask for gigabytes of it. Streams may follow each other."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder: lzma.LZMADecompressor | None = None

    def read(self, size: int) -> bytes:
        while True:
            if self._decoder is None or self._decoder.eof:
                left = (self._decoder.unused_data if self._decoder else b"").lstrip(b"\0")
                packed = left or self._file.read(CHUNK_BYTES)
                if not packed.strip(b"\0"):
                    return b""
                self._decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_XZ_BYTES)
            elif self._decoder.needs_input:
                if not (packed := self._file.read(CHUNK_BYTES)):
                    raise EOFError("it ends too early")
            else:
                packed = b""
            if chunk := self._decoder.decompress(packed, size):
                return chunk


class TarContents:
    """The files of a tar archive, as `ZipContents` shows those of a zip.

    Args:
        file: an open file with a descriptor; threads read it at the same time.

    Raises:
        WorkFailed: `not_an_archive`, `too_many_entries`, `empty_archive`.
    """

    def __init__(self, file: BinaryIO, name_encoding: str = "") -> None:
        self._file = file
        self.entries: dict[str, Member] = {}
        self.repeated: list[str] = []
        self.broken: list[tuple[str, str, str]] = []
        self._used = 0
        members, damage = _members(file)
        if damage:
            self.broken.append(("", "damaged_archive", damage))
        names, self.guessed_encoding = _readable([name for name, _ in members], name_encoding)
        for name, (_, member) in zip(names, members, strict=True):
            if is_junk(name):
                continue
            if len(name) > MOST_NAME:
                detail = f"The path has {len(name):,} characters; at most {MOST_NAME:,} are read."
                self.broken.append((f"{name[:200]}…", "name_too_long", detail))
                continue
            if name in self.entries:
                self.repeated.append(name)  # the last one of a name counts, as tar itself does it
            self.entries[name] = member

    @property
    def names(self) -> list[str]:
        return list(self.entries)

    def refusal(self, name: str) -> tuple[str, str] | None:
        member = self.entries[name]
        if refused := self._unsafe(name):
            return refused
        return (too_large().code, str(too_large())) if member.size > settings.MAX_IMAGE_BYTES else None

    def _unsafe(self, name: str) -> tuple[str, str] | None:
        if name.startswith("/") or ".." in name.split("/"):
            return "unsafe_path", "The path points outside of the archive."
        if not self.entries[name].is_file:
            return "not_a_file", "The entry is a link or a device, not a file."
        return None

    def read(self, name: str) -> bytes:
        """An image. Raises `ImageError`."""
        member = self.entries[name]
        content = self._at(member.offset, member.size)
        if len(content) < member.size:
            raise ImageError("corrupted_entry", "The entry is damaged: the archive ends before it does.")
        return content

    def content(self, name: str) -> bytes:
        """An annotation file. Raises `FormatError`, `TooManyAnnotations`."""
        if refused := self._unsafe(name):
            raise FormatError(*refused)
        member = self.entries[name]
        self._used += member.size
        if self._used > settings.MAX_ANNOTATION_BYTES:
            raise too_many(settings.MAX_ANNOTATION_BYTES)
        content = self._at(member.offset, member.size)
        if len(content) < member.size:
            raise FormatError("damaged_annotations", f"{name} is damaged: the archive ends before it does.")
        return content

    def head(self, name: str, count: int = 64) -> bytes:
        member = self.entries[name]
        return self._at(member.offset, min(member.size, count)) if member.is_file else b""

    def size(self, name: str) -> int:
        return self.entries[name].size

    def copy(self, name: str, target: Path, keep: Callable[[], None]) -> None:
        """Write an entry to `target`."""
        member = self.entries[name]
        with open(target, "wb") as out:
            for start in range(0, member.size, CHUNK_BYTES):
                out.write(self._at(member.offset + start, min(CHUNK_BYTES, member.size - start)))
                keep()

    def _at(self, offset: int, size: int) -> bytes:
        if isinstance(self._file, BytesIO):
            return bytes(self._file.getbuffer()[offset : offset + size])
        return os.pread(self._file.fileno(), size, offset)


def _members(file: BinaryIO) -> tuple[list[tuple[str, Member]], str]:
    """The members, and what is wrong with the archive behind the last one."""
    limit = settings.MAX_ARCHIVE_ENTRIES
    members: list[tuple[str, Member]] = []
    damage = ""
    file.seek(0)
    try:
        with tarfile.open(fileobj=_SmallReads(file), mode="r:", encoding="utf-8") as archive:  # type: ignore[call-overload]
            for info in archive:
                archive.members = []  # or it keeps them all
                if not info.isdir():
                    members.append(
                        (info.name, Member(info.offset_data, info.size, info.isreg() and not info.issparse()))
                    )
                if len(members) > limit:
                    raise WorkFailed("too_many_entries", f"The archive has more than {limit:,} entries. Split it.")
            end = archive.offset
        file.seek(min(end, 1 << 62))
        if file.read(TRAILING_BYTES).strip(b"\0"):
            files = counted(len(members), "file")
            damage = f"The archive goes on behind its end, after {files}; what is there was not read."
    except (tarfile.TarError, *DAMAGES) as error:
        if not members:
            raise WorkFailed("not_an_archive", f"The archive cannot be read ({error}). Make it again.") from error
        damage = (
            f"The archive is damaged behind its first {counted(len(members), 'file')} ({error}); the rest was not read."
        )
    return members, damage


class _SmallReads:
    """A file of which nobody reads much at once: headers that claim a gigabyte are damaged."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > MAX_HEADER_BYTES:
            raise tarfile.ReadError("a header is too large")
        return self._file.read(size)


def _readable(names: list[str], encoding: str) -> tuple[list[str], str]:
    raw = [name.encode("utf-8", "surrogateescape") for name in names]
    guessed = ""
    if any("\udc80" <= character <= "\udcff" for name in names if not name.isascii() for character in name):
        encoding = encoding or detect({name for name in raw if not name.isascii()})
        guessed = encoding
        names = [name.decode(encoding, errors="replace") for name in raw]
    cleaned = (name.replace("\\", "/").removeprefix("./") for name in names)
    return [readable(name) for name in cleaned], guessed
