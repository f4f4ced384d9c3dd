"""The one page for people: choose a new password, with the link of a mail."""

from __future__ import annotations

from html import escape

from django.http import HttpResponse
from rest_framework.exceptions import APIException
from rest_framework.parsers import FormParser
from rest_framework.permissions import AllowAny
from rest_framework.renderers import StaticHTMLRenderer
from rest_framework.views import APIView

from accounts import serializers, services, throttles

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>ML Studio: a new password</title></head><body><main><h1>Choose a new password</h1>
{content}
</main></body></html>
"""
FORM = """<form method="post" action="/password-reset/">
<input type="hidden" name="uid" value="{uid}"><input type="hidden" name="token" value="{token}">
<p><label>New password<br><input type="password" name="new_password" autocomplete="new-password" required></label></p>
<p><label>The same again<br><input type="password" name="again" autocomplete="new-password" required></label></p>
<p><button>Set the password</button></p></form>
"""
DONE = "<p>Your password is set. All earlier logins and personal tokens have ended; log in with the new password.</p>"


class PasswordResetPage(throttles.ForgivesSuccess, APIView):
    """What the link of a reset mail opens. It takes no session, so nobody else's browser can be made to send it."""

    schema = None
    permission_classes = [AllowAny]
    authentication_classes: list = []
    parser_classes = [FormParser]
    renderer_classes = [StaticHTMLRenderer]

    def get_throttles(self):
        """Looking at the form is no guess."""
        if self.request.method != "POST":
            return []
        if not hasattr(self, "_counted"):
            self._counted = [throttles.ResetConfirmThrottle(), throttles.ResetConfirmAccountThrottle()]
        return self._counted

    def get(self, request):
        return _page(_form(request.query_params))

    def post(self, request):
        if request.data.get("new_password") != request.data.get("again"):
            return _page("<p>The two passwords differ.</p>" + _form(request.data), 400)
        data = serializers.PasswordResetConfirmSerializer(data=request.data)
        try:
            data.is_valid(raise_exception=True)
            wanted = data.validated_data
            user = services.user_of_reset_link(uid=wanted["uid"], token=wanted["token"])
            password = serializers.checked_password(wanted["new_password"], user)
        except APIException as error:
            problems = "".join(f"<li>{escape(text)}</li>" for text in _texts(error.detail))
            return _page(f"<ul>{problems}</ul>{_form(request.data)}", 400)
        services.reset_password(user=user, new_password=password)
        return _page(DONE)


def _form(values) -> str:
    return FORM.format(uid=escape(values.get("uid", "")), token=escape(values.get("token", "")))


def _texts(detail) -> list[str]:
    if isinstance(detail, dict):
        return [text for part in detail.values() for text in _texts(part)]
    return [text for part in detail for text in _texts(part)] if isinstance(detail, list) else [str(detail)]


def _page(content: str, status: int = 200) -> HttpResponse:
    response = HttpResponse(PAGE.format(content=content), status=status)
    # The link is a secret until it is used.
    response["Referrer-Policy"], response["Cache-Control"] = "no-referrer", "no-store"
    return response
