"""Keys as the database has them: 32 hexadecimal digits in SQLite, UUIDs in PostgreSQL.

To make a UUID of each key that is read, and digits of each that is written, takes more time than the database does. A
module that works on many rows has its keys in this form alone: `stored_keys` where they come in, `written` where they
go out as text. A key in another form is not equal to it, so none may be looked up with one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, NewType
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, F, Func, QuerySet

StoredKey = NewType("StoredKey", object)


def stored_key(key: Any) -> StoredKey:
    return stored_keys((key,))[0]


def stored_keys(keys: Iterable[Any]) -> list[StoredKey]:
    """In their order; each a UUID, its text in any form, or stored already. None stays None."""
    if connection.features.has_native_uuid_field:
        return [key if isinstance(key, UUID) or key is None else UUID(str(key)) for key in keys]  # type: ignore[misc]
    return [_digits(key) for key in keys]  # type: ignore[misc]


def _digits(key: Any) -> str | None:
    if isinstance(key, UUID):
        return f"{key.int:032x}"
    return key if key is None else str(key).replace("-", "").lower()


def written(key: StoredKey) -> str:
    """The text of a key, with hyphens."""
    if not isinstance(key, str):
        return str(key)
    return f"{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}"


def stored_rows(rows: QuerySet) -> list[tuple]:
    """The rows of a `values_list` of plain fields, as the database has them.

    Of SQLite that is: keys as digits, times without their zone, JSON as text.
    """
    statement, parameters = rows.query.get_compiler(rows.db).as_sql()
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


class Among(Func):
    """Condition: a column has one of these values, keys as they are stored or numbers.

    As one parameter: with `__in` Django looks at each of them a dozen times.
    """

    output_field = BooleanField()

    def __init__(self, name: str, values: Iterable[Any]) -> None:
        super().__init__(F(name))
        self.values: Sequence[Any] = list(values)

    def as_sql(self, compiler: Any, connection: Any, *rest: Any, **options: Any) -> Any:
        column, parameters = compiler.compile(self.source_expressions[0])
        if connection.vendor == "sqlite":
            return f"{column} IN (SELECT value FROM json_each(%s))", [*parameters, json.dumps(self.values)]
        return f"{column} = ANY(%s)", [*parameters, self.values]
