"""Rates of what can be guessed or flooded, counted in the database."""

from django.core.cache import caches
from rest_framework.throttling import AnonRateThrottle, SimpleRateThrottle


class CountedThrottle(SimpleRateThrottle):
    """Counted in the database: holds for every web process."""

    @property
    def cache(self):
        return caches["throttle"]


class LoginThrottle(CountedThrottle):
    """By address and username together: one attacker does not lock out a user elsewhere."""

    scope = "login"

    def get_cache_key(self, request, view):
        username = str(request.data.get("username", ""))[:150].lower() if isinstance(request.data, dict) else ""
        ident = f"{self.get_ident(request)}:{username}".encode().hex()
        return self.cache_format % {"scope": self.scope, "ident": ident[:150]}


class RegistrationThrottle(CountedThrottle, AnonRateThrottle):
    scope = "registration"


class PasswordResetThrottle(CountedThrottle, AnonRateThrottle):
    scope = "password_reset"
