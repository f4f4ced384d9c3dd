"""Rates of what can be guessed or flooded, counted in the database: they hold for every web process.

What can be guessed is counted by the account that is asked for, however its name is written, and by the address that
asks; successes are not counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle, SimpleRateThrottle
from rest_framework.views import APIView

from accounts.names import cleaned, hashed


class CountedThrottle(SimpleRateThrottle):
    key: str | None = None
    duration: int  # of the rate; the stubs leave it out

    @property
    def cache(self) -> BaseCache:  # type: ignore[override]
        return caches["throttle"]

    def key_of(self, *parts: str) -> str:
        return self.cache_format % {"scope": self.scope, "ident": hashed(*parts)}

    def forgive(self) -> None:
        """It was no guess: take it off the count again."""
        if self.key is not None and self.rate is not None:
            history = self.cache.get(self.key, [])
            if self.now in history:
                history.remove(self.now)
                self.cache.set(self.key, history, self.duration)


class AddressThrottle(CountedThrottle):
    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        return self.key_of(self.get_ident(request))


class UserThrottle(CountedThrottle):
    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        return self.key_of(str(request.user.pk)) if request.user.is_authenticated else None


class FieldThrottle(CountedThrottle):
    """By a name, an address or an id in the body."""

    field = "username"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        return self.key_of(field_of(request, self.field))


def text_of(request: Request, name: str) -> str:
    """A field of the body before it was validated."""
    return str(request.data.get(name) or "") if hasattr(request.data, "get") else ""


def field_of(request: Request, name: str) -> str:
    return cleaned(text_of(request, name))


class ForgivesSuccess(APIView):
    """A view whose throttles count only what failed."""

    def get_throttles(self) -> list[BaseThrottle]:
        if not hasattr(self, "_counted"):
            self._counted = super().get_throttles()
        return self._counted

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        if response.status_code < 300:
            forgive(getattr(self, "_counted", []))
        return super().finalize_response(request, response, *args, **kwargs)


def forgive(throttles: Iterable[CountedThrottle]) -> None:
    for throttle in throttles:
        throttle.forgive()


class LoginThrottle(CountedThrottle):
    """By address and username together: one attacker does not soon lock out a user elsewhere."""

    scope = "login"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        return self.key_of(self.get_ident(request), field_of(request, "username"))


class LoginAddressThrottle(AddressThrottle):
    """One password tried on many accounts."""

    scope = "login_address"


class LoginAccountThrottle(FieldThrottle):
    """One account tried from many addresses."""

    scope = "login_account"


LOGIN = (LoginThrottle, LoginAddressThrottle, LoginAccountThrottle)


class OwnPasswordThrottle(UserThrottle):
    """Someone who holds a login for a moment must not find out the password."""

    scope = "own_password"


class RegistrationThrottle(AddressThrottle):
    scope = "registration"


class PasswordResetThrottle(AddressThrottle):
    scope = "password_reset"


class PasswordResetMailThrottle(FieldThrottle):
    """Mails to one address."""

    scope = "password_reset_mail"
    field = "email"


class ResetConfirmThrottle(AddressThrottle):
    """Apart from those who ask: behind one proxy nobody is kept from confirming by others who ask."""

    scope = "password_reset_confirm"


class ResetConfirmAccountThrottle(FieldThrottle):
    scope = "password_reset_account"
    field = "uid"


class EmailChangeThrottle(UserThrottle):
    scope = "email_change"


class EmailConfirmThrottle(AddressThrottle):
    scope = "email_confirm"


class NewTokenThrottle(UserThrottle):
    scope = "new_token"


class InvitationTokenThrottle(AddressThrottle):
    """Secrets of invitation links that are tried."""

    scope = "invitation_token"
