"""What a program wants of FastDFS: upload, download, delete, metadata, over several trackers."""

from __future__ import annotations

import os
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from . import protocol
from .connection import Connection, Pool
from .errors import (
    Address,
    ConnectionFailed,
    DataDamaged,
    FileNotInStore,
    InvalidFileId,
    ProtocolError,
)
from .fileid import FileId, checked_extension

BUFFER_BYTES = 256 << 10
TRACKER_REST_SECONDS = 10.0
Answer = TypeVar("Answer")


def parse_address(text: str, default_port: int = 22122) -> Address:
    """`host`, `host:port` or `[v6]:port`.

    Raises:
        ValueError
    """
    host, _, port = text.strip().rpartition(":") if text.count(":") == 1 or "]:" in text else (text.strip(), "", "")
    host = host.strip("[]")
    if not host or (port and not (port.isdecimal() and 0 < int(port) < 65536)):
        raise ValueError(f"an address is host:port, received {text!r}")
    return host, int(port) if port else default_port


class Client:
    """Thread-safe; usable after a fork. Every method raises `FastDFSError`.

    Args:
        trackers: `host:port` each; when one does not answer the next is asked.
        connect_timeout, timeout: seconds until a connection stands, and until a server says something.
        address_map: storages as the trackers name them → as they are reached from here (`host` or `host:port`), for
            storages in containers or behind NAT.
    """

    def __init__(
        self,
        trackers: Sequence[str],
        *,
        connect_timeout: float = 3.0,
        timeout: float = 30.0,
        address_map: dict[str, str] | None = None,
    ) -> None:
        if not trackers:
            raise ValueError("FastDFS needs at least one tracker")
        self._trackers = [parse_address(tracker) for tracker in trackers]
        self._address_map = address_map or {}
        self._pool = Pool(connect_timeout=connect_timeout, timeout=timeout)
        self._lock = threading.Lock()
        self._resting: dict[Address, float] = {}

    # Files

    def upload(
        self, source: Path | BinaryIO, *, size: int | None = None, extension: str = "", group: str | None = None
    ) -> FileId:
        """Store a file, read in pieces; its checksum is compared with that of the storage.

        Args:
            source: a path, or a file open for reading at its beginning; then with its `size` in bytes.
            extension: without dot, at most 6 letters and digits.
            group: None leaves the choice to the tracker.

        Raises:
            DataDamaged: the storage got something else; what it got was deleted.
        """
        return self._upload(protocol.UPLOAD, source, size, extension, group)

    def upload_appender(
        self, source: Path | BinaryIO, *, size: int | None = None, extension: str = "", group: str | None = None
    ) -> FileId:
        """As `upload`, for a file that `append` can make longer."""
        return self._upload(protocol.UPLOAD_APPENDER, source, size, extension, group)

    def append(self, file_id: FileId, source: Path | BinaryIO, *, size: int | None = None) -> None:
        """Add bytes at the end of an appender file. Not repeated when it fails: it may have been done."""
        name = file_id.name.encode()
        address = self._storage_of(file_id, protocol.QUERY_UPDATE)
        with _opened(source, size) as (file, length), self._pool.connection(address) as connection:
            body = protocol.number(len(name)) + protocol.number(length) + name
            connection.send_request(protocol.APPEND, body, more=length)
            _send_file(connection, file, length)
            connection.read_body()

    def download(self, file_id: FileId, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Stream a file or a part of it; a whole one is compared with the checksum in its name at the end.

        A connection that breaks is made again, and the stream goes on where it stopped.

        Raises:
            FileNotInStore; DataDamaged: after the last piece was yielded.
        """
        for piece in self._pieces(file_id, offset, length):
            yield bytes(piece)

    def download_to(self, file_id: FileId, target: BinaryIO) -> int:
        """Write the whole file to an open one; returns its bytes."""
        written = 0
        for piece in self._pieces(file_id, 0, None):
            written += len(piece)
            target.write(piece)
        return written

    def _pieces(self, file_id: FileId, offset: int, length: int | None) -> Iterator[memoryview]:
        """Views of one buffer: each is good until the next is asked for."""
        if length == 0 or file_id.size == 0:  # the storage refuses to send nothing
            return
        if length is not None and file_id.size is not None:
            # Old servers refuse a part that reaches beyond the end; new ones give what there is.
            length = max(1, min(length, file_id.size - offset))
        crc, position, left = 0, offset, length
        is_whole = offset == 0 and length is None and file_id.crc32 is not None
        for attempt in range(2):
            if left == 0 or position == file_id.size:  # it broke after the last byte; 0 would ask for all
                break
            try:
                for piece in self._download_once(file_id, position, left):
                    crc = zlib.crc32(piece, crc) if is_whole else 0
                    position += len(piece)
                    left = None if left is None else left - len(piece)
                    yield piece
                break
            except ConnectionFailed:
                if attempt:
                    raise
        if is_whole and crc != file_id.crc32:
            raise DataDamaged(f"the content of {file_id} is damaged in the store")

    def delete(self, file_id: FileId) -> None:
        """Raises `FileNotInStore` when there is no such file."""
        self._on_storage(file_id, protocol.QUERY_UPDATE, protocol.DELETE, _file_body(file_id), is_delete=True)

    def info(self, file_id: FileId) -> protocol.FileInfo:
        """Size, time and checksum from the storage itself, so a deleted file is not there."""
        body = self._on_storage(file_id, protocol.QUERY_FETCH, protocol.FILE_INFO, _file_body(file_id))
        return protocol.parse_file_info(body)

    def set_metadata(self, file_id: FileId, metadata: dict[str, str], *, merge: bool = False) -> None:
        """Replace the metadata, or change the named ones."""
        content, name = protocol.pack_metadata(metadata), file_id.name.encode()
        body = (
            protocol.number(len(name))
            + protocol.number(len(content))
            + (b"M" if merge else b"O")
            + protocol.group_field(file_id.group)
            + name
            + content
        )
        self._on_storage(file_id, protocol.QUERY_UPDATE, protocol.SET_METADATA, body)

    def get_metadata(self, file_id: FileId) -> dict[str, str]:
        """Empty when the file has none. Raises `FileNotInStore` when it is not there."""
        try:
            body = self._on_storage(file_id, protocol.QUERY_FETCH, protocol.GET_METADATA, _file_body(file_id))
        except FileNotInStore:  # the same status as for a file without metadata
            self.info(file_id)
            return {}
        return protocol.unpack_metadata(body)

    # Servers

    def groups(self) -> list[protocol.GroupStatus]:
        return protocol.parse_groups(self._ask_tracker(protocol.LIST_GROUPS))

    def storages(self, group: str) -> list[protocol.StorageStatus]:
        return protocol.parse_storages(self._ask_tracker(protocol.LIST_STORAGES, protocol.group_field(group)))

    def ping(self) -> None:
        """Whether a tracker answers."""
        self._ask_tracker(protocol.ACTIVE_TEST)

    def close(self) -> None:
        self._pool.close()

    # How

    def _upload(self, command: int, source: Any, size: int | None, extension: str, group: str | None) -> FileId:
        extension_field = checked_extension(extension).encode().ljust(protocol.EXTENSION_BYTES, b"\0")
        if group is None:
            answer = self._ask_tracker(protocol.QUERY_STORE)
        else:
            answer = self._ask_tracker(protocol.QUERY_STORE_IN_GROUP, protocol.group_field(group))
        _, address, path_index = protocol.parse_store(answer)
        with _opened(source, size) as (file, length), self._pool.connection(self._reached(address)) as connection:
            body = bytes([path_index]) + protocol.number(length) + extension_field
            connection.send_request(command, body, more=length)
            try:
                crc = _send_file(connection, file, length)
            except ConnectionFailed:
                connection.read_length()  # a storage that refuses says so before it hangs up
                raise
            file_id = _parse_file_id(connection.read_body())
        if file_id.crc32 not in (None, crc):
            self.delete(file_id)
            raise DataDamaged("the storage received other bytes than were sent")
        return file_id

    def _download_once(self, file_id: FileId, offset: int, length: int | None) -> Iterator[memoryview]:
        address = self._storage_of(file_id, protocol.QUERY_FETCH)
        body = protocol.number(offset) + protocol.number(length or 0) + _file_body(file_id)
        with self._pool.connection(address) as connection:
            connection.send_request(protocol.DOWNLOAD, body)
            left = connection.read_length()
            if length is not None and left > length:
                raise ProtocolError(f"{left} bytes instead of {length}", server=address, command=protocol.DOWNLOAD)
            buffer = memoryview(bytearray(min(BUFFER_BYTES, left)))
            while left:
                view = buffer[: min(left, len(buffer))]
                connection.read_into(view)
                left -= len(view)
                yield view

    def _on_storage(self, file_id: FileId, query: int, command: int, body: bytes, *, is_delete: bool = False) -> bytes:
        """One exchange with the storage of a file; once more when the connection broke: all these may be repeated."""
        for attempt in range(2):
            try:
                address = self._storage_of(file_id, query)
                with self._pool.connection(address) as connection:
                    connection.send_request(command, body)
                    return connection.read_body()
            except ConnectionFailed:
                if attempt:
                    raise
            except FileNotInStore:
                if not (is_delete and attempt):
                    raise
                return b""  # the first attempt has done it
        raise AssertionError("unreachable")

    def _storage_of(self, file_id: FileId, query: int) -> Address:
        return self._reached(protocol.parse_fetch(self._ask_tracker(query, _file_body(file_id))))

    def _reached(self, address: Address) -> Address:
        host, port = address
        mapped = self._address_map.get(f"{host}:{port}") or self._address_map.get(host)
        return address if mapped is None else parse_address(mapped, port)

    def _ask_tracker(self, command: int, body: bytes = b"") -> bytes:
        """Ask one tracker after the other, those that failed a moment ago last.

        Raises:
            ConnectionFailed: none answered.
        """

        def ask(tracker: Address) -> bytes:
            with self._pool.connection(tracker, is_tracker=True) as connection:
                connection.send_request(command, body)
                return connection.read_body()

        failures = []
        for tracker in self._in_order():
            try:
                answer = _twice(ask, tracker)
            except ConnectionFailed as error:
                failures.append(str(error))
                with self._lock:
                    self._resting[tracker] = time.monotonic() + TRACKER_REST_SECONDS
            else:
                with self._lock:
                    self._resting.pop(tracker, None)
                return answer
        raise ConnectionFailed("no tracker answers: " + "; ".join(failures))

    def _in_order(self) -> list[Address]:
        now = time.monotonic()
        with self._lock:
            return sorted(self._trackers, key=lambda one: self._resting.get(one, 0.0) > now)


def _twice(call: Callable[[Address], Answer], address: Address) -> Answer:
    """Once more when a kept connection turned out dead: the server may have been started again meanwhile."""
    try:
        return call(address)
    except ConnectionFailed:
        return call(address)


def _file_body(file_id: FileId) -> bytes:
    return protocol.group_field(file_id.group) + file_id.name.encode()


def _parse_file_id(body: bytes) -> FileId:
    try:
        group = protocol.text_of(body[: protocol.GROUP_BYTES])
        return FileId(group, body[protocol.GROUP_BYTES :].decode("ascii", "replace"))
    except InvalidFileId as error:
        raise ProtocolError(f"the storage named a file {body[:100]!r}") from error


class _opened:
    """A path or an open file, as `(file, length)`; only what was opened here is closed."""

    def __init__(self, source: Path | BinaryIO, size: int | None) -> None:
        self._source, self._size = source, size

    def __enter__(self) -> tuple[BinaryIO, int]:
        if isinstance(self._source, Path):
            self._file: BinaryIO | None = open(self._source, "rb", buffering=0)
            return self._file, os.fstat(self._file.fileno()).st_size
        if self._size is None:
            raise ValueError("an open file needs its size")
        self._file = None
        return self._source, self._size

    def __exit__(self, *exception: Any) -> None:
        if self._file is not None:
            self._file.close()


def _send_file(connection: Connection, file: BinaryIO, length: int) -> int:
    """Send exactly `length` bytes; returns their checksum."""
    crc, left = 0, length
    buffer = memoryview(bytearray(min(BUFFER_BYTES, max(length, 1))))
    while left:
        count = file.readinto(buffer[: min(left, len(buffer))])  # type: ignore[attr-defined]
        if not count:
            raise ValueError(f"the file ended {left} bytes before its size")
        crc = zlib.crc32(buffer[:count], crc)
        connection.send(buffer[:count])
        left -= count
    return crc
