"""How a request gets from the event loop to Django's synchronous code: once, into a thread that stays.

Django's own ASGI handler changes between the loop and threads at every change from synchronous to asynchronous
middleware, and gives each request a new thread and with it a new database connection. Together that cost more than
most requests themselves (docs/decisions/0010-one-thread-a-request.md). Bodies are received before a thread is taken:
small ones in memory, files where they belong (docs/decisions/0031-bodies-are-received-once.md).
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler, ASGIRequest, get_script_prefix
from django.core.signals import request_started
from django.db import close_old_connections
from django.http import HttpResponseBase
from django.urls import set_script_prefix
from django.utils.http import parse_header_parameters
from rest_framework.exceptions import APIException

from common.errors import StudioError
from mlstudio.bodies import FREE_BYTES, Body, Memory, Receive, SenderGone, Share, Turns
from mlstudio.doors import FileEndpoint, address_of, file_endpoint, identify, view_of
from mlstudio.errors import answer_to
from projects.parsers import TEXT_CHARSETS
from storage.receiving import BodyReceiver
from storage.room import Room
from storage.services import ensure_free_space, reserve_room

Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Result = TypeVar("Result")

log = structlog.get_logger(__name__)

JSON_LIMIT_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
# Names, passwords and codes are short; megabytes of nested JSON take a second to parse.
STRANGER_LIMIT_BYTES = 256 << 10
OPEN_PATHS = ("/api/v1/auth/", "/admin/login/")
# Pieces of a file are given to a thread in such lots: a change of threads costs as much as hashing 50 kB.
WRITE_BYTES = 256 << 10
LOOK_EVERY_BYTES = 8 << 20
WRITERS = 4


@dataclass
class Delivery:
    """What a view gets of a body: small content, or who received the files; or why it was not received."""

    content: bytes = b""
    receiver: BodyReceiver | None = None
    refusal: APIException | StudioError | None = None
    headers: list = field(default_factory=list)


class PooledHandler(ASGIHandler):
    """Middleware and view run synchronously in one thread of a pool; the loop receives bodies and sends answers."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(settings.WEB_THREADS, thread_name_prefix="request")
        self._writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="body")
        self._memory, self._turns = Memory(), Turns()
        super().__init__()

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"The studio speaks HTTP only, not {scope['type']}.")
        await self.handle(scope, receive, send)

    async def handle(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        scope = _with_sound_type(scope)
        body = Body(scope, receive)
        endpoint = file_endpoint(scope, body.media_type) if body.exists else None
        try:
            if endpoint is None:
                with self._memory.share() as share:
                    delivery = await self._receive_small(scope, body, share)
                    await self._answer(scope, body, delivery, receive, send)
            else:
                await self._answer_files(scope, body, endpoint, receive, send)
        except SenderGone:
            return

    async def _receive_small(self, scope: dict[str, Any], body: Body, share: Share) -> Delivery:
        content = bytearray()
        try:
            async for chunk in body.chunks(_small_limit(scope)):
                content += chunk
                if len(content) > FREE_BYTES and not share.caller:
                    share.caller = await self._in_a_thread(self._caller_of, scope)
                share.grow(len(content))
        except (APIException, StudioError) as refusal:
            return Delivery(refusal=refusal)
        return Delivery(bytes(content))

    def _caller_of(self, scope: dict[str, Any]) -> str:
        """A name for who sends: the user, wherever they are; the address of somebody whom the view does not know."""
        request_started.send(sender=type(self), scope=scope)
        request, _ = self.create_request(scope, BytesIO())
        view = view_of(scope)
        caller = identify(request, view) if request is not None and view is not None else None
        if caller is not None:
            return caller.name
        return f"address:{'' if request is None else address_of(request)}"

    async def _answer_files(
        self, scope: dict[str, Any], body: Body, endpoint: FileEndpoint, receive: Receive, send: Send
    ) -> None:
        """Receive files where they belong, from callers who are known; others get their answer at once."""
        receiver = None
        try:
            try:
                caller, receiver = await self._in_a_thread(self._open, scope, endpoint)
                if receiver is not None:
                    with self._turns.turn(caller):
                        await self._receive_files(body, endpoint, receiver)
                delivery = Delivery(receiver=receiver)
            except SenderGone:
                raise
            except (APIException, StudioError) as refusal:
                delivery = Delivery(refusal=refusal)
            except Exception as error:  # there is no view yet that would answer
                delivery = Delivery(refusal=answer_to(error))
            await self._answer(scope, body, delivery, receive, send)
        finally:
            if receiver is not None:
                await self._write(receiver.close)

    def _open(self, scope: dict[str, Any], endpoint: FileEndpoint) -> tuple[str, BodyReceiver | None]:
        """Who sends, and who takes the body; nobody when the view refuses the request without it."""
        request_started.send(sender=type(self), scope=scope)
        request, _ = self.create_request(scope, BytesIO())
        caller = None if request is None else identify(request, endpoint.view)
        if request is None or caller is None:
            return "", None
        return caller.name, endpoint.body.open(request, caller.user, endpoint.keywords)

    async def _receive_files(self, body: Body, endpoint: FileEndpoint, receiver: BodyReceiver) -> None:
        room: Room | None = None
        is_whole = False
        try:
            body.check_announced(endpoint.body.limit_bytes)
            room = await self._write(reserve_room, body.announced)
            await self._write_all(body, endpoint.body.limit_bytes, receiver, room)
            is_whole = True
        finally:
            if room is not None:
                await self._write(room.release)
            if not is_whole:
                await self._in_a_thread(_interrupt, receiver)

    async def _write_all(self, body: Body, limit: int, receiver: BodyReceiver, room: Room) -> None:
        lot, looked_at = bytearray(), 0
        try:
            async for chunk in body.chunks(limit):
                lot += chunk
                if len(lot) < WRITE_BYTES:
                    continue
                ready, lot = bytes(lot), bytearray()
                await self._write(receiver.write, ready)
                if body.received - looked_at >= LOOK_EVERY_BYTES:
                    looked_at = body.received
                    await self._write(_look_at_room, room, body.received)
        finally:
            if lot:  # also of a body that broke off: some receivers keep what came
                await self._write(receiver.write, bytes(lot))

    async def _answer(
        self, scope: dict[str, Any], body: Body, delivery: Delivery, receive: Receive, send: Send
    ) -> None:
        response = await self._in_a_thread(self._respond, scope, body, delivery)
        if not body.is_read:
            response["Connection"] = "close"
            send = _lingering(send, body)
        if not response.streaming:
            await self.send_response(response, send)
            return
        try:
            await self._stream(response, receive, send)
        finally:
            await self._in_a_thread(response.close)

    async def _in_a_thread(self, call: Callable[..., Result], *arguments: Any) -> Result:
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._threads, context.run, call, *arguments)

    async def _write(self, call: Callable[..., Result], *arguments: Any) -> Result:
        """Work on the disk has threads of its own: a slow disk does not keep others from being answered."""
        return await asyncio.get_running_loop().run_in_executor(self._writers, _written, call, *arguments)

    def _respond(self, scope: dict[str, Any], body: Body, delivery: Delivery) -> HttpResponseBase:
        set_script_prefix(get_script_prefix(scope))
        request_started.send(sender=type(self), scope=scope)
        request, response = self.create_request(scope, BytesIO(delivery.content))
        if request is not None:
            self._deliver(request, body, delivery)
            response = self.get_response(request)
        assert response is not None
        response._handler_class = type(self)  # type: ignore[attr-defined]
        if not response.streaming:
            response.close()  # its content stays; what the request held is let go
        return response

    @staticmethod
    def _deliver(request: ASGIRequest, body: Body, delivery: Delivery) -> None:
        if body.is_chunked:
            # Parsers go by the length; a body without one would be read as an empty one.
            request.META["CONTENT_LENGTH"] = str(len(delivery.content))
        request.refusal = delivery.refusal  # type: ignore[attr-defined]
        if delivery.receiver is not None:
            try:
                delivery.receiver.attach(request)
            except (APIException, StudioError) as refusal:
                request.refusal = refusal  # type: ignore[attr-defined]

    async def _stream(self, response: HttpResponseBase, receive: Receive, send: Send) -> None:
        """Send until the end, or until the client has gone."""
        sending = asyncio.create_task(self.send_response(response, send))
        leaving = asyncio.create_task(self.listen_for_disconnect(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sending.cancel()
            leaving.cancel()
            sent, _ = await asyncio.gather(sending, leaving, return_exceptions=True)
        if isinstance(sent, Exception):
            raise sent


def _interrupt(receiver: BodyReceiver) -> None:
    """Why the body broke off matters more than what cannot be kept of it."""
    try:
        receiver.interrupt()
    except Exception:
        log.exception("body_not_kept")


def _with_sound_type(scope: dict[str, Any]) -> dict[str, Any]:
    """The request, without a Content-Type that Django cannot take apart, or whose charset is no text's: such a body is
    of no type that any view takes."""
    headers = dict(scope["headers"])
    try:
        _, options = parse_header_parameters(headers.get(b"content-type", b"").decode("latin-1"))
        is_sound = options.get("charset", "utf-8").lower() in TEXT_CHARSETS
    except (LookupError, ValueError):
        is_sound = False
    if is_sound:
        return scope
    others = [header for header in scope["headers"] if header[0] != b"content-type"]
    return {**scope, "headers": [*others, (b"content-type", b"application/x-unsupported")]}


def _small_limit(scope: dict[str, Any]) -> int:
    """Bytes of a body without files. Views that anyone may call parse it before they know who calls."""
    names = {name for name, _ in scope["headers"]}
    is_strange = scope["path"].startswith(OPEN_PATHS) or not names & {b"authorization", b"cookie"}
    return STRANGER_LIMIT_BYTES if is_strange else JSON_LIMIT_BYTES


def _written(call: Callable[..., Result], *arguments: Any) -> Result:
    close_old_connections()  # as at the beginning of a request; a part in parts writes its row from here
    return call(*arguments)


def _look_at_room(room: Room, received: int) -> None:
    room.shrink(received)
    ensure_free_space(0)


def _lingering(send: Send, body: Body) -> Send:
    """Sends the whole answer, then takes a little more of the body, then ends."""

    async def send_slowly(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            await send({**message, "more_body": True})
            await body.drain()
            message = {"type": "http.response.body", "body": b""}
        await send(message)

    return send_slowly
