"""Services note what they change; their callers open the change that it belongs to.

Outside of `recording` nothing is noted: suggestions of models are not changes that anybody takes back.
"""

from __future__ import annotations

import contextvars
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import User
from django.db.models import F

from jobs.models import Job
from projects.changes.models import Change, RowChange
from projects.models import Project
from storage.inserting import insert_many

_current: contextvars.ContextVar[Change | None] = contextvars.ContextVar("current_change", default=None)


@contextmanager
def recording(
    project: Project, user: User | None, action: str, /, *, undo_of: Change | None = None, **details: Any
) -> Iterator[Change]:
    """What is noted inside belongs to one change, whose row is made with the first of it. `rows` is 0 when nothing
    was noted: then there is none."""
    change = open_change(project, user, action, undo_of=undo_of, **details)
    with noting(change):
        yield change
    close_change(change)


def open_change(
    project: Project, user: User | None, action: str, /, *, undo_of: Change | None = None, **details: Any
) -> Change:
    """For what goes on for longer than one call, with `noting`; `close_change` ends it."""
    return Change(project=project, changed_by=user, action=action, details=details, undo_of=undo_of)


@contextmanager
def recording_job(job: Job, action: str, /, **details: Any) -> Iterator[Change]:
    """As `recording`, of a job: its change has the key of the job, so every attempt goes on with the same one."""
    change = open_change(job.project, job.created_by, action, **details)
    change.pk = job.pk
    with noting(change):
        yield change
    close_change(change)


def close_change(change: Change) -> None:
    change.rows = Change.objects.filter(pk=change.pk).values_list("rows", flat=True).first() or 0


@contextmanager
def noting(change: Change) -> Iterator[None]:
    """What is noted inside belongs to this change."""
    token = _current.set(change)
    try:
        yield
    finally:
        _current.reset(token)


def current_change(count: int) -> Change | None:
    """The change that `count` rows are about to be noted of, with a row of its own; None outside of one, or of none.

    In the transaction that makes them: one that is taken back and done again makes the row again.
    """
    change = _current.get()
    if change is None or not count:
        return None
    Change.objects.bulk_create([change], ignore_conflicts=True)
    Change.objects.filter(pk=change.pk).update(rows=F("rows") + count)
    return change


def is_recording() -> bool:
    return _current.get() is not None


def recorded_change() -> Change | None:
    """The change that is open, with a row of its own, though nothing may be noted of it yet; None outside of one."""
    change = _current.get()
    if change is not None:
        Change.objects.bulk_create([change], ignore_conflicts=True)
    return change


def note_rows(kind: str, changes: Mapping) -> None:
    """`changes`: key → (fields before, fields after), as JSON; None where the row is not there. In the transaction that
    makes them."""
    rows = [(pk, before, after) for pk, (before, after) in changes.items() if before != after]
    change = current_change(len(rows))
    if change is not None:
        noted = ((change.pk, kind, pk, before, after) for pk, before, after in rows)
        insert_many(RowChange, ("change", "kind", "row", "before", "after"), noted)
