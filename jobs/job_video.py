"""Jobs by the video that they are about, which is one of their parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Func, TextField
from django.db.models.sql.compiler import SQLCompiler


class JobVideo(Func):
    """The video of a job; null of other jobs.

    The key stands in the statement itself: a database uses an index of an expression only where it finds the same
    expression, and a lookup of Django sends the key as a parameter.
    """

    output_field = TextField()
    template = "JSON_EXTRACT(%(expressions)s, '$.video')"

    def __init__(self) -> None:
        super().__init__(F("parameters"))

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Sequence[Any]]:
        return self.as_sql(compiler, connection, template="(%(expressions)s ->> 'video')", **context)
