from __future__ import annotations

import base64
import contextlib
import errno
import itertools
import os
import random
import socket
import socketserver
import struct
import threading
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path

HEADER = struct.Struct(">QBB")
APPENDER_FLAG, PADDED_FLAG = 1 << 58, 1 << 63
CHUNK = 64 << 10


@dataclass
class Faults:
    """Each is off until set, and stays until unset; `times` limits how often `drop_after` strikes.

    Attributes:
        drop_after: hang up after this many bytes of the storage's answer.
        drop_upload_after: hang up after this many bytes of a request to the storage.
        longer_by: bytes that the storage's answers claim to have more (or fewer) than they have.
        delay: seconds before every answer.
        no_space: uploads are refused, before their bytes are read.
        dead_storage: the tracker names a storage that does not listen.
        corrupt: downloads have one wrong byte.
        split_headers: answers come in two packets, cut within the header.
        ipv6: addresses have 46 bytes.
        garbage: answers are no answers.
        status: what every storage command is refused with.
    """

    drop_after: int | None = None
    times: int | None = None
    drop_upload_after: int | None = None
    longer_by: int = 0
    delay: float = 0.0
    no_space: bool = False
    dead_storage: bool = False
    corrupt: bool = False
    split_headers: bool = False
    ipv6: bool = False
    garbage: bool = False
    status: int = 0

    def reset(self) -> None:
        self.__init__()  # type: ignore[misc]


class HungUp(Exception):
    pass


class _Handler(socketserver.BaseRequestHandler):
    """Reads requests until the other side hangs up; subclasses answer them."""

    server: _Server

    def handle(self) -> None:
        self.server.sockets.add(self.request)
        try:
            while True:
                length, command, _ = HEADER.unpack(self.read(HEADER.size))
                self.server.commands.append(command)
                if self.faults.delay:
                    time.sleep(self.faults.delay)
                self.answer(command, length)
        except (HungUp, OSError):
            pass
        finally:
            self.server.sockets.discard(self.request)

    @property
    def faults(self) -> Faults:
        return self.server.house.faults

    def read(self, count: int) -> bytes:
        content = b""
        while len(content) < count:
            piece = self.request.recv(min(count - len(content), 1 << 20))
            if not piece:
                raise HungUp
            content += piece
        return content

    def reply(self, body: bytes = b"", status: int = 0) -> None:
        self.request.sendall(HEADER.pack(len(body), 100, status) + body)

    def answer(self, command: int, length: int) -> None:
        raise NotImplementedError


class _Tracker(_Handler):
    def answer(self, command: int, length: int) -> None:
        body, house = self.read(length), self.server.house
        if command == 111:
            return self.reply()
        if command == 91:
            numbers = (1000, 500, 10, 0, 1, house.storage_address[1], 1, 1, 0, 1, 8, 0)
            return self.reply(b"group1".ljust(17, b"\0") + struct.pack(">12Q", *numbers))
        if command == 92:
            numbers = (1, 1, 1000, 500, 10, 10, 1, 8, 0, house.storage_address[1])
            record = b"\x07\x06" + b"127.0.0.1".ljust(16, b"\0") * 2 + bytes(16) + b"6.16.1".ljust(8, b"\0")
            return self.reply((record + struct.pack(">10Q", *numbers)).ljust(487, b"\0"))
        if command in (102, 103, 104) and body[:16].rstrip(b"\0") != b"group1":
            return self.reply(status=errno.ENOENT)
        host, port = ("127.0.0.1", 1) if self.faults.dead_storage else house.announced
        address = host.encode().ljust(46 if self.faults.ipv6 else 15, b"\0")
        target = b"group1".ljust(16, b"\0") + address + struct.pack(">Q", port)
        return self.reply(target + b"\0" if command in (101, 104) else target)


class _Storage(_Handler):
    def handle(self) -> None:
        super().handle()

    def read(self, count: int) -> bytes:
        limit = self.faults.drop_upload_after
        if limit is not None:
            self._seen = getattr(self, "_seen", 0) + count
            if self._seen > limit:
                raise HungUp
        return super().read(count)

    def send_limited(self, content: bytes) -> None:
        """What of the answer gets through before the line is cut."""
        limit = self.faults.drop_after
        if limit is None or self.faults.times == 0:
            self.request.sendall(content)
            return
        left = limit - getattr(self, "_sent", 0)
        self._sent = getattr(self, "_sent", 0) + len(content)
        if len(content) <= left:
            self.request.sendall(content)
            return
        self.request.sendall(content[: max(0, left)])
        if self.faults.times is not None:
            self.faults.times -= 1
        raise HungUp

    def reply(self, body: bytes = b"", status: int = 0, length: int | None = None) -> None:
        self._sent = 0
        if self.faults.garbage:
            self.request.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            raise HungUp
        head = HEADER.pack((len(body) if length is None else length) + self.faults.longer_by, 100, status)
        if self.faults.split_headers:
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.request.sendall(head[:4])
            time.sleep(0.02)
            head = head[4:]
        self.send_limited(head)
        self.send_limited(body)
        if status == errno.EINVAL:
            raise HungUp  # as the real one does

    def answer(self, command: int, length: int) -> None:
        if self.faults.status:
            self.read(length)
            return self.reply(status=self.faults.status)
        handlers = {
            11: self.upload,
            23: self.upload,
            24: self.append,
            14: self.download,
            12: self.delete,
            22: self.info,
            13: self.set_metadata,
            15: self.get_metadata,
        }
        if command not in handlers:
            self.read(length)
            return self.reply(status=errno.EINVAL)
        handlers[command](command, length)

    def path_of(self, name: bytes) -> Path:
        return self.server.house.root / name.decode().replace("/", "_")

    def upload(self, command: int, length: int) -> None:
        if self.faults.no_space:
            self.reply(status=errno.ENOSPC)
            raise HungUp
        _, size, extension = struct.unpack(">BQ6s", self.read(15))
        temporary = self.server.house.root / f".{next(self.server.house.counter)}"
        crc = 0
        try:
            with open(temporary, "wb") as file:
                while size:
                    piece = self.read(min(size, CHUNK))
                    crc = zlib.crc32(piece, crc)
                    file.write(piece)
                    size -= len(piece)
        except BaseException:
            temporary.unlink()
            raise
        name = make_name(temporary.stat().st_size, crc, extension.rstrip(b"\0"), is_appender=command == 23)
        temporary.rename(self.path_of(name))
        self.reply(b"group1".ljust(16, b"\0") + name)

    def append(self, command: int, length: int) -> None:
        name_length, size = struct.unpack(">QQ", self.read(16))
        name = self.read(name_length)
        with open(self.path_of(name), "ab") as file:
            file.write(self.read(size))
        self.reply()

    def download(self, command: int, length: int) -> None:
        offset, count = struct.unpack(">QQ", self.read(16))
        path = self.path_of(self.read(length - 16)[16:])
        if not path.exists():
            return self.reply(status=errno.ENOENT)
        size = path.stat().st_size
        if offset >= size:
            return self.reply(status=errno.EINVAL)
        left = min(count or size, size - offset)
        self.reply(length=left)
        with open(path, "rb") as file:
            file.seek(offset)
            while left:
                piece = file.read(min(left, CHUNK))
                left -= len(piece)
                if self.faults.corrupt:
                    piece = bytes([piece[0] ^ 1]) + piece[1:]
                self.send_limited(piece)

    def _known(self, length: int) -> Path | None:
        path = self.path_of(self.read(length)[16:])
        if path.exists():
            return path
        self.reply(status=errno.ENOENT)
        return None

    def delete(self, command: int, length: int) -> None:
        if (path := self._known(length)) is not None:
            path.unlink()
            self.reply()

    def info(self, command: int, length: int) -> None:
        if (path := self._known(length)) is not None:
            content = path.read_bytes()
            address = b"127.0.0.2".ljust(46 if self.faults.ipv6 else 16, b"\0")
            self.reply(struct.pack(">QQQ", len(content), int(path.stat().st_mtime), zlib.crc32(content)) + address)

    def set_metadata(self, command: int, length: int) -> None:
        name_length, size, flag, _ = struct.unpack(">QQc16s", self.read(33))
        name, content = self.read(name_length), self.read(size)
        known = self.server.house.metadata
        records = dict(one.split(b"\x02", 1) for one in content.split(b"\x01") if one)
        known[name] = {**known.get(name, {}), **records} if flag == b"M" else records
        self.reply()

    def get_metadata(self, command: int, length: int) -> None:
        name = self.read(length)[16:]
        records = self.server.house.metadata.get(name)
        if not records:
            return self.reply(status=errno.ENOENT)
        self.reply(b"\x01".join(b"\x02".join(pair) for pair in records.items()))


def make_name(size: int, crc: int, extension: bytes, *, is_appender: bool) -> bytes:
    """As a storage makes it: address, time, size with random bits, checksum, padded extension."""
    flags = APPENDER_FLAG if is_appender else PADDED_FLAG | random.getrandbits(22) << 32
    code = base64.b64encode(
        socket.inet_aton("127.0.0.2") + struct.pack(">IQI", int(time.time()), flags | size, 0 if is_appender else crc),
        altchars=b"-_",
    ).rstrip(b"=")
    dotted = b"." + extension if extension else b""
    digits = b"%0*d" % (7 - len(dotted), random.randrange(10 ** (7 - len(dotted)))) if len(dotted) < 7 else b""
    return b"M00/%02X/%02X/" % (random.randrange(8), random.randrange(8)) + code + digits + dotted


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, address, handler, house: FakeFastDFS) -> None:
        self.house = house
        self.sockets: set = set()
        self.commands: list[int] = []
        super().__init__(address, handler)


@dataclass
class FakeFastDFS:
    """One tracker and one storage on ports of 127.0.0.1.

    Attributes:
        announced: the storage's address as the tracker names it.
    """

    root: Path
    faults: Faults = field(default_factory=Faults)
    metadata: dict = field(default_factory=dict)

    def start(self) -> FakeFastDFS:
        self.root.mkdir(parents=True, exist_ok=True)
        self.counter = itertools.count()
        self.storage = _Server(("127.0.0.1", 0), _Storage, self)
        self.storage_address = self.announced = self.storage.server_address
        self.start_tracker(0)
        threading.Thread(target=self.storage.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def start_tracker(self, port: int) -> None:
        self.tracker = _Server(("127.0.0.1", port), _Tracker, self)
        threading.Thread(target=self.tracker.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def trackers(self) -> list[str]:
        return [f"127.0.0.1:{self.tracker.server_address[1]}"]

    def restart_tracker(self) -> None:
        """Every connection to it dies."""
        port = self.tracker.server_address[1]
        _stop(self.tracker)
        self.start_tracker(port)

    def start_storage(self) -> None:
        """After `stop_storage`, where it was."""
        self.storage = _Server(self.storage_address, _Storage, self)
        threading.Thread(target=self.storage.serve_forever, args=(0.05,), daemon=True).start()

    def stop_storage(self) -> None:
        _stop(self.storage)

    def storage_path(self, file_id: str) -> Path:
        """Where the content of a file lies."""
        return self.root / file_id.partition("/")[2].replace("/", "_")

    def files(self) -> list[Path]:
        return [path for path in self.root.iterdir() if not path.name.startswith(".")]

    def stop(self) -> None:
        for server in (self.tracker, self.storage):
            _stop(server)


def _stop(server: _Server) -> None:
    server.shutdown()
    server.server_close()
    for one in list(server.sockets):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def main() -> None:
    """Run alone: `python -m tests.fastdfs_server.server FOLDER` prints the tracker's address."""
    import sys

    house = FakeFastDFS(Path(sys.argv[1])).start()
    sys.stdout.write(f"{house.trackers[0]}\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
