"""Deleting projects: small ones at once; a large one disappears at once, and its rows go in the background.

What is large and belongs to a project that stays (a dataset) is moved into a hidden project of its own, which goes in
the same way.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from jobs import messages
from jobs.models import Work, WorkState
from projects.models import Invitation, Membership, Project
from storage.database import atomic_again
from storage.deleting import delete_in_chunks

log = structlog.get_logger(__name__)

# More images than this are not deleted in a request: nobody else could write meanwhile.
MOST_AT_ONCE = 1000
TASK, QUEUE = "projects.tasks.remove_projects", "periodic"
# What rooms above remove in the background: functions that return how many rows are gone.
IN_BACKGROUND: list[Callable[[], int]] = []


@atomic_again
def remove_project(*, project: Project) -> None:
    """Delete a project with all that is in it. What runs in a large one is cancelled first."""
    both = Project.objects.filter(Q(pk=project.pk) | Q(trash_of=project.pk))
    if sum(both.values_list("image_count", flat=True)) <= MOST_AT_ONCE:
        project.delete()
        return
    Project.objects.filter(pk=project.pk).update(deleting_since=timezone.now())
    # All that anybody may see starts from a membership.
    Membership.objects.filter(project=project).delete()
    Invitation.objects.filter(project=project).delete()
    cancel_work_of(project)
    remove_soon()


def hidden_project(project: Project, *, name: str, **counts: int) -> Project:
    """A project that nobody sees, for what is removed of another one. `counts` are those of what is moved into it."""
    remove_soon()
    return Project.objects.create(name=name, task=project.task, deleting_since=timezone.now(), **counts)


def remove_soon() -> None:
    """Let the rows go when the transaction is over; beat sees to it each minute, too."""
    transaction.on_commit(lambda: messages.send(TASK, QUEUE))


def cancel_work_of(project: Project) -> None:
    for model in Work.__subclasses__():
        if hasattr(model, "project"):  # that of the studio itself belongs to none
            _cancel_all(model, project)


def _cancel_all(model: type[Work], project: Project) -> None:
    rows = model._default_manager.filter(project=project)  # type: ignore[misc] # each kind of work has a project
    rows.filter(state=WorkState.QUEUED).update(
        state=WorkState.CANCELLED, cancel_requested=True, finished_at=timezone.now()
    )
    rows.filter(state=WorkState.RUNNING).update(cancel_requested=True)


def remove_projects() -> int:
    """Remove the rows of projects that were deleted, a few at a time. Returns how many projects are gone."""
    removed = 0
    for pk in list(Project.objects.filter(deleting_since__isnull=False).values_list("pk", flat=True)):
        removed += delete_in_chunks(Project.objects.filter(pk=pk))
        log.info("project_removed", project=str(pk))
    for part in IN_BACKGROUND:
        part()
    return removed
