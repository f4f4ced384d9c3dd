"""Django's own login and change of password, at the rates of ours."""

from __future__ import annotations

import math
from collections.abc import Callable

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request

from accounts.throttles import LOGIN, CountedThrottle, OwnPasswordThrottle, forgive


class _Form:
    """What throttles look at, of a form."""

    def __init__(self, request: HttpRequest) -> None:
        self.META, self.headers = request.META, request.headers
        self.data, self.user = request.POST, request.user


def login(request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
    return _counted(request, [throttle() for throttle in LOGIN], admin.site.login)


def password_change(request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
    return _counted(request, [OwnPasswordThrottle()], admin.site.admin_view(admin.site.password_change, cacheable=True))


def _counted(
    request: HttpRequest, throttles: list[CountedThrottle], view: Callable[[HttpRequest], HttpResponse]
) -> HttpResponse:
    if request.method != "POST":
        return view(request)
    form: Request = _Form(request)  # type: ignore[assignment]
    refused = [throttle for throttle in throttles if not throttle.allow_request(form, None)]  # type: ignore[arg-type] # they look at no view
    if refused:
        response = HttpResponse(
            "Too many attempts. Wait a while, then try again.", status=429, content_type="text/plain"
        )
        response["Retry-After"] = str(math.ceil(max(throttle.wait() or 1 for throttle in refused)))
        return response
    response = view(request)
    if response.status_code == 302:  # on to where the user wanted to go
        forgive(throttles)
    return response
