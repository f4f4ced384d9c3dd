"""Tokens. Users are Django's own."""

from __future__ import annotations

import uuid_utils.compat
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
