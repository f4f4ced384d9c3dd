"""The shape of preferences: what the pages keep is typed, and other names are each client's own."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

MOST_NAMES = 100
MOST_KEYS = 300
MOST_KEYS_AN_ACTION = 8

_KEYS_OF_AN_ACTION = {
    "type": ["array", "null"],
    "items": {"type": "string", "minLength": 1, "maxLength": 40},
    "maxItems": MOST_KEYS_AN_ACTION,
}
_SCHEMA = {
    "type": "object",
    "properties": {
        "theme": {"type": ["string", "null"], "enum": ["light", "dark", "auto", None]},
        "language": {"type": ["string", "null"], "maxLength": 20, "description": "A BCP 47 tag, as zh-Hans."},
        "tile_size": {"type": ["string", "null"], "enum": ["s", "m", "l", None], "description": "Of the gallery."},
        "keys": {
            "type": ["object", "null"],
            "additionalProperties": _KEYS_OF_AN_ACTION,
            "maxProperties": MOST_KEYS,
            "description": "By action: the keys that the user gave it. Changed entry by entry; null removes one.",
        },
    },
    "additionalProperties": True,
    "maxProperties": MOST_NAMES,
}


class _Keys(serializers.DictField):
    child = serializers.ListField(
        child=serializers.CharField(max_length=40), max_length=MOST_KEYS_AN_ACTION, allow_null=True
    )

    def to_internal_value(self, data: Any) -> dict:
        if isinstance(data, dict) and len(data) > MOST_KEYS:
            raise serializers.ValidationError(f"Give keys to at most {MOST_KEYS} actions, received {len(data)}.")
        return super().to_internal_value(data)


class _Known(serializers.Serializer):
    """What the pages keep."""

    theme = serializers.ChoiceField(["light", "dark", "auto"], required=False, allow_null=True)
    language = serializers.CharField(max_length=20, required=False, allow_null=True)
    tile_size = serializers.ChoiceField(["s", "m", "l"], required=False, allow_null=True)
    keys = _Keys(required=False, allow_null=True)


@extend_schema_field(_SCHEMA)
class PreferencesField(serializers.JSONField):
    """A JSON object. Names that the pages know have the shape that they need."""

    def to_internal_value(self, data: Any) -> dict:
        value = super().to_internal_value(data)
        if not isinstance(value, dict):
            raise serializers.ValidationError("Preferences are an object of names and values.", code="invalid")
        known = _Known(data=value)
        known.is_valid(raise_exception=True)
        return {**value, **known.validated_data}
