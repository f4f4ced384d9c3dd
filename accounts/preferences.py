"""What clients keep for a user: theme, language, keys. It is not read here, so it is only limited in size."""

from __future__ import annotations

import json

from django.contrib.auth import get_user_model
from django.db import transaction
from rest_framework.exceptions import ValidationError

from accounts.limits import hold
from accounts.models import Preferences

User = get_user_model()
MAX_BYTES = 16 << 10


def preferences_of(user) -> dict:
    kept = Preferences.objects.filter(user=user.pk).values_list("content", flat=True).first()
    return kept or {}


@transaction.atomic
def change_preferences(*, user, changes: dict) -> dict:
    """Merge by key (RFC 7396, of one level): null removes a key. Two windows that change different keys keep both.

    Raises:
        ValidationError: all of it together would be larger than `MAX_BYTES`.
    """
    hold(User.objects.get(pk=user.pk))
    merged = {key: value for key, value in {**preferences_of(user), **changes}.items() if value is not None}
    size = len(json.dumps(merged, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        detail = f"Preferences take at most {MAX_BYTES:,} bytes as JSON; these would take {size:,}. Remove some keys."
        raise ValidationError({"preferences": [detail]}, code="preferences_too_large")
    Preferences.objects.update_or_create(user=user, defaults={"content": merged})
    return merged
