"""Putting back what lies in the trash: all of it, or what nothing stands against."""

from __future__ import annotations

from dataclasses import asdict

from django.contrib.auth.models import User

from projects.changes.models import Change
from projects.changes.recording import recording
from projects.changes.undoing import ChangedSince, undo_change
from projects.trash.kinds import KINDS
from projects.trash.models import TrashEntry


def restore(*, entry: TrashEntry, change: Change, user: User) -> Change:
    """Take back the change that deleted it. Of many images those come back that can; the others stay in the trash, and
    `details.left` of the returned change names the first of them.

    Raises:
        AlreadyUndone, ChangedSince, StillRunning
    """
    try:
        return undo_change(change=change, user=user)
    except ChangedSince as conflict:
        left = [asdict(row) for row in conflict.rows]
        with recording(change.project, user, "restore", left=left) as made:
            KINDS[entry.kind].restore_rest(entry)
        if not made.rows:
            raise
        return made
