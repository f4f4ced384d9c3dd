"""Who is asking: a token in the Authorization header, or the browser's session."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, get_user_model
from django.contrib.auth.models import User
from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from rest_framework import authentication, exceptions
from rest_framework.authentication import get_authorization_header
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from accounts.errors import PredictingToken, ReadingToken
from accounts.models import Token, TokenScope

if TYPE_CHECKING:
    from drf_spectacular.openapi import AutoSchema

PREFIXES = (b"token", b"bearer")
WRONG_TOKEN = "This token is unknown, has ended or was revoked: log in again, or make one with tokens/."


class TokenAuthentication(KnoxTokenAuthentication):
    """`Authorization: Token …` or `Bearer …`.

    Attributes:
        scopes: of the tokens that are admitted.
    """

    scopes: tuple[str, ...] = (TokenScope.ALL, TokenScope.READ)

    def authenticate(self, request: Request) -> tuple[User, Token] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() not in PREFIXES:
            return None
        if len(parts) != 2:
            raise exceptions.AuthenticationFailed("The Authorization header must be 'Token <token>'.")
        return self.admit(request, parts[1])

    def admit(self, request: Request, secret: bytes) -> tuple[User, Token]:
        """The user of the token with this secret.

        Raises:
            AuthenticationFailed, ReadingToken, PredictingToken
        """
        try:
            secret.decode("ascii")
        except UnicodeDecodeError as error:
            raise exceptions.AuthenticationFailed(WRONG_TOKEN) from error
        try:
            user, token = self.authenticate_credentials(secret)
        except exceptions.AuthenticationFailed as error:
            raise exceptions.AuthenticationFailed(WRONG_TOKEN) from error
        if token.scope == TokenScope.PREDICT and token.scope not in self.scopes:
            raise PredictingToken()
        if token.scope == TokenScope.READ and request.method not in SAFE_METHODS:
            raise ReadingToken()
        note_standing(request, lambda: token_stands(token.pk))
        return user, token

    def _cleanup_token(self, auth_token: Token) -> bool:
        # Knox deletes expired tokens of the user on each request; ours are deleted once an hour.
        return auth_token.expiry is not None and auth_token.expiry < timezone.now()


class CsrfFailed(exceptions.PermissionDenied):
    default_code = "csrf_failed"
    default_detail = "The CSRF token is missing or wrong: send the one of auth/session/ as X-CSRFToken."


class _WithoutForm:
    """The request as the CSRF check sees it. The token comes in the header alone: Django looks into the form first,
    which is not here yet when it is asked who sends it."""

    POST = QueryDict()

    def __init__(self, request: Request) -> None:
        self._request = request

    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name)


class SessionAuthentication(authentication.SessionAuthentication):
    """The session cookie, with CSRF on unsafe methods."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        found = super().authenticate(request)
        session = getattr(request._request, "session", None)
        if found is not None and session is not None:
            # The middleware's user is a stand-in of a class of its own; services ask for the class of a row.
            user = getattr(request._request, "_cached_user", found[0])
            key = session.session_key
            note_standing(request, lambda: session_stands(key, user.pk))
            return user, None
        return found

    def enforce_csrf(self, request: Request) -> None:
        """One code for it, wherever it is noticed: a client then reads `auth/session/` and repeats the request."""
        try:
            super().enforce_csrf(_WithoutForm(request))  # type: ignore[arg-type]
        except exceptions.PermissionDenied as error:
            raise CsrfFailed() from error


# Whether a way in is still open, for answers that take long: streams and downloads.


def note_standing(request: Request, stands: Callable[[], bool]) -> None:
    """Keep the question with the request, as `is_still_valid`: floors below ask it without knowing who asks."""
    request._request.is_still_valid = stands  # type: ignore[attr-defined]


def is_still_valid(request: Request) -> bool:
    """Whether who made this request would be let in again with the same token or session: it was not revoked, has not
    expired, and the account is active. At most two short queries. True where nobody had to identify themselves."""
    return getattr(getattr(request, "_request", request), "is_still_valid", lambda: True)()


def token_stands(pk: uuid.UUID) -> bool:
    now = timezone.now()
    alive = Token.objects.filter(Q(expiry=None) | Q(expiry__gt=now), pk=pk, user__is_active=True)
    return alive.exists()


def session_stands(key: str | None, user_pk: int) -> bool:
    """Also not after a change of the password, which makes a session's hash another one."""
    user = get_user_model().objects.filter(pk=user_pk, is_active=True).first()
    if user is None or key is None:
        return user is not None
    kept = import_module(settings.SESSION_ENGINE).SessionStore(key)
    return constant_time_compare(kept.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "accounts.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token <token>` or `Bearer <token>`, from `auth/login/` or `tokens/`.",
        }


class SessionScheme(OpenApiAuthenticationExtension):
    target_class = "accounts.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}
