"""Names that a request uses and nobody knows: refused, with the closest one that is known.

A misspelled filter that is ignored answers with everything, and somebody deletes what was answered. A misspelled field
that is ignored lets its sender believe that it holds.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, ClassVar

from django.db import models
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from accounts.numbers import Number

# What clients may send besides: forms of browsers, and the choice of a representation.
ALWAYS = ("csrfmiddlewaretoken", "format")
NAMED = 20


class KnownFieldsOnly:
    """A serializer that refuses fields that it does not have, and `true` where a number of a model belongs."""

    serializer_field_mapping: ClassVar = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.FloatField: Number,
    }

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            refuse_unknown(data, [*self.fields, *ALWAYS], code="unknown_field", what="field")  # type: ignore[attr-defined]
        return super().to_internal_value(data)  # type: ignore[misc]


def refuse_unknown(names: Iterable[str], known: Iterable[str], *, code: str, what: str) -> None:
    """Raises `ValidationError` that names every unknown name, each with the closest known one."""
    known = sorted(set(known))
    problems = {}
    for name in islice((name for name in names if name not in known), NAMED):
        name = str(name)[:100]
        closest = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
        all_of_ours = ", ".join(name for name in known if name not in ALWAYS)
        hint = f" Did you mean {closest[0]}?" if closest else f" There are: {all_of_ours}."
        problems[name] = [f"There is no such {what}.{hint}"]
    if problems:
        raise ValidationError(problems, code=code)
