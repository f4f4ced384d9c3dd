"""Restoring what lies in the trash, and removing it for good."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from common.errors import NotFound
from jobs.loops import each
from projects.changes.models import Change
from projects.live import announce
from projects.models import Project
from projects.trash.kinds import KINDS
from projects.trash.models import TrashEntry
from storage.database import atomic_again
from storage.deleting import let_others_write

log = structlog.get_logger(__name__)


def change_that_deleted(entry: TrashEntry) -> Change:
    """Taking it back restores the entry. Raises `NotFound`: it is forgotten."""
    if entry.change is None:
        raise NotFound()
    return entry.change


@atomic_again
def remove_for_good(entry: TrashEntry) -> bool:
    """Whether it was there. What is large goes in the background, out of sight at once."""
    list(Project.objects.select_for_update().filter(pk=entry.project_id).values_list("pk"))
    current = TrashEntry.objects.select_for_update().filter(pk=entry.pk).first()
    if current is None:
        return False
    announce(project=current.project_id, kind="trash", id=current.pk, action="deleted")
    KINDS[current.kind].remove(current)
    TrashEntry.objects.filter(pk=current.pk).delete()
    return True


def remove_all(entries: Iterable[TrashEntry]) -> int:
    """Remove these entries, a transaction for each. Returns how many."""
    removed = 0
    for entry in list(entries):
        removed += remove_for_good(entry)
        let_others_write()
    return removed


def removed_at(entry: TrashEntry) -> datetime:
    """When it will be removed for good."""
    return entry.deleted_at + timedelta(days=settings.TRASH_DAYS)


def remove_expired() -> int:
    """Remove what was deleted before MLSTUDIO_TRASH_DAYS, and what nothing can restore any more. Returns how many."""
    oldest = timezone.now() - timedelta(days=settings.TRASH_DAYS)
    expired = TrashEntry.objects.filter(Q(deleted_at__lt=oldest) | Q(change=None))
    removed = sum(done for done in each(expired, remove_for_good, loop="trash"))
    if removed:
        log.info("trash_removed", entries=removed)
    return removed
