"""The logins of a user: tokens of programs and sessions of browsers, seen and ended one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.contrib.auth import SESSION_KEY, update_session_auth_hash
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Login, Token, TokenKind
from accounts.names import in_one_line

# How exact `last_used_at` is, and how often a session is renewed: a request in between writes nothing.
NOTED_EVERY = timedelta(minutes=15)
MAX_USER_AGENT = 300
BRIEF_MILLISECONDS = 100


def user_agent_of(request: HttpRequest) -> str:
    """What the program says it is. Nothing is decided by it."""
    return in_one_line(request.META.get("HTTP_USER_AGENT", ""))[:MAX_USER_AGENT]


def logins_of(user: User) -> QuerySet[Login]:
    """The logins that still let somebody in, each with its `expires_at`."""
    now = timezone.now()
    session = Session.objects.filter(session_key=OuterRef("session_key"))
    lasting = Q(token__isnull=False) & (Q(token__expiry=None) | Q(token__expiry__gt=now))
    return (
        Login.objects.filter(user=user)
        .filter(lasting | Exists(session.filter(expire_date__gt=now)))
        .annotate(expires_at=Coalesce("token__expiry", Subquery(session.values("expire_date")[:1])))
    )


def note_token(token: Token, *, user_agent: str = "") -> Login:
    return Login.objects.create(user=token.user, token=token, user_agent=user_agent)


def note_session(request: HttpRequest, user: User) -> None:
    """A session has begun. Its key is made here where `login()` has left that to the end of the request."""
    if request.session.session_key is None:
        request.session.save()
    defaults = {"user": user, "user_agent": user_agent_of(request), "last_used_at": timezone.now()}
    Login.objects.update_or_create(session_key=request.session.session_key, defaults=defaults)


def note_use(request: HttpRequest) -> None:
    """Keep up when a login was used, and let a session last from now on; at most once in `NOTED_EVERY`."""
    token, key = getattr(request, "auth", None), _key_of(request)
    if isinstance(token, Token):
        if token.kind == TokenKind.LOGIN and token.pk is not None and _is_due(f"login-token:{token.pk}"):
            with _without_waiting():
                Login.objects.filter(token=token).update(last_used_at=timezone.now())
    elif key is not None and _is_due(f"login-session:{key}"):
        with _without_waiting():
            noted = Login.objects.filter(session_key=key).update(last_used_at=timezone.now())
        if not noted:
            note_session(request, request._cached_user)  # type: ignore[attr-defined] # from before there were such rows
        request.session.modified = True


@contextmanager
def _without_waiting() -> Iterator[None]:
    """SQLite waits half a minute while somebody writes: too long for a note that another request can make as well."""
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    database = connection.connection  # not through Django, which refuses all after an error in a transaction
    usual = database.execute("PRAGMA busy_timeout").fetchone()[0]
    database.execute(f"PRAGMA busy_timeout = {BRIEF_MILLISECONDS}")
    try:
        yield
    finally:
        database.execute(f"PRAGMA busy_timeout = {int(usual)}")


def _key_of(request: HttpRequest) -> str | None:
    """The session that let this request in. Who was not asked for stays unread: that would cost queries."""
    session, user = getattr(request, "session", None), getattr(request, "_cached_user", None)
    if session is None or user is None or not user.is_authenticated or SESSION_KEY not in session:
        return None
    return session.session_key


def _is_due(key: str) -> bool:
    return caches["default"].add(key, True, NOTED_EVERY.total_seconds())


def keep_session(request: HttpRequest, user: User) -> None:
    """Let this session last although the password has changed; it gets another key, as at a login."""
    if SESSION_KEY not in request.session:
        return
    before = request.session.session_key
    update_session_auth_hash(request, user)
    Login.objects.filter(session_key=before).update(session_key=request.session.session_key)


def forget_session(request: HttpRequest) -> None:
    """The session of this request ends."""
    Login.objects.filter(session_key=request.session.session_key, session_key__isnull=False).delete()


@transaction.atomic
def end_login(login: Login) -> None:
    """The token or the cookie lets nobody in any more."""
    if login.token_id is not None:
        Token.objects.filter(pk=login.token_id).delete()
    _end_sessions_with([login.session_key] if login.session_key else [])
    Login.objects.filter(pk=login.pk).delete()


def end_sessions(user: User, *, but: str | None = None) -> None:
    """End all sessions of a user except the one with the key `but`.

    Sessions that were begun before logins were kept are found by their content.
    """
    kept = Login.objects.filter(user=user, session_key__isnull=False).exclude(session_key=but)
    keys = set(kept.values_list("session_key", flat=True))
    for session in Session.objects.filter(expire_date__gte=timezone.now()).exclude(session_key=but):
        if session.session_key not in keys and session.get_decoded().get(SESSION_KEY) == str(user.pk):
            keys.add(session.session_key)
    _end_sessions_with(keys)
    kept.delete()


def _end_sessions_with(keys: Iterable[str | None]) -> None:
    Session.objects.filter(session_key__in=list(keys)).delete()


def delete_ended_logins() -> int:
    """Rows of sessions that are over. Those of tokens go with their tokens."""
    Session.objects.filter(expire_date__lt=timezone.now()).delete()
    alive = Session.objects.filter(session_key=OuterRef("session_key"))
    return Login.objects.filter(session_key__isnull=False).exclude(Exists(alive)).delete()[0]
