"""The pages of the studio: one file for every address that is nothing else, with a policy of its own."""

from __future__ import annotations

import html
import secrets
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; connect-src 'self'; font-src 'self'; worker-src 'self' blob:; manifest-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
PERMISSIONS = "camera=(self), clipboard-read=(self), geolocation=(), microphone=(), payment=(), usb=()"
ADDRESSES = r"^(?!(?:api|edge|admin|static|customvision|healthz|readyz|metrics)(?:/|$)).*$"
PLACE_OF_NONCE = "__NONCE__"


@require_safe
@ensure_csrf_cookie
def page(request: HttpRequest, **parts: str) -> HttpResponse:
    """The studio, or why it is not here."""
    index = settings.FRONTEND_DIR / "index.html"
    if not index.is_file():
        return _missing()
    nonce = secrets.token_urlsafe(16)
    response = HttpResponse(_index(index, index.stat().st_mtime_ns).replace(PLACE_OF_NONCE, nonce))
    response["Content-Security-Policy"] = POLICY.format(nonce=nonce)
    response["Permissions-Policy"] = PERMISSIONS
    response["Cache-Control"] = "no-cache"
    # Addresses of invitations and password resets are secrets.
    response["Referrer-Policy"] = "same-origin" if not request.path.startswith(("/reset/", "/join/")) else "no-referrer"
    return response


def or_else(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The studio's page; where it was not built, and for forms, a plain one."""

    def answer(request: HttpRequest, **parts: str) -> HttpResponse:
        is_page = request.method in ("GET", "HEAD") and (settings.FRONTEND_DIR / "index.html").is_file()
        return page(request) if is_page else view(request, **parts)

    return answer


@lru_cache(maxsize=1)
def _index(path: Path, changed: int) -> str:
    """The built page. `changed`: its time, so that a new build is read."""
    return path.read_text(encoding="utf-8")


def _missing() -> HttpResponse:
    reason = settings.FRONTEND_DIR / ".failed"
    text = reason.read_text(encoding="utf-8", errors="replace") if reason.is_file() else "They were not built yet."
    return HttpResponse(
        "<!doctype html><html lang=en><meta charset=utf-8><title>ML Studio</title>"
        "<h1>The pages of the studio are missing</h1>"
        f"<p>The server runs, and its <a href=/api/docs/>HTTP interface</a> works. The pages are built by "
        f"<code>make frontend</code>.</p><pre>{html.escape(text[-3000:])}</pre>",
        status=503,
    )
