"""File ids: `group1/M00/02/44/<27 characters><digits>.<extension>`, and what is written in those characters.

Source: `tracker/tracker_types.h`, `client/storage_client.c` (fdfs_get_file_info_ex) of FastDFS 6.16.
"""

from __future__ import annotations

import base64
import re
import struct
from dataclasses import dataclass

from .errors import InvalidFileId

GROUP = re.compile(r"[A-Za-z0-9_-]{1,16}\Z")
NAME = re.compile(
    r"(?P<path>M[0-9A-F]{2}/[0-9A-F]{2}/[0-9A-F]{2}/)(?P<code>[A-Za-z0-9_-]{27})(?P<rest>[A-Za-z0-9_.-]{0,23})\Z"
)
EXTENSION = re.compile(r"[A-Za-z0-9]{1,6}\Z")
APPENDER_FLAG = 1 << 58
TRUNK_FLAG = 1 << 59
# A size that fits 32 bits is filled up with random bits and this one, so that names differ.
PADDED_FLAG = 1 << 63


@dataclass(frozen=True)
class FileId:
    """Where a file is: its group and its name within it, both checked.

    Raises:
        InvalidFileId: anything else than what a storage hands out: `..`, wrong characters, overlong parts.
    """

    group: str
    name: str

    def __post_init__(self) -> None:
        if not GROUP.match(self.group):
            raise InvalidFileId(f"not a group of FastDFS: {self.group[:40]!r}")
        if not NAME.match(self.name):
            raise InvalidFileId(f"not a file name of FastDFS: {self.name[:80]!r}")

    @classmethod
    def parse(cls, text: str) -> FileId:
        """From `group1/M00/…`."""
        group, _, name = text.partition("/")
        return cls(group, name)

    def __str__(self) -> str:
        return f"{self.group}/{self.name}"

    @property
    def _numbers(self) -> tuple[int, int, int]:
        match = NAME.match(self.name)
        assert match is not None  # __post_init__ has looked
        content = base64.b64decode(match["code"] + "=", altchars=b"-_")
        created, size, crc32 = struct.unpack(">IQI", content[4:20])
        return created, size, crc32

    @property
    def created(self) -> int:
        """Seconds since 1970."""
        return self._numbers[0]

    @property
    def is_appender(self) -> bool:
        """Whether it can grow; then the name knows neither its size nor its checksum."""
        return bool(self._numbers[1] & APPENDER_FLAG)

    @property
    def size(self) -> int | None:
        """In bytes; None of an appender file."""
        size = self._numbers[1]
        if self.is_appender:
            return None
        return size & 0xFFFFFFFF if size & (PADDED_FLAG | TRUNK_FLAG) else size

    @property
    def crc32(self) -> int | None:
        """Of the content; None of an appender file."""
        return None if self.is_appender else self._numbers[2]


def checked_extension(extension: str) -> str:
    """At most 6 letters and digits, without the dot, as FastDFS keeps them.

    Raises:
        InvalidFileId
    """
    if extension and not EXTENSION.match(extension):
        raise InvalidFileId(f"an extension is 1 to 6 letters and digits, received {extension[:40]!r}")
    return extension
