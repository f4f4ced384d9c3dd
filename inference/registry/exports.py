"""Exports of a model: what is asked for is checked here, the files are made in a process of their own."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction

from common.errors import Invalid
from datasets.models import Snapshot
from datasets.snapshots import require_images
from inference.models import FileKind, Model
from jobs.contracts import JobParameters, JobResult
from jobs.models import Job, JobKind, Queue
from jobs.services import enqueue_job
from vision.runtime.kinds import KERAS_RETINANET_KINDS, KINDS

LARGEST_DROP = 0.02


@dataclass(frozen=True)
class ModelExportParameters(JobParameters, kind=JobKind.MODEL_EXPORT, queue=Queue.HEAVY):
    model: str
    kinds: list[str]
    bundle_of: str | None
    snapshot: str | None
    largest_drop: float


@dataclass(frozen=True)
class ModelExportResult(JobResult):
    model: str
    exports: list[dict]
    bundle: str | None


def exportable_kinds(model: Model) -> list[str]:
    """What this model can be exported as; nothing when it has no file of its own to start from."""
    kinds = {file.kind for file in model.files.all()}
    if FileKind.KERAS in kinds:
        return list(KINDS)
    return list(KERAS_RETINANET_KINDS) if FileKind.KERAS_H5 in kinds else []


def start_export(
    *,
    model: Model,
    user: User,
    kinds: list[str],
    bundle_of: str | None = None,
    snapshot: Snapshot | None = None,
    largest_drop: float = LARGEST_DROP,
) -> Job:
    """Make the job that writes, verifies and keeps the files.

    Args:
        bundle_of: the kind of file that a zip with everything around it is made for, if one is wanted.
        snapshot: whose test split they are verified on; the model's own by default.
        largest_drop: how much accuracy or AP50 a file may lose.

    Raises:
        Invalid: the model cannot be exported as one of them.
    """
    if snapshot is not None:
        require_images(snapshot)
    possible = exportable_kinds(model)
    wanted = list(dict.fromkeys(kinds + ([bundle_of] if bundle_of else [])))
    impossible = [kind for kind in wanted if kind not in possible]
    if impossible:
        detail = f"This model cannot be exported as {impossible[0]}; possible: {', '.join(possible) or 'nothing'}."
        raise Invalid(detail, attr="kinds", code="export_not_possible")
    if snapshot is not None and snapshot.project.task != model.task:
        raise Invalid("It is of a project with another task.", attr="snapshot", code="snapshot_does_not_fit")
    parameters = ModelExportParameters(
        model=str(model.pk),
        kinds=wanted,
        bundle_of=bundle_of,
        snapshot=None if snapshot is None else str(snapshot.pk),
        largest_drop=largest_drop,
    )
    with transaction.atomic():
        return enqueue_job(project=model.project, user=user, parameters=parameters)
