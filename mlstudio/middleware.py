"""The request id on every answer, as in every log line of its work."""

from __future__ import annotations

import structlog
from asgiref.sync import iscoroutinefunction, markcoroutinefunction


class RequestIDHeader:
    """Stands right inside django-structlog's middleware, which has bound the id (the client's or a new one)."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request):
        if iscoroutinefunction(self):
            return self._call_async(request)
        return _with_id(self.get_response(request))

    async def _call_async(self, request):
        return _with_id(await self.get_response(request))


def _with_id(response):
    identifier = str(structlog.contextvars.get_contextvars().get("request_id", ""))
    if identifier.isprintable() and len(identifier) <= 128:
        response["X-Request-ID"] = identifier
    return response
