"""The orders of a list of images. Equal values follow their keys, so that every image has one place."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import BigIntegerField, F, Q, QuerySet, Value
from django.db.models.functions import Cast, Mod

# Below it, multiplying by any number and taking the rest puts all into another order (a prime).
PRIME = 2**31 - 1
NAMES = {
    "id": "id",
    "created": "id",
    "filename": "filename",
    "size": "size",
    "uncertainty": "lowest_score",
    "random": "place",
}


@dataclass(frozen=True)
class Ordering:
    """`field` first, then the key. `seed` chooses one of the orders by chance."""

    field: str = "id"
    is_descending: bool = True
    seed: int = 0

    def prepared(self, images: QuerySet) -> QuerySet:
        """With the field that is ordered by, where no column has it."""
        return images.annotate(place=self._place()) if self.field == "place" else images

    def _place(self) -> Mod:
        factor = 48_271 + 2 * (self.seed % 1_000_003)
        product = Cast(F("shuffle"), BigIntegerField()) * Value(factor, BigIntegerField())
        return Mod(product + Value(self.seed % PRIME, BigIntegerField()), Value(PRIME), output_field=BigIntegerField())

    def columns(self, *, is_reversed: bool = False, key: str = "id") -> list[str]:
        sign = "-" if self.is_descending != is_reversed else ""
        return [f"{sign}{key}"] if self.field == "id" else [f"{sign}{self.field}", f"{sign}{key}"]

    def beside(self, value: Any, pk: uuid.UUID, *, is_after: bool, key: str = "id") -> Q:
        """What stands after (or before) the row with this value of the field and this key."""
        compare = "gt" if is_after != self.is_descending else "lt"
        if self.field == "id":
            return Q(**{f"{key}__{compare}": pk})
        # The first condition lets an index start at the right place; the second skips within equal values.
        return Q(**{f"{self.field}__{compare}e": value}) & (
            Q(**{f"{self.field}__{compare}": value}) | Q(**{self.field: value, f"{key}__{compare}": pk})
        )


def ordering_named(text: str, seed: int = 0) -> Ordering | None:
    field = NAMES.get(text.removeprefix("-"))
    return None if field is None else Ordering(field, text.startswith("-"), seed)
