"""What browsers are told on every answer: to load nothing from elsewhere, to be framed by nobody, to ask for no device.

Answers of the API load nothing at all. The documentation and the administration have files of their own, and no script
in their pages. Files of users come with a policy of their own (`storage.downloads`), and so do the forms that mails
link to (`accounts.pages`).
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
OWN_FILES = (
    "default-src 'none'; script-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
# Swagger UI has a style in its page and sets styles of its own.
DOCUMENTATION = f"{OWN_FILES}; style-src 'self' 'unsafe-inline'; form-action 'none'"
ADMINISTRATION = f"{OWN_FILES}; style-src 'self'; form-action 'self'"
POLICIES = (("/admin/", ADMINISTRATION), ("/api/docs/", DOCUMENTATION))
PERMISSIONS = ", ".join(
    f"{device}=()"
    for device in (
        "accelerometer",
        "autoplay",
        "camera",
        "display-capture",
        "geolocation",
        "gyroscope",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "publickey-credentials-get",
        "usb",
        "xr-spatial-tracking",
    )
)


class SecurityHeaders:
    """Beside Django's SecurityMiddleware, which does nosniff, referrers, HSTS and the opener."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        policy = next((policy for prefix, policy in POLICIES if request.path.startswith(prefix)), NOTHING)
        response.headers.setdefault("Content-Security-Policy", policy)
        if request.path.startswith("/api/v1/"):
            # Nobody keeps what was answered to somebody: neither a proxy, nor a browser for who uses it next. Files of
            # users say themselves how long they stay.
            response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("X-Frame-Options", "DENY")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        return response
