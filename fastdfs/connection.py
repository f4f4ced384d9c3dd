"""Connections: exact reads, timeouts, and a pool that threads share and forks do not."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .errors import Address, ConnectionFailed, ProtocolError, refusal
from .protocol import HEADER, RESPONSE, header

MAX_SMALL_BODY = 16 << 20
IDLE_SECONDS = 60.0


class Connection:
    """One connection to a tracker or a storage; used by one thread at a time.

    Raises:
        ConnectionFailed: from every method, when the server is away, hangs up, or is silent for `timeout` seconds.
    """

    def __init__(self, address: Address, *, connect_timeout: float, timeout: float, is_tracker: bool) -> None:
        self.address = address
        self.is_tracker = is_tracker
        self.used = time.monotonic()
        self.command = 0
        try:
            self._socket = socket.create_connection(address, timeout=connect_timeout)
        except OSError as error:
            raise ConnectionFailed(f"cannot connect: {error}", server=address, command=0) from error
        self._socket.settimeout(timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def is_alive(self) -> bool:
        """Whether the server has neither hung up nor said something unasked since the last use."""
        if time.monotonic() - self.used > IDLE_SECONDS:
            return False
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def send_request(self, command: int, body: bytes = b"", more: int = 0) -> None:
        """Header and body; `more` bytes of the body follow by `send`."""
        self.command = command
        self.send(header(len(body) + more, command) + body)

    def send(self, content: bytes | memoryview) -> None:
        try:
            self._socket.sendall(content)
        except OSError as error:
            raise self._failed("the connection broke while sending", error) from error

    def read_length(self) -> int:
        """The length of the body that an answer has.

        Raises:
            RequestRefused: the server says no; its body is read away.
            ProtocolError: it is no answer.
        """
        length, command, status = HEADER.unpack(self.read(HEADER.size))
        if command != RESPONSE:
            raise ProtocolError(f"command {command} instead of an answer", server=self.address, command=self.command)
        if status:
            if 0 < length <= MAX_SMALL_BODY:
                self.read(length)
            raise refusal(status, server=self.address, command=self.command, is_tracker=self.is_tracker)
        return length

    def read_body(self) -> bytes:
        """The whole body of an answer that is small by its nature."""
        length = self.read_length()
        if length > MAX_SMALL_BODY:
            raise ProtocolError(f"an answer of {length} bytes", server=self.address, command=self.command)
        return self.read(length)

    def read(self, count: int) -> bytes:
        buffer = bytearray(count)
        self.read_into(memoryview(buffer))
        return bytes(buffer)

    def read_into(self, view: memoryview) -> None:
        """Exactly as many bytes as the view has."""
        while len(view):
            try:
                received = self._socket.recv_into(view)
            except OSError as error:
                raise self._failed("the connection broke while reading", error) from error
            if not received:
                raise ConnectionFailed("the server hung up", server=self.address, command=self.command)
            view = view[received:]

    def close(self) -> None:
        self._socket.close()

    def _failed(self, what: str, error: OSError) -> ConnectionFailed:
        reason = "no answer in time" if isinstance(error, TimeoutError) else str(error)
        return ConnectionFailed(f"{what}: {reason}", server=self.address, command=self.command)


class Pool:
    """Idle connections by address. Safe between threads; a forked child begins with an empty one.

    Args:
        max_idle: connections kept for each address.
    """

    def __init__(self, *, connect_timeout: float, timeout: float, max_idle: int = 8) -> None:
        self._options = {"connect_timeout": connect_timeout, "timeout": timeout}
        self._max_idle = max_idle
        self._lock = threading.Lock()
        self._idle: dict[Address, list[Connection]] = {}
        self._process = os.getpid()

    @contextmanager
    def connection(self, address: Address, *, is_tracker: bool = False) -> Iterator[Connection]:
        """A connection for one exchange. It is kept when the exchange ended well, and dropped otherwise."""
        connection = self._take(address) or Connection(address, is_tracker=is_tracker, **self._options)
        try:
            yield connection
        except BaseException:
            # Whatever went wrong, nobody knows what the server will say next on this line.
            connection.close()
            raise
        connection.used = time.monotonic()
        self._give_back(connection)

    def _take(self, address: Address) -> Connection | None:
        with self._lock:
            self._leave_parent()
            while idle := self._idle.get(address):
                connection = idle.pop()
                if connection.is_alive():
                    return connection
                connection.close()
        return None

    def _give_back(self, connection: Connection) -> None:
        with self._lock:
            self._leave_parent()
            idle = self._idle.setdefault(connection.address, [])
            if len(idle) < self._max_idle:
                idle.append(connection)
                return
        connection.close()

    def _leave_parent(self) -> None:
        """After a fork the sockets are the parent's: two processes on one line would read each other's answers."""
        if os.getpid() != self._process:
            self._process = os.getpid()
            for connections in self._idle.values():
                for connection in connections:
                    connection.close()
            self._idle = {}

    def close(self) -> None:
        with self._lock:
            for connections in self._idle.values():
                for connection in connections:
                    connection.close()
            self._idle = {}
