"""Connections of a web process: as many as it has room for, none that is held for nothing.

uvicorn waits without end for the first request of a connection and for the rest of its headers, and opens connections
until the process has no file descriptors left. Here both have a time, and where a limit is reached the connection that
has been idle longest makes room: a new one is refused only when all others are being answered.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict

from django.conf import settings
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Descriptors for the database, files, the broker and libraries, and one file for each connection.
OWN_DESCRIPTORS = 200
BACKLOG = 256
# Headers of a request together; more is let through only where it comes in one piece with their end.
MAX_HEADER_BYTES = 64 << 10
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
REFUSED = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


def most_connections(file_limit: int) -> int:
    """As configured, or as many as leave each a file of its own."""
    return max(16, min(settings.MAX_CONNECTIONS, (file_limit - OWN_DESCRIPTORS - BACKLOG // 4) // 2))


class Connections:
    """The open connections of this process, those that wait for a request in the order of their waiting."""

    def __init__(self, most: int, most_of_an_address: int) -> None:
        self.most, self.most_of_an_address = most, most_of_an_address
        self.count = 0
        self._of_address: Counter[str] = Counter()
        self._idle: OrderedDict[StudioProtocol, str] = OrderedDict()

    def enter(self, connection: StudioProtocol, address: str) -> bool:
        """Whether there is room for a new connection, when need be in place of an idle one."""
        self.count += 1
        self._of_address[address] += 1
        self._idle[connection] = address
        if self.most_of_an_address and self._of_address[address] > self.most_of_an_address:
            return self._close_oldest(connection, address)
        return self.count <= self.most or self._close_oldest(connection)

    def leave(self, connection: StudioProtocol, address: str) -> None:
        self.count -= 1
        self._of_address[address] -= 1
        if not self._of_address[address]:
            del self._of_address[address]
        self._idle.pop(connection, None)

    def begin(self, connection: StudioProtocol) -> None:
        """It has sent the headers of a request."""
        self._idle.pop(connection, None)

    def end(self, connection: StudioProtocol, address: str) -> None:
        """Its request was answered."""
        self._idle[connection] = address

    def _close_oldest(self, new: StudioProtocol, address: str | None = None) -> bool:
        for idle, its_address in self._idle.items():
            if idle is not new and address in (None, its_address):
                del self._idle[idle]
                idle.transport.abort()
                return True
        return False


class StudioProtocol(HttpToolsProtocol):
    """A connection that is closed when its headers do not come in time."""

    house: Connections

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._headers_due: asyncio.TimerHandle | None = None
        self._header_bytes = 0
        self._address = self.client[0] if self.client else ""
        if not self.house.enter(self, self._address):
            transport.write(REFUSED)
            transport.close()
            return
        self._expect_headers()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._headers_due is None:
            self._header_bytes = 0
            return
        self._header_bytes += len(data)
        if self._header_bytes > MAX_HEADER_BYTES and not self.transport.is_closing():
            self.transport.write(TOO_LARGE)
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._headers_came()
        self.house.leave(self, self._address)
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._headers_due is None:
            self._expect_headers()

    def on_headers_complete(self) -> None:
        self._headers_came()
        self.house.begin(self)
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing() and (self.cycle is None or self.cycle.response_complete):
            self.house.end(self, self._address)

    def _expect_headers(self) -> None:
        self._headers_due = self.loop.call_later(settings.HEADER_SECONDS, self._end)

    def _headers_came(self) -> None:
        if self._headers_due is not None:
            self._headers_due.cancel()
            self._headers_due = None

    def _end(self) -> None:
        self._headers_due = None
        if not self.transport.is_closing():
            self.transport.close()


def protocol_for(file_limit: int) -> type[StudioProtocol]:
    """The protocol of one process, with its limits."""
    connections = Connections(most_connections(file_limit), settings.CONNECTIONS_PER_ADDRESS)
    return type("LimitedProtocol", (StudioProtocol,), {"house": connections})
