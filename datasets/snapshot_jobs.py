"""Snapshots of large datasets, taken outside of a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from datasets.models import Dataset, Snapshot
from datasets.selectors import live_datasets
from datasets.snapshots import take_snapshot
from jobs.context import JobContext
from jobs.contracts import JobParameters, JobResult
from jobs.errors import WorkFailed
from jobs.models import Job, JobKind
from jobs.queues import queue_for
from jobs.services import enqueue_job, handles


@dataclass(frozen=True)
class SnapshotParameters(JobParameters, kind=JobKind.SNAPSHOT):
    dataset: str
    fractions: dict[str, float]
    seed: int


@dataclass(frozen=True)
class SnapshotResult(JobResult):
    snapshot: str
    number: int
    images: int
    splits: dict[str, int]
    remarks: list[dict]

    @classmethod
    def of(cls, snapshot: Snapshot, **fields: str) -> Self:
        """Of a snapshot; `fields` are what a subclass adds."""
        counts = snapshot.counts
        remarks = counts.get("remarks", [])
        return cls(str(snapshot.pk), snapshot.number, counts["images"], counts["splits"], remarks, **fields)


def is_large(dataset: Dataset) -> bool:
    """Whether reading and grouping its images takes longer than somebody should wait for an answer."""
    return dataset.image_count > settings.SNAPSHOT_REQUEST_IMAGES


@transaction.atomic
def start_snapshot(*, dataset: Dataset, user: User, fractions: dict[str, float], seed: int) -> Job:
    """Make the job that takes the snapshot. Raises `LimitReached`."""
    parameters = SnapshotParameters(str(dataset.pk), fractions, seed)
    queue = queue_for(images=dataset.image_count)
    return enqueue_job(project=dataset.project, user=user, parameters=parameters, queue=queue)


@handles(SnapshotParameters)
def run_snapshot(context: JobContext[SnapshotParameters]) -> SnapshotResult:
    parameters = context.parameters
    dataset = dataset_of(context)
    context.report(0, dataset.image_count)
    snapshot = take_snapshot(
        dataset=dataset, user=context.job.created_by, fractions=parameters.fractions, seed=parameters.seed
    )
    context.report(dataset.image_count, dataset.image_count)
    return SnapshotResult.of(snapshot)


def dataset_of(context: JobContext) -> Dataset:
    """The dataset that a job names. Raises `WorkFailed` when it is gone."""
    dataset = live_datasets().select_related("project").filter(pk=context.parameters.dataset).first()
    if dataset is None:
        raise WorkFailed("dataset_deleted", "The dataset was deleted meanwhile.")
    return dataset
