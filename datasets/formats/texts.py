"""The annotation files of a zip archive, within limits. No Django: the sandbox reads them with this too."""

from __future__ import annotations

import contextlib
import unicodedata
import zipfile
from pathlib import PurePosixPath

from datasets.formats.base import FormatError


class TooManyAnnotations(Exception):
    """The annotation files of an archive are larger, together, than what is read. The text is for the user."""


def readable_name(info: zipfile.ZipInfo) -> str:
    """The entry's path in its own script: many tools write UTF-8 without saying so. Composed Unicode."""
    name = info.orig_filename
    if not info.flag_bits & 0x800:
        with contextlib.suppress(UnicodeEncodeError, UnicodeDecodeError):
            name = name.encode("cp437").decode("utf-8")
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def is_junk(name: str) -> bool:
    """What file managers leave in archives."""
    parts = PurePosixPath(name).parts
    return any(part == "__MACOSX" or (part.startswith(".") and part != "..") for part in parts) or (
        bool(parts) and parts[-1].lower() in ("thumbs.db", "desktop.ini")
    )


def unsafe(info: zipfile.ZipInfo, name: str) -> tuple[str, str] | None:
    """`(code, detail)` when an entry is not read at all."""
    if name.startswith("/") or (len(name) > 1 and name[1] == ":") or ".." in name.split("/") or "\x00" in name:
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
    """

    def __init__(self, archive: zipfile.ZipFile, max_bytes: int) -> None:
        self.archive = archive
        self.max_bytes = max_bytes
        self.entries: dict[str, zipfile.ZipInfo] = {}
        self.repeated: list[str] = []
        self._sizes: dict[str, int] = {}
        for info in archive.infolist():
            name = readable_name(info)
            if info.is_dir() or is_junk(name):
                continue
            if name in self.entries:
                name = self._beside(name)
                self.repeated.append(name)
            self.entries[name] = info

    def _beside(self, name: str) -> str:
        """A free name for a second file of the same path, so that it is not lost."""
        path = PurePosixPath(name)
        count = 2
        while (free := str(path.with_name(f"{path.stem} ({count}){path.suffix}"))) in self.entries:
            count += 1
        return free

    @property
    def names(self) -> list[str]:
        return list(self.entries)

    def text(self, name: str) -> str:
        """An annotation file.

        Raises:
            FormatError: it is damaged, or no file to be read.
            TooManyAnnotations: with those that were read before it is more than `max_bytes`.
        """
        info = self.entries[name]
        if refused := unsafe(info, name):
            raise FormatError(*refused)
        left = self.max_bytes - sum(self._sizes.values()) + self._sizes.get(name, 0)
        if info.file_size > left:
            raise too_many(self.max_bytes)
        try:
            with self.archive.open(info) as source:
                content = source.read(left + 1)
        except MemoryError:
            raise
        except Exception as error:  # zipfile, zlib and their relatives raise many types on damage
            raise FormatError("damaged_annotations", f"{name} is damaged in the archive ({error}).") from error
        if len(content) > left:
            raise too_many(self.max_bytes)
        self._sizes[name] = len(content)
        return decoded(content)


def too_many(limit: int) -> TooManyAnnotations:
    return TooManyAnnotations(
        f"The annotation files have more than {limit:,} bytes together. Split the archive, or ask the operator for "
        "more (MLSTUDIO_MAX_ANNOTATION_BYTES)."
    )


def decoded(content: bytes) -> str:
    """A text in whatever encoding people have used."""
    for encoding in ("utf-8-sig", "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "cp1252"):
        with contextlib.suppress(UnicodeDecodeError):
            return content.decode(encoding)
    return content.decode("latin-1")
