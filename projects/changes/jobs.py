"""Taking very large changes back: too long for a request, so a job does it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction

from jobs.context import JobContext
from jobs.contracts import JobParameters, JobResult
from jobs.errors import WorkFailed
from jobs.models import Job, JobKind
from jobs.queues import queue_for
from jobs.services import enqueue_job, handles
from projects.changes.models import Change
from projects.changes.undoing import AlreadyUndone, ChangedSince, StillRunning, open_undo, undo_change

# Changes of more rows are taken back by a job.
MOST_IN_REQUEST = 10_000


@dataclass(frozen=True)
class UndoParameters(JobParameters, kind=JobKind.UNDO):
    change: str


@dataclass(frozen=True)
class UndoResult(JobResult):
    change: str


def is_large(change: Change) -> bool:
    return change.rows > MOST_IN_REQUEST


@transaction.atomic
def start_undo(*, change: Change, user: User) -> Job:
    """Make the job that takes a change back. Raises `AlreadyUndone`, `LimitReached`."""
    if Change.objects.filter(undo_of=change).exists():
        raise AlreadyUndone()
    parameters = UndoParameters(str(change.pk))
    queue = queue_for(images=change.rows)
    return enqueue_job(project=change.project, user=user, parameters=parameters, queue=queue)


@handles(UndoParameters)
def run_undo(context: JobContext[UndoParameters]) -> UndoResult:
    """The position is the change that this is: an attempt that was broken off is taken up with it."""
    job = context.job
    rows = Change.objects.select_related("project").filter(project=job.project_id)
    change = rows.filter(pk=context.parameters.change).first()
    if change is None:
        raise WorkFailed(
            "change_forgotten", "How to go back behind this change was forgotten meanwhile: it is too old."
        )
    made = open_undo(change, job.created_by)
    if job.position:
        made.pk = uuid.UUID(job.position["change"])
    context.report(0, change.rows, position={"change": str(made.pk)})
    try:
        undo_change(change=change, user=job.created_by, made=made)
    except (AlreadyUndone, ChangedSince, StillRunning) as conflict:
        raise WorkFailed(conflict.code, conflict.detail) from conflict
    context.report(change.rows, change.rows, position={"change": str(made.pk)})
    return UndoResult(str(made.pk))
