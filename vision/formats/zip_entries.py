"""The entries of a zip archive in columns: 200,000 of Python's own records take more memory than all that they say."""

from __future__ import annotations

import zipfile
from array import array
from collections.abc import Iterator, Mapping

# Attribute of a record → the type of its column. What is not listed is not needed to read an entry.
COLUMNS = {
    "header_offset": "q",
    "file_size": "q",
    "compress_size": "q",
    "CRC": "L",
    "compress_type": "L",
    "flag_bits": "L",
    "external_attr": "L",
    "create_system": "B",
    "_end_offset": "q",
}
UNKNOWN = -1  # newer versions of Python note where an entry has to end; elsewhere nobody knows


class ZipEntries(Mapping[str, zipfile.ZipInfo]):
    """Readable name → record, which is made when it is asked for."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._columns = {name: array(kind) for name, kind in COLUMNS.items()}
        # The name in the archive where it is another one; reading compares it with what stands before the bytes.
        self._written: dict[int, str] = {}

    def add(self, name: str, info: zipfile.ZipInfo) -> None:
        place = self._places[name] = len(self._places)
        for attribute, column in self._columns.items():
            value = getattr(info, attribute, None)
            column.append(UNKNOWN if value is None else value)
        if info.orig_filename != name:
            self._written[place] = info.orig_filename

    def __getitem__(self, name: str) -> zipfile.ZipInfo:
        place = self._places[name]
        info = zipfile.ZipInfo(name)
        info.orig_filename = self._written.get(place, name)
        for attribute, column in self._columns.items():
            if attribute in zipfile.ZipInfo.__slots__:
                setattr(info, attribute, None if column[place] == UNKNOWN else column[place])
        return info

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
