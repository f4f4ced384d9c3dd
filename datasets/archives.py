"""Zip archives from strangers: nothing is extracted by name, every size is limited, every entry gets a verdict."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, BinaryIO

from django.conf import settings

from datasets.examining import too_large
from jobs.errors import WorkFailed
from vision.formats.texts import DAMAGES, ZipTexts, unsafe
from vision.imaging.preprocessing import ImageError

END_RECORD, END_RECORD_64 = b"PK\x05\x06", b"PK\x06\x06"
ENTRY = b"PK\x01\x02"
MAX_DIRECTORY_BYTES = 128 << 20
CHUNK_BYTES = 1 << 20
NO_ZIP = (
    "The file is no archive that can be read, or its end is missing. Pack the folder as .zip or .tar; images "
    "can also be added one by one, without an archive."
)
NO_DISK = 0xFFFF  # the record of 64 bits says it
RATIO_FREE_BYTES = 256 << 20


def open_archive(file: BinaryIO) -> zipfile.ZipFile:
    """Open a zip after looking at its end record, before its directory is read into memory.

    Raises:
        WorkFailed: `not_a_zip`, `too_many_entries`, `archive_bomb`, `encrypted_archive`, `archive_too_large`.
    """
    limit = settings.MAX_ARCHIVE_ENTRIES
    count, directory_bytes, end = _end_record(file)
    if directory_bytes <= MAX_DIRECTORY_BYTES:
        count = max(count, _entries(file, end - directory_bytes, limit))
    if count > limit or directory_bytes > MAX_DIRECTORY_BYTES:
        raise WorkFailed(
            "too_many_entries",
            f"The archive has {count:,} entries; at most {limit:,} are read at once. Split it into several archives.",
        )
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise WorkFailed(
            "not_a_zip", f"The archive cannot be read ({error}). Make it again and upload that."
        ) from error
    infos = archive.infolist()
    if len(infos) > limit:
        raise WorkFailed("too_many_entries", f"The archive has {len(infos):,} entries; at most {limit:,} are read.")
    _check_sizes(infos, file)
    files = [info for info in infos if not info.is_dir()]
    if files and all(info.flag_bits & 1 for info in files):
        raise WorkFailed("encrypted_archive", "The archive is encrypted. Make it without a password.")
    return archive


def _check_sizes(infos: list[zipfile.ZipInfo], file: BinaryIO) -> None:
    total = sum(info.file_size for info in infos)
    file.seek(0, 2)
    packed = max(1, file.tell())
    if total > settings.MAX_ARCHIVE_BYTES:
        raise WorkFailed(
            "archive_too_large", f"The archive unpacks to {total:,} bytes; the limit is {settings.MAX_ARCHIVE_BYTES:,}."
        )
    if total > RATIO_FREE_BYTES and total > settings.MAX_ARCHIVE_RATIO * packed:
        raise WorkFailed(
            "archive_bomb",
            f"The archive has {packed:,} bytes and claims to unpack to {total:,}: images never shrink that much. "
            "It was not unpacked.",
        )


def _entries(file: BinaryIO, start: int, limit: int) -> int:
    """How many entries the directory really has, up to one more than the limit: the end record may say anything."""
    if start < 0:
        return 0  # its reader will say what is wrong
    file.seek(start)
    count = 0
    while count <= limit and (head := file.read(46)).startswith(ENTRY) and len(head) == 46:
        count += 1
        file.seek(sum(struct.unpack("<HHH", head[28:34])), 1)  # name, extra field, comment
    return count


def of_parts() -> WorkFailed:
    detail = (
        "This is one of several parts of an archive. Make one file of all parts, for example with "
        "zip -s 0 first.zip --out whole.zip, and upload that."
    )
    return WorkFailed("split_archive", detail)


def _end_record(file: BinaryIO) -> tuple[int, int, int]:
    """`(entries, bytes of the directory, where it ends)` (PKWARE APPNOTE 4.3.14 to 4.3.16)."""
    file.seek(0, 2)
    size = file.tell()
    tail_bytes = min(size, 22 + 65535 + 76)
    file.seek(size - tail_bytes)
    tail = file.read(tail_bytes)
    at = tail.rfind(END_RECORD)
    if at < 0 or len(tail) - at < 22:
        raise WorkFailed("not_a_zip", NO_ZIP)
    count, directory_bytes = struct.unpack("<HI", tail[at + 10 : at + 16])
    if any(disk not in (0, NO_DISK) for disk in struct.unpack("<HH", tail[at + 4 : at + 8])):
        raise of_parts()
    end = at
    at64 = tail.rfind(END_RECORD_64)
    if at64 >= 0 and len(tail) - at64 >= 56:
        count64, directory64 = struct.unpack("<QQ", tail[at64 + 32 : at64 + 48])
        count, directory_bytes = (
            max(count, count64),
            max(directory_bytes if directory_bytes != 0xFFFFFFFF else 0, directory64),
        )
        end = at64
    return count, directory_bytes, size - tail_bytes + end


def refusal(info: zipfile.ZipInfo, name: str) -> tuple[str, str] | None:
    """`(code, detail)` when an entry is not read at all."""
    if refused := unsafe(info, name):
        return refused
    return (too_large().code, str(too_large())) if info.file_size > settings.MAX_IMAGE_BYTES else None


class ZipContents(ZipTexts):
    """The files of an archive: images to read here, and names; annotation files are read in the sandbox."""

    def __init__(self, archive: zipfile.ZipFile, name_encoding: str = "") -> None:
        super().__init__(archive, settings.MAX_ANNOTATION_BYTES, name_encoding)

    def refusal(self, name: str) -> tuple[str, str] | None:
        return refusal(self.entries[name], name)

    def read(self, name: str) -> bytes:
        """An image. Raises `ImageError`."""
        return read_entry(self.archive, self.entries[name])

    def copy(self, name: str, target: Path, keep: Callable[[], None]) -> None:
        """Write an entry to `target`. Raises `WorkFailed`: `damaged_archive`."""
        info = self.entries[name]
        try:
            with self.archive.open(info) as source, open(target, "wb") as out:
                for chunk in _chunks(source):
                    out.write(chunk)
                    if out.tell() > info.file_size:
                        raise zipfile.BadZipFile("it is longer than it says")
                    keep()
        except DAMAGES as error:
            raise WorkFailed("damaged_archive", f"{name} is damaged in the archive ({error}).") from error


def read_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The entry's bytes, at most the limit for one image, whatever its header says.

    Raises:
        ImageError: `file_too_large`, `corrupted_entry`, `unsupported_compression`.
    """
    chunks: list[bytes] = []
    size = 0
    try:
        with archive.open(info) as source:
            for chunk in _chunks(source):
                chunks.append(chunk)
                size += len(chunk)
                if size > settings.MAX_IMAGE_BYTES:
                    raise too_large()
    except NotImplementedError as error:
        raise ImageError("unsupported_compression", f"The entry cannot be unpacked ({error}).") from error
    except (zipfile.BadZipFile, EOFError, ValueError, OSError, RuntimeError) as error:
        if isinstance(error, ImageError):
            raise
        raise ImageError("corrupted_entry", f"The entry is damaged in the archive ({error}).") from error
    except Exception as error:  # zlib.error and its relatives of other compressions
        raise ImageError("corrupted_entry", f"The entry is damaged in the archive ({error}).") from error
    return b"".join(chunks)


def _chunks(source: IO[bytes]) -> Iterator[bytes]:
    while chunk := source.read(CHUNK_BYTES):
        yield chunk
