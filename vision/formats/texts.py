"""The annotation files of a zip archive, within limits. No Django: the sandbox reads them with this too."""

from __future__ import annotations

import contextlib
import lzma
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import IO, BinaryIO

from vision.formats.base import UNSTORABLE, FormatError, is_image
from vision.formats.encodings import detect
from vision.formats.zip_entries import ZipEntries

# What reading a damaged entry raises.
DAMAGES = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    struct.error,
)


class TooManyAnnotations(Exception):
    """The annotation files of an archive are larger, together, than what is read. The text is for the user."""


JUNK_FOLDERS = {
    "__MACOSX", "@eaDir", ".git", ".svn", ".hg", ".idea", ".vscode", ".ipynb_checkpoints", ".thumbnails", ".cache",
    ".Trash", ".Trashes", ".Spotlight-V100", ".fseventsd", ".TemporaryItems", ".DocumentRevisions-V100", ".dvc",
    ".AppleDouble", ".AppleDB", ".venv", ".tox", ".mypy_cache", ".pytest_cache", "$RECYCLE.BIN",
}  # fmt: skip
UNICODE_PATH = 0x7075  # Info-ZIP's field for a name in UTF-8 (PKWARE APPNOTE 4.6.9)


def readable_names(infos: Sequence[zipfile.ZipInfo], encoding: str = "") -> tuple[list[str], str]:
    """The paths of entries in their own script and composed Unicode; and the encoding, when it had to be guessed.

    Names are in UTF-8 where the entry says so. Others are in whatever the system had that made the archive: all in one
    encoding, which is UTF-8 only when it fits all of them.

    Args:
        encoding: what the user says about names that do not say it themselves.
    """
    undeclared = [_raw(info) for info in infos if not _declared(info)]
    guessed = ""
    if not encoding and not all(map(_is_utf8, undeclared)):
        encoding = guessed = detect({name for name in undeclared if not name.isascii()})
    names = []
    for info in infos:
        name = _declared(info) or _raw(info).decode(encoding or "utf-8", errors="replace")
        names.append(readable(name.replace("\\", "/")))
    return names, guessed


def readable(name: str) -> str:
    """A path in composed Unicode, without what no file or database takes: NUL, and halves of characters."""
    return UNSTORABLE.sub("\ufffd", unicodedata.normalize("NFC", name))


def _raw(info: zipfile.ZipInfo) -> bytes:
    return info.orig_filename.encode("cp437", errors="replace")


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _declared(info: zipfile.ZipInfo) -> str | None:
    """The name when the entry says in which encoding it is."""
    if info.flag_bits & 0x800:
        return info.orig_filename
    extra = info.extra
    while len(extra) >= 4:
        kind, size = struct.unpack("<HH", extra[:4])
        field = extra[4 : 4 + size]
        if kind == UNICODE_PATH and len(field) > 5 and field[0] == 1:
            is_current = struct.unpack("<L", field[1:5])[0] == zlib.crc32(_raw(info))
            return field[5:].decode("utf-8", errors="replace") if is_current else None
        extra = extra[4 + size :]
    return None


def is_junk(name: str) -> bool:
    """What file managers and tools leave in archives; `.22 cal/1.jpg` is an image like others."""
    *folders, base = PurePosixPath(name).parts or ("",)
    if any(part in JUNK_FOLDERS or part.startswith("._") for part in folders):
        return True
    is_hidden = base.startswith(".") and (base.startswith("._") or not is_image(base))
    return is_hidden or base.lower() in ("thumbs.db", "desktop.ini")


def unsafe(info: zipfile.ZipInfo, name: str) -> tuple[str, str] | None:
    """`(code, detail)` when an entry is not read at all."""
    if name.startswith("/") or (len(name) > 1 and name[1] == ":") or ".." in name.split("/"):
        return "unsafe_path", "The path points outside of the archive."
    kind = (info.external_attr >> 16) & 0o170000
    if kind not in (0, 0o100000):
        return "not_a_file", "The entry is a link or a device, not a file."
    if info.flag_bits & 1:
        return "encrypted_entry", "The entry is encrypted."
    return None


class ZipTexts:
    """The files of an archive as the format readers see them: readable names, without junk, in the archive's order.

    Args:
        max_bytes: of all annotation files together.
        name_encoding: of names that do not say it themselves; detected when it is empty.
    """

    def __init__(self, archive: zipfile.ZipFile, max_bytes: int, name_encoding: str = "") -> None:
        self.archive = archive
        self.max_bytes = max_bytes
        self.entries = ZipEntries()
        self.repeated: list[str] = []
        self._sizes: dict[str, int] = {}
        self._used = 0
        self.ambiguous: set[str] = set()
        names, self.guessed_encoding = readable_names(archive.infolist(), name_encoding)
        self.encoding = name_encoding or self.guessed_encoding
        taken = set(names)
        for info, name in zip(archive.infolist(), names, strict=True):
            if info.is_dir() or is_junk(name):
                continue
            if (first := self.entries.get(name)) is not None:
                free = _beside(name, taken)
                if (first.CRC, first.file_size) != (info.CRC, info.file_size):
                    self.ambiguous |= {name, free}
                name = free
                taken.add(name)
                self.repeated.append(name)
            self.entries.add(name, info)
        # Python's own records are needed no more: entries are opened by those that are made again.
        archive.filelist.clear()
        archive.NameToInfo.clear()

    @property
    def names(self) -> list[str]:
        return list(self.entries)

    def content(self, name: str) -> bytes:
        """An annotation file.

        Raises:
            FormatError: it is damaged, or no file to be read.
            TooManyAnnotations: with those that were read before it is more than `max_bytes`.
        """
        with self.opened(name) as source:
            return source.read()

    @contextlib.contextmanager
    def opened(self, name: str) -> Iterator[BinaryIO]:
        """As `content`, for reading part by part."""
        info = self.entries[name]
        if refused := unsafe(info, name):
            raise FormatError(*refused)
        left = self.max_bytes - self._used + self._sizes.get(name, 0)
        if info.file_size > left:
            raise too_many(self.max_bytes)
        try:
            source = self.archive.open(info)
        except DAMAGES as error:
            raise FormatError("damaged_annotations", f"{name} is damaged in the archive ({error}).") from error
        limited = _Limited(source, name, left, self.max_bytes)
        with source:
            yield limited  # type: ignore[misc]
        self._used += max(0, limited.count - self._sizes.get(name, 0))
        self._sizes[name] = max(limited.count, self._sizes.get(name, 0))

    def size(self, name: str) -> int:
        """What the archive says about the size of a file, in bytes."""
        return self.entries[name].file_size

    def head(self, name: str, count: int = 64) -> bytes:
        """The first bytes of any file; nothing when it cannot be read."""
        info = self.entries[name]
        if unsafe(info, name):
            return b""
        try:
            with self.archive.open(info) as source:
                return source.read(count)
        except DAMAGES:
            return b""


def _beside(name: str, taken: set[str]) -> str:
    """A free name for a second file of the same path, so that it is not lost: one that no other file has."""
    path = PurePosixPath(name)
    count = 2
    while (free := str(path.with_name(f"{path.stem} ({count}){path.suffix}"))) in taken:
        count += 1
    return free


class _Limited:
    """A file in an archive, whose header may lie about its size."""

    def __init__(self, source: IO[bytes], name: str, left: int, limit: int) -> None:
        self._source, self._name, self._left, self._limit = source, name, left, limit
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        try:
            content = self._source.read(self._left + 1 if size is None or size < 0 else size)
        except DAMAGES as error:
            detail = f"{self._name} is damaged in the archive ({error})."
            raise FormatError("damaged_annotations", detail) from error
        self.count += len(content)
        if self.count > self._left:
            raise too_many(self._limit)
        return content


def too_many(limit: int) -> TooManyAnnotations:
    return TooManyAnnotations(
        f"The annotation files have more than {limit:,} bytes together. Split the archive, or ask the operator for "
        "more (MLSTUDIO_MAX_ANNOTATION_BYTES)."
    )
