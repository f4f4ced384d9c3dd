"""Rates of what can be guessed or flooded, counted in the database."""

from django.core.cache import caches
from rest_framework.throttling import AnonRateThrottle, SimpleRateThrottle


class _Counted(SimpleRateThrottle):
    @property
    def cache(self):
        return caches["throttle"]


class LoginThrottle(_Counted):
    """By address and username together: one attacker does not lock out a user elsewhere."""

    scope = "login"

    def get_cache_key(self, request, view):
        username = str(request.data.get("username", ""))[:150].lower() if isinstance(request.data, dict) else ""
        ident = f"{self.get_ident(request)}:{username}".encode().hex()
        return self.cache_format % {"scope": self.scope, "ident": ident[:150]}


class RegistrationThrottle(_Counted, AnonRateThrottle):
    scope = "registration"


class PasswordResetThrottle(_Counted, AnonRateThrottle):
    scope = "password_reset"
