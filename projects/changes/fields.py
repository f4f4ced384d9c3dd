"""Fields of single rows, such as names and notes, noted and put back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model

from common.errors import NotFound
from projects.changes.models import Change, RowChange
from projects.changes.recording import note_rows
from projects.changes.undoing import Differing, rows_left
from storage.database import atomic_again


def values_of(row: Model, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


@atomic_again
def change_fields(kind: str, row: Model, changes: Mapping[str, Any]) -> None:
    """Write these fields alone, and note what they were."""
    held = type(row)._default_manager.select_for_update(of=("self",)).filter(pk=row.pk).first()
    if held is None:
        raise NotFound()
    before = values_of(held, changes)
    for name, value in changes.items():
        setattr(row, name, value)
    if changes:
        times = ["updated_at"] if hasattr(row, "updated_at") else []
        row.save(update_fields=[*changes, *times])
    note_rows(kind, {row.pk: (before, values_of(row, changes))})


class FieldsBack:
    """
    Attributes:
        kind: what the rows are called where something stands against putting them back.
        noted: under which name they were noted, where that is another one.
    """

    kind: str
    model: type[Model]
    noted = ""

    def changed_since(self, change: Change) -> Iterator[Differing]:
        for row in self._rows(change):
            current = self.model._default_manager.filter(pk=row.row).first()
            if current is None or values_of(current, row.after) != row.after:
                yield Differing(self.kind, str(row.row), row.before.get("name") or str(current or ""))

    @atomic_again
    def put_back(self, change: Change, user: User | None) -> None:
        rows = self._rows(change)
        for row in rows:
            if not self.model._default_manager.filter(pk=row.row).update(**row.before):
                raise NotFound()
        note_rows(self.noted or self.kind, {row.row: (row.after, row.before) for row in rows})

    def _rows(self, change: Change) -> list[RowChange]:
        return list(rows_left(change, self.noted or self.kind))
