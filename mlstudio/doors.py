"""Which paths take files, and who asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, QueryDict
from django.urls import ResolverMatch, resolve
from django.utils.functional import SimpleLazyObject
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from common.errors import StudioError
from storage.receiving import ANY, FileBody

READING = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class FileEndpoint:
    """A view that takes a body with files."""

    view: type[APIView]
    body: FileBody
    keywords: Mapping[str, Any]


@dataclass(frozen=True)
class Caller:
    """Who asks: a user, or a device whose user is nobody."""

    user: Any
    auth: Any

    @property
    def who(self) -> Any:
        return self.user if getattr(self.user, "is_authenticated", False) else self.auth

    @property
    def name(self) -> str:
        return f"{type(self.who).__name__}:{self.who.pk}"


def view_of(scope: dict[str, Any]) -> type | None:
    """The API's view behind the path."""
    match = _match(scope)
    return None if match is None else getattr(match.func, "cls", None)


def _match(scope: dict[str, Any]) -> ResolverMatch | None:
    try:
        return resolve(scope["path"].removeprefix(scope.get("root_path", "")))
    except (Http404, ValueError):
        return None


def address_of(request: HttpRequest) -> str:
    """Where a request comes from; behind proxies, as they say."""
    return BaseThrottle().get_ident(request)  # type: ignore[arg-type]


def file_endpoint(scope: dict[str, Any], media_type: str) -> FileEndpoint | None:
    """The view behind the path, if it takes a body of this type with files; None: a small body is all it takes."""
    if scope["method"] in READING:
        return None
    match = _match(scope)
    if match is None:
        return None
    view = getattr(match.func, "cls", None)
    method = scope["method"].lower()
    action = (getattr(match.func, "actions", None) or {}).get(method, method)
    body = getattr(view, "file_bodies", {}).get(action)
    if view is None or body is None or body.media_type not in (ANY, media_type):
        return None
    return FileEndpoint(view, body, match.kwargs)


class _HeadersOnly(Request):
    """Who asks is known by headers alone: the body has not come yet, or must stay as it came for the view. The check of
    CSRF would read the token from a form's fields first."""

    @property
    def POST(self) -> QueryDict:  # type: ignore[override]
        return QueryDict()


def identify(request: HttpRequest, view: type[APIView]) -> Caller | None:
    """Who asks, by the ways in that the view has; None when it is nobody, or somebody it would refuse."""
    if not hasattr(request, "session"):
        engine = import_module(settings.SESSION_ENGINE)
        request.session = engine.SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    if not hasattr(request, "user"):
        request.user = SimpleLazyObject(lambda: get_user(request))  # type: ignore[assignment]
    asked = _HeadersOnly(request, authenticators=[way() for way in view.authentication_classes])
    try:
        user, auth = asked.user, asked.auth
    except (APIException, StudioError):
        return None
    known = user is not None and not isinstance(user, AnonymousUser) and user.is_active
    return Caller(user, auth) if known or (user is None and auth is not None) else None
