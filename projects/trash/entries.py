"""Rows of the trash: made, counted, marked as empty. In the caller's transaction, which moves what they stand for."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from projects.changes.models import Change
from projects.changes.recording import is_recording, recorded_change
from projects.live import announce
from projects.models import Project
from projects.trash.models import TrashEntry, TrashKind


def keeps_deleted() -> bool:
    """Whether what is deleted now goes into the trash: a change is open, which can be taken back."""
    return settings.TRASH_DAYS > 0 and is_recording()


def trash_of(project: Project) -> Project:
    """The project that holds what was deleted of this one. The caller has locked this one."""
    trash = Project.objects.filter(trash_of=project).first()
    return trash or Project.objects.create(
        name=project.name,
        task=project.task,
        created_by_id=project.created_by_id,
        trash_of=project,
        trashed_since=timezone.now(),
    )


def entry_of_images(project: Project, name: str) -> TrashEntry:
    """The entry of the images that the open change deletes: its own, or that of the video they were cut from."""
    change = _open_change()
    entry = TrashEntry.objects.filter(change=change, kind__in=(TrashKind.IMAGES, TrashKind.VIDEO)).first()
    return entry or TrashEntry.objects.create(kind=TrashKind.IMAGES, project=project, name=name[:255], **_now(change))


def put_into_trash(
    *, project: Project, kind: TrashKind, target: Any, name: str, count: int, facts: dict | None = None
) -> TrashEntry:
    """The entry of one thing, which may have been here before."""
    change = _open_change()
    values = {"project": project, "name": name[:255], "count": count, "is_empty": False, "facts": facts or {}}
    entry, _ = TrashEntry.objects.update_or_create(kind=kind, target=target, defaults={**values, **_now(change)})
    _announce(entry)
    return entry


def take_out(*, kind: TrashKind, target: Any) -> TrashEntry | None:
    """Mark the entry of one thing as empty; it stays for those who delete the thing again by undoing."""
    entry = TrashEntry.objects.filter(kind=kind, target=target).first()
    if entry is not None:
        TrashEntry.objects.filter(pk=entry.pk).update(is_empty=True)
        _announce(entry)
    return entry


def count_again(entry_pk: uuid.UUID, change: int) -> None:
    """Images came into the trash, or left it."""
    rows = TrashEntry.objects.filter(pk=entry_pk)
    values: dict[str, Any] = _now(_open_change()) if change > 0 else {}
    rows.update(count=Greatest(F("count") + change, 0), **values)
    images = rows.filter(kind=TrashKind.IMAGES)
    images.filter(count=0).update(is_empty=True)
    images.filter(count__gt=0).update(is_empty=False)
    _announce(rows.get())


def _open_change() -> Change:
    change = recorded_change()
    if change is None:
        raise RuntimeError("Only what a change records goes into the trash.")
    return change


def _now(change: Change) -> dict[str, Any]:
    return {"change": change, "deleted_by": change.changed_by, "deleted_at": timezone.now()}


def _announce(entry: TrashEntry) -> None:
    announce(project=entry.project_id, kind="trash", id=entry.pk, action="changed")
