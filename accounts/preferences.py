"""What clients keep for a user: theme, language, keys. The studio itself reads none of it.

What the pages keep has a shape; other clients may keep what they like beside it, under names of their own.
"""

from __future__ import annotations

import json

from django.contrib.auth.models import User
from django.db import transaction

from accounts.limits import hold
from accounts.models import Preferences
from common.errors import Invalid

MAX_BYTES = 16 << 10
# Objects whose entries change one by one: a browser that changes one key leaves those of another browser alone.
BY_ENTRY = ("keys",)


def preferences_of(user: User) -> dict:
    kept = Preferences.objects.filter(user=user.pk).values_list("content", flat=True).first()
    return kept or {}


@transaction.atomic
def change_preferences(*, user: User, changes: dict) -> dict:
    """Merge by name (RFC 7396, of one level, and of two for `BY_ENTRY`): null removes. Two windows, or two browsers,
    that change different things keep both.

    Raises:
        Invalid: all of it together would be larger than `MAX_BYTES`.
    """
    hold(User.objects.get(pk=user.pk))
    merged = _merged(preferences_of(user), changes)
    size = len(json.dumps(merged, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        detail = f"Preferences take at most {MAX_BYTES:,} bytes as JSON; these would take {size:,}. Remove some keys."
        raise Invalid(detail, attr="preferences", code="preferences_too_large")
    Preferences.objects.update_or_create(user=user, defaults={"content": merged})
    return merged


def _merged(kept: dict, changes: dict) -> dict:
    merged = {**kept, **changes}
    for name in BY_ENTRY:
        if isinstance(changes.get(name), dict):
            before = kept[name] if isinstance(kept.get(name), dict) else {}
            merged[name] = {key: value for key, value in {**before, **changes[name]}.items() if value is not None}
    return {name: value for name, value in merged.items() if value is not None}
