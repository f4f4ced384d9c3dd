"""`true` is no number: wherever one is sent, it is refused, as a text without digits is."""

from __future__ import annotations

import pytest
from django.urls import get_resolver
from rest_framework import serializers

from accounts.known import KnownFieldsOnly
from accounts.numbers import Number


def subclasses(kind: type) -> set[type]:
    return {one for child in kind.__subclasses__() for one in {child, *subclasses(child)}}


def fields_within(field: serializers.Field, path: str):
    yield path, field
    inner = getattr(field, "child", None)
    if isinstance(inner, serializers.Field):
        yield from fields_within(inner, f"{path}[]")
    if isinstance(field, serializers.Serializer):
        for name, one in field.fields.items():
            if not one.read_only:
                yield from fields_within(one, f"{path}.{name}")


def is_whole(kind: type) -> bool:
    """A serializer of a model that names none is a base of others."""
    return not issubclass(kind, serializers.ModelSerializer) or hasattr(kind, "Meta")


def test_every_number_of_a_request_refuses_true():
    assert get_resolver().url_patterns  # all views are imported, and with them their serializers
    kinds = [kind for kind in subclasses(KnownFieldsOnly) if issubclass(kind, serializers.Serializer)]
    found = [pair for kind in kinds if is_whole(kind) for pair in fields_within(kind(), kind.__name__)]
    numbers = [(path, field) for path, field in found if isinstance(field, serializers.FloatField)]
    assert len(numbers) > 20
    assert sorted(path for path, field in numbers if not isinstance(field, Number)) == []


@pytest.mark.parametrize("field", [Number(), serializers.IntegerField()])
@pytest.mark.parametrize("value", [True, False])
def test_true_and_false_are_no_numbers(field, value):
    with pytest.raises(serializers.ValidationError):
        field.run_validation(value)
