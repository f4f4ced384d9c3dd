"""How a request gets from the event loop to Django's synchronous code: once, into a thread that stays.

Django's own ASGI handler changes between the loop and threads at every change from synchronous to asynchronous
middleware, and gives each request a new thread and with it a new database connection. Together that cost more than
most requests themselves (docs/decisions/0010-one-thread-a-request.md).
"""

from __future__ import annotations

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.signals import request_started
from django.http import HttpResponseBase
from django.urls import set_script_prefix


class PooledHandler(ASGIHandler):
    """Middleware and view run synchronously in one thread of a pool; the loop receives bodies and sends answers."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(settings.WEB_THREADS, thread_name_prefix="request")
        super().__init__()

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"The studio speaks HTTP only, not {scope['type']}.")
        await self.handle(scope, receive, send)

    async def handle(self, scope, receive, send) -> None:
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        try:
            response = await self._in_a_thread(self._respond, scope, body)
            if not response.streaming:
                await self.send_response(response, send)
                return
            try:
                await self._stream(response, receive, send)
            finally:
                await self._in_a_thread(response.close)
        finally:
            body.close()

    async def _in_a_thread(self, call, *arguments):
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._threads, context.run, call, *arguments)

    def _respond(self, scope, body) -> HttpResponseBase:
        set_script_prefix(get_script_prefix(scope))
        request_started.send(sender=type(self), scope=scope)
        request, response = self.create_request(scope, body)
        if request is not None:
            response = self.get_response(request)
        response._handler_class = type(self)
        if not response.streaming:
            response.close()  # its content stays; what the request held is let go
        return response

    async def _stream(self, response: HttpResponseBase, receive, send) -> None:
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
