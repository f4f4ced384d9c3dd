"""The request id on every answer, as in every log line of its work."""

from __future__ import annotations

import structlog

from mlstudio.errors import error_response


class Refusals:
    """Answers for a request whose body was not received (`mlstudio.handler`): it goes through all other middleware,
    so that the answer has the headers of every answer, but to no view."""

    def __init__(self, get_response) -> None:
        self.get_response = get_response

    def __call__(self, request):
        refusal = getattr(request, "refusal", None)
        if refusal is None:
            return self.get_response(request)
        response = error_response(refusal.status_code, refusal.get_codes(), str(refusal.detail))
        if wait := getattr(refusal, "wait", None):
            response["Retry-After"] = str(wait)
        return response


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
