"""Many rows that each get values of their own, in one go: a tenth of what `bulk_update` takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.models import Model

from storage.inserting import prepared_columns


def update_many(model: type[Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write values for the fields that are named.

    Args:
        rows: the values in the order of the names, and then the key of the row; of foreign keys the keys.
    """
    fields: list[Any] = [*(model._meta.get_field(name) for name in names), model._meta.pk]
    columns = prepared_columns(fields, rows)
    if not columns:
        return
    quoted = connection.ops.quote_name
    changes = ", ".join(f"{quoted(field.column)} = %s" for field in fields[:-1])
    condition = f"{quoted(fields[-1].column)} = %s"
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {quoted(model._meta.db_table)} SET {changes} WHERE {condition}", list(zip(*columns, strict=True))
        )
