"""Tokens, and what is unique of accounts. Users are Django's own."""

from __future__ import annotations

import uuid_utils.compat
from django.conf import settings
from django.db import models
from django.utils import timezone
from knox.models import AbstractAuthToken


class TokenKind(models.TextChoices):
    LOGIN = "login"
    PERSONAL = "personal"


class TokenScope(models.TextChoices):
    ALL = "all", "whatever its user may do"
    READ = "read", "requests that change nothing: GET and HEAD"
    PREDICT = "predict", "predictions by published names, as programs written for Azure Custom Vision ask for them"


class Token(AbstractAuthToken):
    """A bearer token of a user, stored as a digest. Personal ones have a name and are listed; shown once.

    `project`: the only one that a token for predictions is for. It is no reference: projects are on a floor above.
    """

    id = models.UUIDField(default=uuid_utils.compat.uuid7, unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=TokenKind.choices, default=TokenKind.LOGIN)
    name = models.CharField(max_length=100, blank=True)
    scope = models.CharField(max_length=10, choices=TokenScope.choices, default=TokenScope.ALL)
    project = models.UUIDField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.kind} token {self.name or self.token_key} of {self.user}"


class Login(models.Model):
    """One way in that a user has opened: a login token, or the session of a browser. It goes with what it opened."""

    id = models.UUIDField(primary_key=True, default=uuid_utils.compat.uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="logins")
    token = models.OneToOneField(Token, null=True, on_delete=models.CASCADE, related_name="login")
    session_key = models.CharField(max_length=40, null=True, unique=True)
    user_agent = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(token=None) ^ models.Q(session_key=None), name="login_is_token_or_session"
            )
        ]

    def __str__(self) -> str:
        return f"login of {self.user}"


class Preferences(models.Model):
    """What clients keep for a user (theme, language, keys); the studio itself reads none of it."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="preferences")
    content = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "preferences"

    def __str__(self) -> str:
        return f"preferences of {self.user}"


class KeyKind(models.TextChoices):
    NAME = "name"
    EMAIL = "email"


class AccountKey(models.Model):
    """What only one account has: the look of its name, its mail address without regard to case.

    Accounts that were there before may share a look; the first of them has the key.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="keys")
    kind = models.CharField(max_length=10, choices=KeyKind.choices)
    key = models.CharField(max_length=450)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="one_account_a_key")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.user}"


class EmailChange(models.Model):
    """An address that somebody wants and has not confirmed yet. `digest` is of the secret in the mail."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="email_change")
    email = models.EmailField(max_length=254)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.user} wants {self.email}"
