"""What people send as a dataset: a zip, a tar, archives in an archive, or an annotation file alone."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings

from datasets import archives
from datasets.buckets import BucketContents
from datasets.tars import TarContents, compression_of, is_tar, unpack
from jobs.errors import WorkFailed
from storage import services as storage
from vision.formats import FormatError
from vision.formats.base import IMAGE_HEADS, UNKNOWN_BYTES, ending_by_content, ending_of, is_image, is_text
from vision.formats.texts import readable, too_many

ZIP_HEADS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
ARCHIVE_ENDINGS = (".zip", ".tar", ".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz", ".tzst", ".tar.zst")
OTHER_ARCHIVES = {b"Rar!": "RAR", b"7z\xbc\xaf\x27\x1c": "7z", b"MSCF": "Cabinet", b"LZIP": "lzip"}
SPANNED = b"PK\x07\x08"
PART = re.compile(r"\.(?:z\d\d|\d\d\d|r\d\d)$", re.IGNORECASE)
WEB_PAGES = (b"<!doctype html", b"<html")
TEXT_BEGINNINGS = (b"{", b"[", b"<")
HEAD_BYTES = 1024
MOST_LEVELS = 3
MOST_INNER = 500  # archives in an archive: each stays open
BEYOND_LIMITS = ("too_many_entries", "archive_bomb", "archive_too_large", "too_many_archives")
CHUNK_BYTES = 1 << 20
Keep = Callable[[], None]


@contextmanager
def open_contents(
    file: BinaryIO, filename: str, folder: Path, keep: Keep, name_encoding: str = ""
) -> Iterator[archives.ZipContents | TarContents | MergedContents | SingleFile]:
    """The files of whatever was sent.

    Args:
        folder: for what has to be unpacked; the caller removes it.
        keep: called while something long goes on.
        name_encoding: of the names in the archive, where it does not say.

    Raises:
        WorkFailed: it is no archive, or one beyond the limits.
    """
    with ExitStack() as stack:
        unpacking = _Unpacking(folder, keep, name_encoding, stack)
        contents = unpacking.open(file, filename)
        yield unpacking.with_inner(contents)


class _Unpacking:
    """Opens archives, and those inside of them."""

    def __init__(self, folder: Path, keep: Keep, name_encoding: str, stack: ExitStack) -> None:
        self._folder = folder
        self._keep = keep
        self._name_encoding = name_encoding
        self._stack = stack
        self._count = 0
        self._bytes = 0
        self._sent = 0

    def open(self, file: BinaryIO, filename: str) -> Any:
        self._sent = self._sent or file.seek(0, 2)
        file.seek(0)
        head = file.read(HEAD_BYTES)
        file.seek(0)
        if head.startswith(SPANNED) or PART.search(filename):
            return self._whole_or_part(file)
        if head.lstrip().lower().startswith(WEB_PAGES):
            raise WorkFailed(
                "not_an_archive",
                "This is a web page, not an archive: the page of a download, perhaps, was saved instead of its file.",
            )
        if head.startswith(ZIP_HEADS):
            archive = self._stack.enter_context(archives.open_archive(file))
            return archives.ZipContents(archive, self._name_encoding)
        if (compression := compression_of(head)) is not None:
            return self._compressed(file, compression)
        if is_tar(head):
            return TarContents(file, self._name_encoding)
        if is_text(filename) and (ending_of(filename).lower() not in (".json", ".xml") or _begins_text(head)):
            return SingleFile(file, filename)
        if _begins_text(head):
            return SingleFile(file, f"annotations{'.xml' if head.lstrip()[:1] == b'<' else '.json'}")
        for magic, kind in OTHER_ARCHIVES.items():
            if head.startswith(magic):
                detail = f"This is a {kind} archive, which is not read. Pack the folder as .zip or .tar.gz."
                raise WorkFailed("unsupported_archive", detail)
        archive = self._stack.enter_context(archives.open_archive(file))  # a zip behind something else, or the error
        return archives.ZipContents(archive, self._name_encoding)

    def _whole_or_part(self, file: BinaryIO) -> archives.ZipContents:
        """A zip that may have been divided into parts, which begins, or is called, as these do."""
        try:
            archive = self._stack.enter_context(archives.open_archive(file))
        except WorkFailed as error:
            raise archives.of_parts() if error.code == "not_a_zip" else error from error
        return archives.ZipContents(archive, self._name_encoding)

    def _compressed(self, file: BinaryIO, compression: str) -> TarContents:
        target = self._place()
        self._bytes += unpack(file, compression, target, self._sent, self._keep, self._bytes)
        unpacked = self._stack.enter_context(target.open("rb"))
        if not is_tar(unpacked.read(HEAD_BYTES)):
            raise WorkFailed(
                "not_an_archive",
                f"The file is compressed ({compression}), but there is no tar archive inside. Send a zip, a tar, or an "
                "annotation file as it is.",
            )
        return TarContents(unpacked, self._name_encoding)

    def with_inner(self, contents: Any, level: int = 1) -> Any:
        """The contents with the files of archives inside of them, each in a folder of its archive's name."""
        inner = [name for name in contents.names if name.lower().endswith(ARCHIVE_ENDINGS)]
        if not inner:
            return contents
        merged = MergedContents()
        merged.add(contents, "", leave_out=set(inner))
        if len(inner) > MOST_INNER:
            raise WorkFailed(
                "too_many_archives",
                f"There are {len(inner):,} archives in the archive; at most {MOST_INNER} are read. Unpack them first.",
            )
        for name in inner:
            try:
                if level >= MOST_LEVELS:
                    raise WorkFailed("nested_too_deep", f"Archives are read {MOST_LEVELS} deep; unpack this one first.")
                part = self.with_inner(self._extracted(contents, name), level + 1)
                merged.add(part, name[: -len(_archive_ending(name))])
            except WorkFailed as error:
                if error.code in BEYOND_LIMITS:
                    raise
                merged.broken.append((name, error.code, str(error)))
        return merged

    def _extracted(self, contents: Any, name: str) -> Any:
        if refused := contents.refusal(name):
            code, detail = refused
            if code != "file_too_large":
                raise WorkFailed(code, detail)
        self._bytes += contents.size(name)
        if self._bytes > settings.MAX_ARCHIVE_BYTES:
            raise WorkFailed(
                "archive_too_large", f"The archives unpack to more than {settings.MAX_ARCHIVE_BYTES:,} bytes."
            )
        target = self._place()
        storage.ensure_free_space(contents.size(name))
        contents.copy(name, target, self._keep)
        return self.open(self._stack.enter_context(target.open("rb")), name)

    def _place(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._count += 1
        return self._folder / f"{self._count}.unpacked"


def _archive_ending(name: str) -> str:
    return next(ending for ending in sorted(ARCHIVE_ENDINGS, key=len, reverse=True) if name.lower().endswith(ending))


def _begins_text(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(TEXT_BEGINNINGS)


class MergedContents:
    """The files of several archives as those of one."""

    def __init__(self) -> None:
        self.entries: dict[str, tuple[Any, str]] = {}
        self.repeated: list[str] = []
        self.broken: list[tuple[str, str, str]] = []
        self.guessed_encoding = ""

    def add(self, contents: Any, folder: str, leave_out: set[str] | None = None) -> None:
        """Take the files of an archive into `folder`, or into one beside it where files of the same path are there."""
        names = [name for name in contents.names if not (leave_out and name in leave_out)]
        count, base = 1, folder
        while any((f"{folder}/{name}" if folder else name) in self.entries for name in names):
            count += 1
            folder = f"{base}-{count}"
        for name in names:
            self.entries[f"{folder}/{name}" if folder else name] = (contents, name)
        if len(self.entries) > settings.MAX_ARCHIVE_ENTRIES:
            limit = settings.MAX_ARCHIVE_ENTRIES
            raise WorkFailed("too_many_entries", f"The archives have more than {limit:,} entries together. Split them.")
        self.repeated += [f"{folder}/{name}" if folder else name for name in contents.repeated]
        self.broken += getattr(contents, "broken", [])
        self.guessed_encoding = self.guessed_encoding or contents.guessed_encoding

    @property
    def names(self) -> list[str]:
        return list(self.entries)

    def refusal(self, name: str) -> tuple[str, str] | None:
        contents, own = self.entries[name]
        return contents.refusal(own)

    def read(self, name: str) -> bytes:
        contents, own = self.entries[name]
        return contents.read(own)

    def content(self, name: str) -> bytes:
        contents, own = self.entries[name]
        return contents.content(own)

    def head(self, name: str, count: int = 64) -> bytes:
        contents, own = self.entries[name]
        return contents.head(own, count)

    def size(self, name: str) -> int:
        contents, own = self.entries[name]
        return contents.size(own)


class SingleFile:
    """An annotation file that was sent by itself."""

    def __init__(self, file: BinaryIO, filename: str) -> None:
        self._file = file
        file.seek(0, 2)
        self._size = file.tell()
        name = readable(filename.replace("\\", "/").rpartition("/")[2]) or "annotations.json"
        self.entries = {name: self._size}
        self.repeated: list[str] = []
        self.guessed_encoding = ""

    @property
    def names(self) -> list[str]:
        return list(self.entries)

    def refusal(self, name: str) -> tuple[str, str] | None:
        return None

    def read(self, name: str) -> bytes:
        return self.content(name)

    def content(self, name: str) -> bytes:
        if self._size > settings.MAX_ANNOTATION_BYTES:
            raise too_many(settings.MAX_ANNOTATION_BYTES)
        self._file.seek(0)
        return self._file.read(settings.MAX_ANNOTATION_BYTES)

    def head(self, name: str, count: int = 64) -> bytes:
        self._file.seek(0)
        return self._file.read(count)

    def size(self, name: str) -> int:
        return self._size


AnyContents = archives.ZipContents | TarContents | MergedContents | SingleFile | BucketContents


def write_texts(contents: AnyContents, target: Path, keep: Keep, images: Iterable[str] | None = None) -> None:
    """The annotation files as a zip, and the images as empty entries, for the process that reads annotations.

    Args:
        images: names of images that are in the dataset, for annotations that come without images.

    Raises:
        TooManyAnnotations: they are larger together than what is read.
        FormatError: one cannot be read.
    """
    left = settings.MAX_ANNOTATION_BYTES
    with zipfile.ZipFile(target, "w") as archive:
        for name in contents.names:
            content = b""
            head = b"" if is_text(name) or is_image(name) else contents.head(name, UNKNOWN_BYTES)
            if is_text(name) or ending_by_content(name, head):
                if contents.size(name) > left:
                    raise too_many(settings.MAX_ANNOTATION_BYTES)
                try:
                    content = contents.content(name)
                except FormatError:  # an empty one would say that there is nothing on its image
                    content = DAMAGED
                left -= len(content)
            else:
                content = head
            archive.writestr(zipfile.ZipInfo(name), content)
            keep()
        for name in images or ():
            if not is_text(name):
                archive.writestr(zipfile.ZipInfo(name), b"" if is_image(name) else IMAGE_HEADS[0])


# Stands for a file that is damaged, so that its reader says so.
DAMAGED = json.dumps("damaged").encode()[:-1]
