"""Requests that name objects: they are looked for among what the user may see."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from rest_framework import serializers

from accounts.known import KnownFieldsOnly


class Scoped(KnownFieldsOnly, serializers.Serializer):
    """Related objects are looked for among what the user may see: `context["scope"]` has a queryset by field."""

    def get_fields(self) -> dict:
        fields = super().get_fields()
        for name, rows in self.context.get("scope", {}).items():
            if name in fields:
                field = fields[name]
                (field.child_relation if hasattr(field, "child_relation") else field).queryset = rows  # type: ignore[union-attr]
        return fields


def related(model: type[Model], **options: Any) -> serializers.PrimaryKeyRelatedField:
    return serializers.PrimaryKeyRelatedField(queryset=model._default_manager.none(), **options)


def valid(shape: type[serializers.Serializer], data: Any, **scope: Any) -> dict:
    """The request's data, with related objects out of what the user may see."""
    request = shape(data=data, context={"scope": scope})
    request.is_valid(raise_exception=True)
    return dict(request.validated_data)
