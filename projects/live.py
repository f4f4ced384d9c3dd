"""What members of a project are told while they look at it: rows beside the change itself, in its transaction.

Work is told of by its own events (`WorkEvent`), so nothing is written twice for it; a message about a piece of work
says how it stands now, however many events have led there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Max, Model, QuerySet
from django.db.models.signals import post_delete, post_save
from django.utils import timezone

from jobs.models import Work
from projects.models import ProjectEvent

KEPT = timedelta(days=1)
# So many images are named one by one; a client that hears of more loads what it shows again.
MOST_NAMED = 50


@dataclass
class WorkUpdates:
    """What has happened to one piece of work since the last message, beside its state."""

    epochs: list[dict] = field(default_factory=list)
    estimate: dict | None = None
    model: dict | None = None


@dataclass(frozen=True)
class LiveWork:
    """How a kind of work is told.

    Attributes:
        rows: all of it, with what `content` reads.
        content: the message about one, without `kind`, `project` and `id`.
    """

    kind: str
    rows: Callable[[], QuerySet]
    content: Callable[[Any, WorkUpdates], dict]


# Rooms above add theirs.
WORK: dict[type[Work], LiveWork] = {}


def announce(*, project: Any, kind: str, **content: Any) -> None:
    """Tell the members of a project. Call it in the transaction of the change; ids may be given as they are.

    Args:
        project: its key.
        kind: as the schema of `events/` has it.
    """
    ProjectEvent.objects.create(
        project=project, kind=kind, content={name: _plain(value) for name, value in content.items()}
    )


def announce_annotations(*, images: dict, user: User | None) -> None:
    """Tell that annotations have changed.

    Args:
        images: key → (revision, dataset, project), of one or more projects.
    """
    by_dataset: dict[tuple, list] = {}
    for pk, (revision, dataset, project) in images.items():
        by_dataset.setdefault((project, dataset), []).append({"id": str(pk), "revision": revision})
    by = None if user is None else user.get_username()
    for (project, dataset), named in by_dataset.items():
        announce(
            project=project,
            kind="annotations",
            dataset=dataset,
            count=len(named),
            by=by,
            images=named if len(named) <= MOST_NAMED else [],
        )


def _plain(value: Any) -> Any:
    return value if isinstance(value, (int, float, list, dict, type(None))) else str(value)


def watch(
    model: type[Model], kind: str, /, *, project: Callable[[Any], Any], deletions: bool = True, **content: Callable
) -> None:
    """Announce rows of a model that are made, saved or deleted one by one.

    Args:
        project: a row → the key of its project.
        deletions: not for what is deleted in masses.
        content: name → what of the row is told.
    """

    def tell(row: Any, action: str) -> None:
        told = {name: read(row) for name, read in content.items()}
        announce(project=project(row), kind=kind, id=row.pk, action=action, **told)

    def saved(sender: type, instance: Model, created: bool = False, raw: bool = False, **kwargs: Any) -> None:
        if not raw:
            tell(instance, "created" if created else "changed")

    def deleted(sender: type, instance: Model, **kwargs: Any) -> None:
        tell(instance, "deleted")

    label = f"live:{model._meta.label}"
    post_save.connect(saved, sender=model, weak=False, dispatch_uid=label)
    if deletions:
        post_delete.connect(deleted, sender=model, weak=False, dispatch_uid=label)


def top_of_events() -> int:
    return ProjectEvent.objects.aggregate(top=Max("pk"))["top"] or 0


def standing_of(works: dict[Any, WorkUpdates]) -> Iterable[dict]:
    """A message about each piece of work that is still there."""
    for live in WORK.values():
        for row in live.rows().filter(pk__in=list(works)):
            own = {"kind": live.kind, "project": str(row.project_id), "id": str(row.pk)}
            yield own | live.content(row, works[row.pk])


def delete_old_events() -> int:
    """All but the last one, which says how far the numbers have come."""
    old = ProjectEvent.objects.filter(created_at__lt=timezone.now() - KEPT)
    return old.exclude(pk=top_of_events()).delete()[0]
