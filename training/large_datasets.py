"""Trainings, searches and estimates of a large dataset: its snapshot is taken by a job, which then starts them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from datasets.models import Dataset, Snapshot
from datasets.snapshot_jobs import dataset_of, is_large, snapshot_result
from datasets.snapshots import current_snapshot
from inference.selectors import models_of
from jobs import limits
from jobs.context import JobContext
from jobs.errors import WorkFailed
from jobs.models import Job
from jobs.queues import queue_for
from jobs.services import enqueue_job, handles
from projects.models import Project
from training.models import TrainingRun
from training.searches import start_search
from training.services import start_training

TRAINING, SEARCH = "snapshot_and_training", "snapshot_and_search"


def dataset_to_freeze(
    *, project: Project, snapshot: Snapshot | None = None, dataset: Dataset | None = None, **_: Any
) -> Dataset | None:
    """The large dataset that has to be frozen first; None when there is nothing to wait for."""
    dataset = dataset or project.datasets.order_by("id").first()
    return dataset if snapshot is None and dataset is not None and is_large(dataset) else None


def start_from_dataset(*, kind: str, dataset: Dataset, user: User, arguments: dict) -> Job:
    """Make the job that takes the snapshot and starts the training, or the search.

    Args:
        kind: `TRAINING` or `SEARCH`.
        arguments: of `start_training` or `start_search`.

    Raises:
        LimitReached: the user, or the project, has as many trainings or jobs as are allowed.
    """
    limits.require_place(TrainingRun, project=dataset.project, user=user)
    base = arguments.get("base_model")
    rest = {name: value for name, value in arguments.items() if name not in ("project", "dataset", "base_model")}
    parameters = {"dataset": str(dataset.pk), "base_model": None if base is None else str(base.pk), "arguments": rest}
    queue = queue_for(images=dataset.image_count)
    with transaction.atomic():
        return enqueue_job(project=dataset.project, user=user, kind=kind, parameters=parameters, queue=queue)


@handles(TRAINING)
def run_training_of_dataset(context: JobContext) -> dict:
    return _start(context, start_training, "training")


@handles(SEARCH)
def run_search_of_dataset(context: JobContext) -> dict:
    return _start(context, start_search, "search")


def _start(context: JobContext, start: Callable, name: str) -> dict:
    job, dataset = context.job, dataset_of(context)
    base = None
    if job.parameters["base_model"]:
        base = models_of(job.created_by).filter(pk=job.parameters["base_model"]).first()
        if base is None:
            raise WorkFailed("base_model_deleted", "The base model was deleted meanwhile. Choose another one.")
    context.report(0, dataset.image_count)
    snapshot = current_snapshot(dataset=dataset, user=job.created_by)
    context.report(dataset.image_count, dataset.image_count)
    started = start(
        project=dataset.project, user=job.created_by, snapshot=snapshot, base_model=base, **job.parameters["arguments"]
    )
    return snapshot_result(snapshot) | {name: str(started.pk)}
