"""What a training would take: a preflight, which is a job because it may have to time the network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from datasets.models import Dataset, Snapshot
from datasets.snapshot_jobs import dataset_of, is_large
from datasets.snapshots import current_snapshot
from inference.models import Model
from jobs.context import JobContext
from jobs.contracts import JobParameters, JobResult
from jobs.engine.process import EngineProcess, result_of
from jobs.errors import WorkFailed
from jobs.models import Job, JobKind, Queue
from jobs.services import enqueue_job, handles
from projects.models import Project
from training.data_warnings import data_warnings, seen_of
from training.engine_folder import prepare_folder
from training.services import check_configuration, checked
from training.speeds import AnyConfiguration, keep_speeds, quick_estimate
from vision.engine_requests import PreflightRequest
from vision.sandbox.removal import remove_tree
from vision.training.resources import Estimate
from vision.training.speeds import Speeds


@dataclass(frozen=True)
class PreflightParameters(JobParameters, kind=JobKind.PREFLIGHT, queue=Queue.PREFLIGHT):
    """The settings as the user made them, for a dataset or a snapshot of it."""

    configuration: dict
    base_model: str | None = None
    snapshot: str | None = None
    dataset: str | None = None


@dataclass(frozen=True)
class PreflightResult(JobResult):
    """The estimate, and what it is an estimate of; `images` and `labels` count by split."""

    estimate: Estimate
    configuration: dict
    snapshot: str
    images: dict[str, int]
    labels: list[dict]

    def to_dict(self) -> dict[str, Any]:
        values = super().to_dict()
        return self.estimate.to_dict() | {name: value for name, value in values.items() if name != "estimate"}


def start_preflight(
    *,
    project: Project,
    user: User,
    configuration: dict,
    snapshot: Snapshot | None = None,
    dataset: Dataset | None = None,
    name: str = "",
    base_model: Model | None = None,
) -> Job:
    """A job that answers what such a training would take; it takes the snapshot of a large dataset itself.

    Raises:
        CannotTrain
    """
    base = None if base_model is None else str(base_model.pk)
    dataset = dataset or project.datasets.order_by("id").first()
    if snapshot is None and dataset is not None and is_large(dataset):
        parameters = PreflightParameters(configuration, base, dataset=str(dataset.pk))
    else:
        snapshot, _ = checked(project, user, configuration, snapshot, dataset, base_model)
        parameters = PreflightParameters(configuration, base, snapshot=str(snapshot.pk))
    with transaction.atomic():
        return enqueue_job(project=project, user=user, parameters=parameters)


@handles(PreflightParameters)
def run_preflight(context: JobContext[PreflightParameters]) -> PreflightResult:
    """Say what a training takes: at once where its network was measured on this machine, else the engine times it."""
    base_model = context.parameters.base_model
    base = Model.objects.filter(pk=base_model).first() if base_model else None
    if base is None and base_model:
        raise WorkFailed("base_model_deleted", "The base model was deleted meanwhile. Choose another one.")
    snapshot = _snapshot_of(context)

    def configured() -> AnyConfiguration:
        project, user = context.job.project, context.job.created_by
        return check_configuration(project, user, context.parameters.configuration, snapshot, base)

    configuration = configured()
    estimate = quick_estimate(configuration, snapshot, has_base=base is not None)
    if estimate is None:
        speeds, estimate = _measured(context, snapshot, configuration, base)
        fitting = configured()  # what fits into its minutes is known only now
        if fitting != configuration and speeds is not None:
            configuration = fitting
            estimate = quick_estimate(fitting, snapshot, has_base=base is not None) or estimate
    estimate = replace(estimate, warnings=[*estimate.warnings, *data_warnings(snapshot)])
    return PreflightResult(estimate, configuration.to_dict(), **seen_of(snapshot))


def _measured(
    context: JobContext[PreflightParameters], snapshot: Snapshot, configuration: AnyConfiguration, base: Model | None
) -> tuple[Speeds | None, Estimate]:
    """Let the engine check the data and time a few steps."""
    folder = context.work_path("preflight")
    prepare_folder(folder, snapshot, configuration.to_dict(), base=base, kind=PreflightRequest)
    try:
        process = EngineProcess(folder)
        try:
            values = result_of(process, context, "preflight_died")
            return keep_speeds(values.pop("speeds", {})), Estimate(**values)
        finally:
            process.kill()
    finally:
        remove_tree(folder)


def _snapshot_of(context: JobContext[PreflightParameters]) -> Snapshot:
    """The snapshot of a preflight, taken now where its dataset is large."""
    parameters = context.parameters
    if parameters.dataset is not None:
        dataset = dataset_of(context)
        context.report(0, 1)
        return current_snapshot(dataset=dataset, user=context.job.created_by)
    found = Snapshot.objects.filter(pk=parameters.snapshot).first() if parameters.snapshot else None
    if found is None:
        raise WorkFailed("snapshot_deleted", "The snapshot was deleted meanwhile.")
    return found
