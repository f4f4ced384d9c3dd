"""Bytes of the protocol: header, addresses, metadata, statistics. Knows no sockets.

Source: `tracker/tracker_proto.h` of FastDFS 6.16.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .errors import Address, InvalidFileId, ProtocolError

HEADER = struct.Struct(">QBB")
RESPONSE = 100
GROUP_BYTES = 16
EXTENSION_BYTES = 6
# Replies carry addresses of 16 bytes, or of 46 where IPv6 is on; only the length of the body tells.
IP_BYTES = (16, 46)

ACTIVE_TEST = 111
QUERY_STORE, QUERY_STORE_IN_GROUP = 101, 104
QUERY_FETCH, QUERY_UPDATE = 102, 103
LIST_GROUPS, LIST_STORAGES = 91, 92
UPLOAD, UPLOAD_APPENDER, APPEND = 11, 23, 24
DOWNLOAD, DELETE, FILE_INFO = 14, 12, 22
SET_METADATA, GET_METADATA = 13, 15

FIELD, RECORD = b"\x02", b"\x01"


@dataclass(frozen=True)
class StorageStatus:
    """A storage server as its tracker sees it. `state` 7 is active."""

    address: Address
    state: int
    version: str
    total_mb: int
    free_mb: int

    @property
    def is_active(self) -> bool:
        return self.state == 7


@dataclass(frozen=True)
class GroupStatus:
    name: str
    total_mb: int
    free_mb: int
    storage_count: int
    storage_port: int
    active_count: int


@dataclass(frozen=True)
class FileInfo:
    """What the storage says of a file: bytes, seconds since 1970, checksum, where it came from."""

    size: int
    created: int
    crc32: int
    source: str


def header(length: int, command: int) -> bytes:
    return HEADER.pack(length, command, 0)


def group_field(group: str) -> bytes:
    """16 bytes."""
    content = group.encode("ascii", "replace")
    if not 0 < len(content) <= GROUP_BYTES:
        raise InvalidFileId(f"a group has 1 to {GROUP_BYTES} characters, received {group[:40]!r}")
    return content.ljust(GROUP_BYTES, b"\0")


def number(value: int) -> bytes:
    return struct.pack(">Q", value)


def text_of(field: bytes) -> str:
    """A NUL-padded text."""
    return field.split(b"\0", 1)[0].decode("ascii", "replace")


def parse_store(body: bytes) -> tuple[str, Address, int]:
    """Group, storage and the index of its path, from a body of 40 or 70 bytes."""
    group, address = _parse_target(body[:-1], body)
    return group, address, body[-1]


def parse_fetch(body: bytes) -> Address:
    """The storage, from a body of 39 or 69 bytes."""
    return _parse_target(body, body)[1]


def _parse_target(part: bytes, body: bytes) -> tuple[str, Address]:
    ip_bytes = len(part) - GROUP_BYTES - 8
    # Older servers leave out the last byte of an address, which is always NUL.
    if ip_bytes not in (IP_BYTES[0] - 1, IP_BYTES[0], IP_BYTES[1] - 1, IP_BYTES[1]):
        raise ProtocolError(f"an address cannot be read from {len(body)} bytes")
    end = GROUP_BYTES + ip_bytes
    port = int.from_bytes(part[end : end + 8], "big")
    if not 0 < port < 65536:
        raise ProtocolError(f"an address has the port {port}")
    return text_of(part[:GROUP_BYTES]), (text_of(part[GROUP_BYTES:end]), port)


def parse_file_info(body: bytes) -> FileInfo:
    if len(body) - 24 not in IP_BYTES:
        raise ProtocolError(f"file information cannot be read from {len(body)} bytes")
    size, created, crc32 = struct.unpack(">QQQ", body[:24])
    return FileInfo(size, created, crc32 & 0xFFFFFFFF, text_of(body[24:]))


def pack_metadata(metadata: dict[str, str]) -> bytes:
    records = []
    for key, value in metadata.items():
        pair = key.encode(), value.encode()
        if any(FIELD in part or RECORD in part for part in pair) or not 0 < len(pair[0]) <= 64 or len(pair[1]) > 256:
            raise ValueError(
                f"metadata {key[:40]!r}: names have 1 to 64 bytes, values up to 256, without control bytes"
            )
        records.append(FIELD.join(pair))
    return RECORD.join(records)


def unpack_metadata(body: bytes) -> dict[str, str]:
    if not body:
        return {}
    pairs = (record.partition(FIELD) for record in body.split(RECORD))
    return {key.decode("utf-8", "replace"): value.decode("utf-8", "replace") for key, _, value in pairs}


# A group's record is its name with a NUL, then numbers: 12 since 6.13.1, 11 before. Where in it are total and free
# megabytes, how many storages there are, their port, and how many of them can be read from.
GROUP_LAYOUTS = {12: (0, 1, 4, 5, 6), 11: (0, 1, 3, 4, 6)}


def parse_groups(body: bytes) -> list[GroupStatus]:
    for count, places in GROUP_LAYOUTS.items():
        size = GROUP_BYTES + 1 + 8 * count
        if len(body) % size == 0:
            return [_parse_group(body[at : at + size], count, places) for at in range(0, len(body), size)]
    raise ProtocolError(f"groups cannot be read from {len(body)} bytes")


def _parse_group(record: bytes, count: int, places: tuple[int, ...]) -> GroupStatus:
    numbers = struct.unpack(f">{count}Q", record[GROUP_BYTES + 1 :])
    return GroupStatus(text_of(record[: GROUP_BYTES + 1]), *(numbers[place] for place in places))


@dataclass(frozen=True)
class _StorageLayout:
    """Where things are in a storage's record; numbers begin with the times of joining and starting."""

    ip_at: int
    ip_bytes: int
    version_at: int
    port_place: int


# Since 6.13.1 with short and long addresses, and until 6.10 (tried with 6.06).
STORAGE_LAYOUTS = {
    487: _StorageLayout(ip_at=18, ip_bytes=16, version_at=50, port_place=9),
    517: _StorageLayout(ip_at=18, ip_bytes=46, version_at=80, port_place=9),
    612: _StorageLayout(ip_at=17, ip_bytes=16, version_at=177, port_place=8),
}


def parse_storages(body: bytes) -> list[StorageStatus]:
    for size, layout in STORAGE_LAYOUTS.items():
        if len(body) % size == 0:
            return [_parse_storage(body[at : at + size], layout) for at in range(0, len(body), size)]
    raise ProtocolError(f"storages cannot be read from {len(body)} bytes")


def _parse_storage(record: bytes, layout: _StorageLayout) -> StorageStatus:
    ip = text_of(record[layout.ip_at : layout.ip_at + layout.ip_bytes])
    version = text_of(record[layout.version_at : layout.version_at + 8])
    numbers = struct.unpack(">10Q", record[layout.version_at + 8 : layout.version_at + 88])
    return StorageStatus((ip, numbers[layout.port_place]), record[0], version, numbers[2], numbers[3])
