"""Taking a change back: everything it touched must still be as it left it, and is then put as it was before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from common.errors import Conflict
from jobs.models import ENDED, Job
from projects.changes.models import Change, RowChange
from projects.changes.recording import close_change, noting, open_change
from storage.database import atomic_again
from storage.deleting import delete_in_chunks

MOST_LISTED = 20
CHUNK = 500
# More rows than this are put back in several transactions.
MOST_AT_ONCE = 1_000


@dataclass(frozen=True)
class Differing:
    """A row that is not as the change left it, or for which there is no place; `reason` says so in words."""

    kind: str
    id: str
    name: str
    reason: str = ""


class Part(Protocol):
    """How one room puts its rows back. It is asked about every change, also where it has nothing to do.

    What an attempt before has put back already is left as it is.
    """

    def changed_since(self, change: Change) -> Iterator[Differing]: ...

    def put_back(self, change: Change, user: User | None) -> None: ...


# In the order in which they are put back.
PARTS: list[Part] = []


def rows_in_chunks(rows: QuerySet) -> Iterator[list]:
    """The rows in the order in which they were noted, some hundred at a time."""
    rows = rows.order_by("id")
    page = list(rows[:CHUNK])
    while page:
        yield page
        page = list(rows.filter(pk__gt=page[-1].pk)[:CHUNK])


def rows_left(change: Change, kind: str) -> QuerySet[RowChange]:
    """What is still to be put back of one kind: not what an undo that was broken off has put back."""
    rows = RowChange.objects.filter(change=change, kind=kind).order_by("id")
    if change.begun_undo is None:
        return rows
    return rows.exclude(row__in=RowChange.objects.filter(change=change.begun_undo, kind=kind).values("row"))


class StillRunning(Conflict):
    code = "still_running"
    detail = "The job that makes this change is still running: cancel it, or wait until it has ended."


class AlreadyUndone(Conflict):
    code = "already_undone"
    detail = "This change was taken back already. To have it again, undo that."


class ChangedSince(Conflict):
    code = "changed_since"
    detail = "What this changed was changed again: take the later changes back first."

    def __init__(self, rows: Sequence[Differing] = ()) -> None:
        self.rows = rows
        named = ", ".join(f"{row.name} ({row.reason})" if row.reason else row.name for row in rows[:3])
        super().__init__(f"{self.detail} It is {named}{' and more' if len(rows) > 3 else ''}.")


def undo_change(*, change: Change, user: User | None, made: Change | None = None) -> Change:
    """Take a change back. Returns the change that this is; undoing it does the first one again.

    Args:
        made: the change that this is, where an attempt before may have been broken off.

    Raises:
        AlreadyUndone, ChangedSince, StillRunning
    """
    begun = Change.objects.filter(undo_of=change).first() if made is None else None
    if begun is not None and not _may_go_on(change, begun):
        raise AlreadyUndone()
    made = made or begun or open_undo(change, user)
    before = made.rows
    if change.rows <= MOST_AT_ONCE:
        _undo_at_once(change, user, made)
    else:
        _undo(change, user, made)
    close_change(made)
    if begun is not None and made.rows == before:
        raise AlreadyUndone()
    return made


def open_undo(change: Change, user: User | None) -> Change:
    """The change that taking this one back is. It names what was done first, however often that was undone since."""
    return open_change(change.project, user, "undo", undo_of=change, action=original_action(change))


def original_action(change: Change) -> str:
    return change.details.get("action", change.action)


@atomic_again
def _undo_at_once(change: Change, user: User | None, made: Change) -> None:
    list(Change.objects.select_for_update().filter(pk=change.pk))
    _undo(change, user, made)


def _undo(change: Change, user: User | None, made: Change) -> None:
    if Job.objects.filter(pk=change.pk).exclude(state__in=ENDED).exists():
        raise StillRunning()
    begun = Change.objects.filter(undo_of=change).first()
    if begun is not None and begun.pk != made.pk:
        raise AlreadyUndone()
    change.begun_undo = begun
    require_unchanged(change)
    with noting(made):
        for part in PARTS:
            part.put_back(change, user)
    _let_go_of(change)


def _may_go_on(change: Change, begun: Change) -> bool:
    """Whether an undo in several transactions was broken off, by a process that died or by somebody's change in the
    middle: the same request again puts back what is left."""
    is_whole = change.rows <= MOST_AT_ONCE or begun.rows >= change.rows
    return not is_whole and not Change.objects.filter(undo_of=begun).exists()


def _let_go_of(undo: Change) -> None:
    """An undo of a part that was itself taken back: what it was of may be undone again, as a whole."""
    if undo.undo_of is not None and undo.rows < undo.undo_of.rows:
        Change.objects.filter(pk=undo.pk).update(undo_of=None)


def require_unchanged(change: Change) -> None:
    """Raises `ChangedSince`, with the first rows that are not as the change left them."""
    differing: list[Differing] = []
    for part in PARTS:
        for row in part.changed_since(change):
            differing.append(row)
            if len(differing) == MOST_LISTED:
                raise ChangedSince(differing)
    if differing:
        raise ChangedSince(differing)


def delete_old_changes() -> int:
    """Forget how to go back behind what is older than the trash. Returns how many changes."""
    oldest = timezone.now() - timedelta(days=settings.TRASH_DAYS)
    return delete_in_chunks(Change.objects.filter(changed_at__lt=oldest))
