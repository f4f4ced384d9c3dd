"""The request id on every answer, as in every log line of its work."""

from __future__ import annotations

import structlog


class RequestIDHeader:
    """Stands right inside django-structlog's middleware, which has bound the id (the client's or a new one)."""

    def __init__(self, get_response) -> None:
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        identifier = str(structlog.contextvars.get_contextvars().get("request_id", ""))
        if identifier.isprintable() and len(identifier) <= 128:
            response["X-Request-ID"] = identifier
        return response
