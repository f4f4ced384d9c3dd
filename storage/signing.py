"""Signed, expiring URLs: a path that may be read without further credentials, for `<img>` tags."""

from __future__ import annotations

import hashlib
import time
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac

SALT = "storage.signed-url"


def sign_path(path: str, *, seconds: int = 0, **query: str | int) -> str:
    """`path` with its query, an expiry and a signature.

    Args:
        seconds: how long it works at least; 0: SIGNED_URL_SECONDS.
    """
    return _signed(path, _next_expiry(seconds or settings.SIGNED_URL_SECONDS), query)


def sign_for(user: User, path: str, *, seconds: int = 0) -> str:
    """As `sign_path`, for what is more than an image: it works as long as this user may see what is behind it.

    Args:
        seconds: how long it works; 0: for BULK_URL_SECONDS at least.
    """
    expires = int(time.time()) + seconds if seconds else _next_expiry(settings.BULK_URL_SECONDS)
    return _signed(path, expires, {"member": user.pk})


def _next_expiry(seconds: int) -> int:
    """In at least so many seconds, rounded up to a half of them: a page shows the same address for a while, and
    browsers can cache what is behind it."""
    half = max(1, seconds // 2)
    return (int(time.time()) // half + 3) * half


def _signed(path: str, expires: int, query: dict[str, str | int]) -> str:
    signature = _signature(path, expires, {key: str(value) for key, value in query.items()})
    return f"{path}?{urlencode({**query, 'expires': expires, 'signature': signature})}"


def base_url_of(request: HttpRequest) -> str:
    """Where others reach the studio: as configured (MLSTUDIO_PUBLIC_URL), else as this request did."""
    return settings.CONFIGURED_PUBLIC_URL or f"{request.scheme}://{request.get_host()}"


def signed_for(request: HttpRequest) -> User | None:
    """The user whom a valid signature was made for, if they are still active; the caller looks at what they may see."""
    member = request.GET.get("member", "")
    if not is_signed(request) or not (member.isascii() and member.isdigit() and len(member) < 19):
        return None
    return get_user_model().objects.filter(pk=int(member), is_active=True).first()


def is_signed(request: HttpRequest) -> bool:
    """Whether this GET or HEAD carries a valid signature of exactly this path and query."""
    if request.method not in ("GET", "HEAD") or "signature" not in request.GET:
        return False
    query = request.GET.dict()
    signature, expires = query.pop("signature"), query.pop("expires", "")
    if not (expires.isascii() and expires.isdigit()) or len(expires) > 12 or int(expires) < time.time():
        return False
    return constant_time_compare(signature, _signature(request.path, int(expires), query))


def _signature(path: str, expires: int, query: dict[str, str]) -> str:
    text = f"{path}\n{expires}\n{urlencode(sorted(query.items()))}"
    return salted_hmac(SALT, text, algorithm="sha256").hexdigest()[:40]


def fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
