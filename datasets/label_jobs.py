"""Deleting and merging labels that very many images carry: too long for a request, so a job does it."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction

from datasets.errors import LabelInUse
from datasets.label_removal import carrying, carrying_in_trash, delete_label, require_other
from datasets.models import Label
from jobs.context import JobContext
from jobs.contracts import JobParameters, JobResult
from jobs.errors import WorkFailed
from jobs.models import Job, JobKind
from jobs.queues import queue_for
from jobs.services import enqueue_job, handles
from projects.changes.models import Change
from projects.changes.recording import recording_job
from projects.models import Project
from projects.permissions import require_still_editor
from projects.removal import MOST_AT_ONCE


@dataclass(frozen=True)
class LabelRemovalParameters(JobParameters, kind=JobKind.LABEL_REMOVAL):
    label: str
    name: str
    images: str
    move_to: str | None


@dataclass(frozen=True)
class LabelRemovalResult(JobResult):
    label: str
    name: str
    move_to: str | None
    images: int
    change: str | None = None


def is_large(label: Label) -> bool:
    """Whether more images carry it, those in the trash too, than are changed in a request."""
    counts = (images(label).order_by()[: MOST_AT_ONCE + 1].count() for images in (carrying, carrying_in_trash))
    return sum(counts) > MOST_AT_ONCE


def _count(label: Label) -> int:
    return carrying(label).count() + carrying_in_trash(label).count()


@transaction.atomic
def start_label_removal(*, label: Label, images: str | None, move_to: Label | None = None, user: User) -> Job:
    """Make the job that deletes a label; the arguments are those of `delete_label`.

    Raises:
        LabelInUse: nothing was said about the images that carry it.
        LimitReached
    """
    if images is None:
        raise LabelInUse()
    if move_to is not None:
        require_other(label, move_to)
    parameters = LabelRemovalParameters(str(label.pk), label.name, images, None if move_to is None else str(move_to.pk))
    queue = queue_for(images=_count(label))
    return enqueue_job(project=label.project, user=user, parameters=parameters, queue=queue)


@handles(LabelRemovalParameters)
def remove_label(context: JobContext[LabelRemovalParameters]) -> LabelRemovalResult:
    """Take the label from all images, as many at a time as a request would. The position is how many are done."""
    parameters = context.parameters
    require_still_editor(context.job)
    label = _label(context.job.project, parameters.label)
    if label is not None:  # else an attempt before, or another request, came to the end
        _remove(context, label)
    has_changed = Change.objects.filter(pk=context.job.pk, rows__gt=0).exists()
    return LabelRemovalResult(
        parameters.label,
        parameters.name,
        parameters.move_to,
        images=context.job.position.get("images", 0),
        change=str(context.job.pk) if has_changed else None,
    )


def _remove(context: JobContext[LabelRemovalParameters], label: Label) -> None:
    parameters = context.parameters
    move_to = _label(context.job.project, parameters.move_to)
    if parameters.move_to and move_to is None:
        raise WorkFailed("label_deleted", "The label that the images were to get was deleted meanwhile.")
    left = _count(label)
    done = context.job.position.get("images", 0)
    total = done + left
    context.report(done, total)

    def note(count: int) -> None:
        nonlocal done
        done += count
        require_still_editor(context.job)
        context.report(done, max(done, total), position={"images": done})

    user, action = context.job.created_by, "delete_label" if move_to is None else "merge_labels"
    names = {"label": label.name, **({} if move_to is None else {"into": move_to.name})}
    with recording_job(context.job, action, **names):
        delete_label(label=label, images=parameters.images, move_to=move_to, user=user, on_part=note)
    context.report(total, total, position={"images": max(done, total)})


def _label(project: Project, pk: str | None) -> Label | None:
    return Label.objects.select_related("project").filter(project=project, pk=pk).first() if pk else None
