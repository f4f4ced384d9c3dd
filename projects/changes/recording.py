"""Services note what they change; whoever calls them opens the change that it belongs to.

Outside of `recording` nothing is noted: imports, and what models suggest, are no strokes that anybody takes back.
"""

from __future__ import annotations

import contextvars
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.db import connection
from django.db.models import F

from projects.changes.models import Change, RowChange
from projects.models import Project

_current: contextvars.ContextVar[Change | None] = contextvars.ContextVar("current_change", default=None)


@contextmanager
def recording(project: Project, user, action: str, /, *, undo_of: Change | None = None, **details) -> Iterator[Change]:
    """What is noted inside belongs to one change. When nothing was, it is deleted again, and its `rows` are 0."""
    change = open_change(project, user, action, undo_of=undo_of, **details)
    try:
        with noting(change):
            yield change
    except BaseException:
        if not connection.needs_rollback:  # else it goes with the transaction
            close_change(change)
        raise
    close_change(change)


def open_change(project: Project, user, action: str, /, *, undo_of: Change | None = None, **details) -> Change:
    """For what goes on for longer than one call, with `noting`; `close_change` ends it."""
    return Change.objects.create(project=project, changed_by=user, action=action, details=details, undo_of=undo_of)


def close_change(change: Change) -> None:
    change.rows = Change.objects.filter(pk=change.pk).values_list("rows", flat=True).first() or 0
    if not change.rows:
        Change.objects.filter(pk=change.pk).delete()


@contextmanager
def noting(change: Change) -> Iterator[None]:
    """What is noted inside belongs to this change."""
    token = _current.set(change)
    try:
        yield
    finally:
        _current.reset(token)


def current_change() -> Change | None:
    return _current.get()


def count_rows(change: Change, count: int) -> None:
    if count:
        Change.objects.filter(pk=change.pk).update(rows=F("rows") + count)


def note_rows(kind: str, changes: Mapping) -> None:
    """`changes`: key → (fields before, fields after), as JSON; None where the row is not there. In the transaction that
    makes them."""
    change = _current.get()
    if change is None:
        return
    rows = [
        RowChange(change=change, kind=kind, row=pk, before=before, after=after)
        for pk, (before, after) in changes.items()
        if before != after
    ]
    RowChange.objects.bulk_create(rows, batch_size=1000)
    count_rows(change, len(rows))
