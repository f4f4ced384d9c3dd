"""How the body of a request comes in: within a limit, within a time, and only where there is room for it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.conf import settings

from common.errors import StudioError
from storage.errors import FileTooLarge

Receive = Callable[[], Awaitable[Mapping[str, Any]]]

# A small body counts against the memory of all only beyond this.
FREE_BYTES = 64 << 10
# One caller may take such a part of that memory.
PARTS_OF_MEMORY = 4
# A slow sender is given so long before its pace is looked at.
PACE_AFTER_SECONDS = 30.0

# Of a body that nobody wants, so much is taken before the connection is closed, for so long, with no longer a pause.
DRAIN_BYTES = 1 << 20
DRAIN_SECONDS = 1.0
DRAIN_PAUSE_SECONDS = 0.1


class RequestTimeout(StudioError):
    status = 408
    code = "request_timeout"
    detail = "The body came too slowly and was not waited for. Send it again; large files in parts (uploads/)."


class ServerBusy(StudioError):
    status = 503
    code = "server_busy"
    detail = "Too many large requests are being received at this moment. Try again in a few seconds."
    wait = 5


class TooManyUploads(StudioError):
    status = 429
    code = "too_many_uploads"
    detail = "Too many of your uploads are being received at once: let some of them end first."
    wait = 5


class SenderGone(Exception):
    """The client closed the connection."""


class Body:
    """What the headers say of a body, and its bytes as they come.

    Raises, while it is read: FileTooLarge, RequestTimeout, SenderGone.
    """

    def __init__(self, scope: dict[str, Any], receive: Receive) -> None:
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"")
        self.media_type = headers.get(b"content-type", b"").split(b";")[0].strip().lower().decode("latin-1")
        self.is_chunked = b"transfer-encoding" in headers
        self.announced = int(length[:20]) if length.isdigit() else 0
        self.exists = self.is_chunked or self.announced > 0
        self.received = 0
        self.is_read = not self.exists
        self._receive = receive

    def check_announced(self, limit: int) -> None:
        """Raises `FileTooLarge`."""
        if self.announced > limit:
            raise FileTooLarge(f"The request has {self.announced:,} bytes; at most {limit:,} are accepted.")

    async def chunks(self, limit: int) -> AsyncIterator[bytes]:
        self.check_announced(limit)
        began = asyncio.get_running_loop().time()
        more = True
        while more:
            message = await self._next()
            chunk, more = message.get("body", b""), message.get("more_body", False)
            self.received += len(chunk)
            if self.received > limit:
                raise FileTooLarge(f"The request has more than {limit:,} bytes.")
            self._check_pace(asyncio.get_running_loop().time() - began, more)
            if chunk:
                yield chunk
        self.is_read = True

    async def _next(self) -> Mapping[str, Any]:
        if not self.exists:
            message = await self._receive()
        else:
            try:
                async with asyncio.timeout(settings.BODY_IDLE_SECONDS):
                    message = await self._receive()
            except TimeoutError as error:
                raise RequestTimeout() from error
        if message["type"] == "http.disconnect":
            raise SenderGone
        return message

    def _check_pace(self, seconds: float, more: bool) -> None:
        if more and seconds > PACE_AFTER_SECONDS and self.received / seconds < settings.BODY_MIN_BYTES_PER_SECOND:
            raise RequestTimeout()

    async def drain(self) -> None:
        """Take some of what is on its way already, so that the client reads the answer before it sees the end."""
        left, until = DRAIN_BYTES, asyncio.get_running_loop().time() + DRAIN_SECONDS
        try:
            while left > 0 and asyncio.get_running_loop().time() < until:
                async with asyncio.timeout(DRAIN_PAUSE_SECONDS):
                    message = await self._receive()
                left -= len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
        except TimeoutError:
            return


class TooManyBodies(StudioError):
    status = 429
    code = "too_many_large_requests"
    detail = "Too many of your large requests are being received at once: let some of them end first."
    wait = 2


class Memory:
    """What all small bodies of a process may take together while they are received and worked on, and how much of it
    one caller: a user, or the address of somebody who is not known."""

    def __init__(self) -> None:
        self._taken = 0
        self._by_caller: Counter[str] = Counter()

    @contextmanager
    def share(self) -> Iterator[Share]:
        share = Share(self)
        try:
            yield share
        finally:
            self._give_back(share)

    def take(self, share: Share, size_bytes: int) -> None:
        """Raises `ServerBusy`, `TooManyBodies`. One body alone is never too much for its caller."""
        if self._taken + size_bytes > settings.BODY_MEMORY_BYTES:
            raise ServerBusy()
        theirs = self._by_caller[share.caller]
        most = settings.BODY_MEMORY_BYTES // PARTS_OF_MEMORY
        if theirs > share.taken and theirs + size_bytes > most:
            raise TooManyBodies()
        self._taken += size_bytes
        self._by_caller[share.caller] += size_bytes
        share.taken += size_bytes

    def _give_back(self, share: Share) -> None:
        self._taken -= share.taken
        self._by_caller[share.caller] -= share.taken
        if self._by_caller[share.caller] <= 0:
            del self._by_caller[share.caller]


class Share:
    """What one body takes.

    Attributes:
        caller: whose it is; "" until somebody asks, for bodies that are so small that they count for nobody.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory, self.taken, self.caller = memory, 0, ""

    def grow(self, size_bytes: int) -> None:
        """Raises `ServerBusy`, `TooManyBodies`."""
        more = max(0, size_bytes - FREE_BYTES) - self.taken
        if more > 0:
            self._memory.take(self, more)


class Turns:
    """How many bodies with files each caller sends at once, in this process."""

    def __init__(self) -> None:
        self._running: Counter[str] = Counter()

    @contextmanager
    def turn(self, caller: str) -> Iterator[None]:
        """Raises `TooManyUploads`."""
        if self._running[caller] >= settings.UPLOADS_AT_ONCE:
            raise TooManyUploads()
        self._running[caller] += 1
        try:
            yield
        finally:
            self._running[caller] -= 1
            if not self._running[caller]:
                del self._running[caller]
