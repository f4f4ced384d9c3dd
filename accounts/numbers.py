from __future__ import annotations

from typing import Any

from rest_framework import serializers


class Number(serializers.FloatField):
    """A number with a fraction. Python, and DRF with it, takes `true` for 1."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)
