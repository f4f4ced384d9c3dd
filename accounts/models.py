"""Tokens, and what is unique of accounts. Users are Django's own."""

from __future__ import annotations

import uuid_utils.compat
from django.conf import settings
from django.db import models
from knox.models import AbstractAuthToken


class TokenKind(models.TextChoices):
    LOGIN = "login"
    PERSONAL = "personal"


class Token(AbstractAuthToken):
    """A bearer token of a user, stored as a digest. Personal ones have a name and are listed; shown once."""

    id = models.UUIDField(default=uuid_utils.compat.uuid7, unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=TokenKind.choices, default=TokenKind.LOGIN)
    name = models.CharField(max_length=100, blank=True)

    def __str__(self) -> str:
        return f"{self.kind} token {self.name or self.token_key} of {self.user}"


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
