"""The request id and the studio's version on every answer."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.common import CommonMiddleware
from django.urls import Resolver404, resolve

from mlstudio.errors import error_response, refused


class Refusals:
    """Answers for a request whose body was not received (`mlstudio.handler`): it goes through all other middleware,
    so that the answer has the headers of every answer, but to no view."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        refusal = getattr(request, "refusal", None)
        if refusal is None:
            return self.get_response(request)
        return refused(refusal)


class SlashMiddleware(CommonMiddleware):
    """Addresses end with a slash. A GET without it is redirected; another request would lose its body on the way, so
    it is told the right address."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        is_api = request.path.startswith(("/api/", "/edge/"))
        if is_api and response.status_code == 404 and request.method not in ("GET", "HEAD"):
            if settings.APPEND_SLASH and not request.path.endswith("/") and self._is_address(f"{request.path_info}/"):
                detail = f"Addresses end with a slash: send this to {request.path}/."
                return error_response(404, "missing_slash", detail)
            return response
        return super().process_response(request, response)

    @staticmethod
    def _is_address(path: str) -> bool:
        try:
            resolve(path)
        except Resolver404:
            return False
        return True


class RequestIDHeader:
    """Stands right inside django-structlog's middleware, which has bound the id (the client's or a new one)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        identifier = str(structlog.contextvars.get_contextvars().get("request_id", ""))
        if identifier.isprintable() and len(identifier) <= 128:
            response["X-Request-ID"] = identifier
        return response


class VersionHeader:
    """An open page notices by it that the studio was upgraded, and offers to load itself again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response["X-Studio-Version"] = settings.VERSION
        return response
