"""Trainings, searches and estimates of a large dataset: its snapshot is taken by a job, which then starts them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from datasets.models import Dataset, Snapshot
from datasets.snapshot_jobs import SnapshotResult, dataset_of, is_large
from datasets.snapshots import current_snapshot
from inference.selectors import models_of
from jobs import limits
from jobs.context import JobContext
from jobs.contracts import JobParameters
from jobs.errors import WorkFailed
from jobs.models import Job, JobKind
from jobs.queues import queue_for
from jobs.services import enqueue_job, handles
from projects.models import Project
from training.models import TrainingRun
from training.searches import start_search
from training.services import start_training


@dataclass(frozen=True)
class StartParameters(JobParameters):
    """The dataset that is frozen first, and what the training or the search is started with.

    Attributes:
        arguments: of `start_training` or `start_search`, without the objects.
    """

    dataset: str
    base_model: str | None
    arguments: dict


@dataclass(frozen=True)
class StartTrainingParameters(StartParameters, kind=JobKind.SNAPSHOT_AND_TRAINING):
    pass


@dataclass(frozen=True)
class StartSearchParameters(StartParameters, kind=JobKind.SNAPSHOT_AND_SEARCH):
    pass


@dataclass(frozen=True)
class StartTrainingResult(SnapshotResult):
    training: str


@dataclass(frozen=True)
class StartSearchResult(SnapshotResult):
    search: str


def dataset_to_freeze(
    *, project: Project, snapshot: Snapshot | None = None, dataset: Dataset | None = None, **_: Any
) -> Dataset | None:
    """The large dataset that has to be frozen first; None when there is nothing to wait for."""
    dataset = dataset or project.datasets.order_by("id").first()
    return dataset if snapshot is None and dataset is not None and is_large(dataset) else None


def start_from_dataset(*, what: type[StartParameters], dataset: Dataset, user: User, arguments: dict) -> Job:
    """Make the job that takes the snapshot and starts the training, or the search.

    Args:
        what: `StartTrainingParameters` or `StartSearchParameters`.
        arguments: of `start_training` or `start_search`.

    Raises:
        LimitReached: the user, or the project, has as many trainings or jobs as are allowed.
    """
    limits.require_place(TrainingRun, project=dataset.project, user=user)
    base = arguments.get("base_model")
    rest = {name: value for name, value in arguments.items() if name not in ("project", "dataset", "base_model")}
    parameters = what(str(dataset.pk), None if base is None else str(base.pk), rest)
    queue = queue_for(images=dataset.image_count)
    with transaction.atomic():
        return enqueue_job(project=dataset.project, user=user, parameters=parameters, queue=queue)


@handles(StartTrainingParameters)
def run_training_of_dataset(context: JobContext[StartTrainingParameters]) -> StartTrainingResult:
    snapshot, training = _start(context, start_training)
    return StartTrainingResult.of(snapshot, training=training)


@handles(StartSearchParameters)
def run_search_of_dataset(context: JobContext[StartSearchParameters]) -> StartSearchResult:
    snapshot, search = _start(context, start_search)
    return StartSearchResult.of(snapshot, search=search)


def _start(context: JobContext[Any], start: Callable) -> tuple[Snapshot, str]:
    """The snapshot, and the id of what was started on it."""
    job, parameters, dataset = context.job, context.parameters, dataset_of(context)
    base = None
    if parameters.base_model:
        base = models_of(job.created_by).filter(pk=parameters.base_model).first()
        if base is None:
            raise WorkFailed("base_model_deleted", "The base model was deleted meanwhile. Choose another one.")
    context.report(0, dataset.image_count)
    snapshot = current_snapshot(dataset=dataset, user=job.created_by)
    context.report(dataset.image_count, dataset.image_count)
    started = start(
        project=dataset.project, user=job.created_by, snapshot=snapshot, base_model=base, **parameters.arguments
    )
    return snapshot, str(started.pk)
