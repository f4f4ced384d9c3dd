"""The pages for people, which links of mails open: choose a new password, confirm a mail address.

To open one does nothing: programs that look at mails follow links. Only its button does, which sends a form.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import FormParser
from rest_framework.permissions import AllowAny
from rest_framework.renderers import StaticHTMLRenderer
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts import emails, serializers, services, throttles
from common.errors import StudioError


class Page(APIView):
    """A form. It takes no session, so nobody else's browser can be made to send it."""

    schema = None
    permission_classes = [AllowAny]
    authentication_classes: list = []
    parser_classes = [FormParser]
    renderer_classes = [StaticHTMLRenderer]
    template = ""
    title = ""
    counted: tuple = ()

    def get_throttles(self) -> list[BaseThrottle]:
        """Looking at the form is no guess."""
        if self.request.method != "POST":
            return []
        if not hasattr(self, "_throttles"):
            self._throttles = [throttle() for throttle in self.counted]
        return self._throttles

    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override] # a page
        """What the API says of it as an answer, said on a page."""
        response = super().handle_exception(exc)
        problems = [error["detail"] for error in response.data["errors"]]
        page = self.page(response.status_code, problems=problems)
        for name in ("Retry-After", "Allow"):
            if name in response:
                page[name] = response[name]
        return page

    def page(self, status: int = 200, **context: Any) -> HttpResponse:
        context |= {"title": self.title, "style": _style()}
        response = HttpResponse(render_to_string(self.template, context), status=status)
        response["Content-Security-Policy"] = policy()
        # The link is a secret until it is used.
        response["Referrer-Policy"], response["Cache-Control"] = "no-referrer", "no-store"
        return response


class PasswordResetPage(throttles.ForgivesSuccess, Page):
    """What the link of a reset mail opens."""

    template = "accounts/password_reset.html"
    title = "Choose a new password"
    counted = (throttles.ResetConfirmThrottle, throttles.ResetConfirmAccountThrottle)

    def get(self, request: Request, **link: Any) -> HttpResponse:
        return self._form(link or request.query_params)

    def post(self, request: Request, **link: Any) -> HttpResponse:
        form: Any = request.data
        if form.get("new_password") != form.get("again"):
            return self._form(form, ["The two passwords differ."])
        data = serializers.PasswordResetConfirmSerializer(data=form)
        try:
            data.is_valid(raise_exception=True)
            wanted = data.validated_data
            user = services.user_of_reset_link(uid=wanted["uid"], token=wanted["token"])
            password = serializers.checked_password(wanted["new_password"], user)
        except ValidationError as error:
            return self._form(form, _texts(error.detail))
        except StudioError as error:
            return self._form(form, error.details)
        services.reset_password(user=user, new_password=password)
        return self.page(done=True)

    def _form(self, values: Mapping[str, Any], problems: list[str] | None = None) -> HttpResponse:
        uid, token = values.get("uid", ""), values.get("token", "")
        return self.page(400 if problems else 200, problems=problems, uid=uid, token=token)


class EmailConfirmPage(Page):
    """What the link of a mail to a new address opens."""

    template = "accounts/email_confirm.html"
    title = "Confirm your address"
    counted = (throttles.EmailConfirmThrottle,)

    def get(self, request: Request) -> HttpResponse:
        token = request.query_params.get("token", "")
        wanted = emails.pending_change(token=token)
        return self.page(token=token, username=wanted.user.username, email=wanted.email)

    def post(self, request: Request) -> HttpResponse:
        form: Any = request.data
        wanted = emails.confirm_change(token=form.get("token", ""))
        return self.page(done=True, username=wanted.user.username, email=wanted.email)


def _texts(detail: Any) -> list[str]:
    if isinstance(detail, dict):
        return [text for part in detail.values() for text in _texts(part)]
    return [text for part in detail for text in _texts(part)] if isinstance(detail, list) else [str(detail)]


@cache
def _style() -> str:
    return mark_safe(render_to_string("accounts/page.css"))


@cache
def policy() -> str:
    """Nothing is loaded; the only style is the one in the page, by its hash (CSP 3, section 2.3.1)."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    )
