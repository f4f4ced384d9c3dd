"""What `events/` tells of: which rows are announced, and how trainings and jobs are told."""

from __future__ import annotations

from datasets.models import Dataset, Label, Snapshot, Video
from edge.models import Deployment, Device, DeviceGroup
from inference.models import Evaluation, Model, ModelFile
from jobs.models import Job
from jobs.work import error_of
from projects.live import WORK, LiveWork, WorkUpdates, watch
from projects.models import Membership, Project
from training.models import Search, TrainingRun


def watch_all() -> None:
    watch(Project, "project", project=lambda row: row.pk, name=lambda row: row.name)
    watch(
        Membership,
        "member",
        project=lambda row: row.project_id,
        username=lambda row: row.user.username,
        role=lambda row: row.role,
    )
    watch(Dataset, "dataset", project=lambda row: row.project_id, name=lambda row: row.name)
    watch(Label, "label", project=lambda row: row.project_id, name=lambda row: row.name)
    watch(Snapshot, "snapshot", project=lambda row: row.project_id, dataset=lambda row: row.dataset_id, deletions=False)
    watch(Video, "video", project=lambda row: row.dataset.project_id, dataset=lambda row: row.dataset_id)
    watch(Model, "model", project=lambda row: row.project_id, name=str, stage=lambda row: row.stage)
    watch(
        ModelFile,
        "model_file",
        project=lambda row: row.model.project_id,
        model=lambda row: row.model_id,
        file=lambda row: row.kind,
        deletions=False,
    )
    watch(
        Evaluation,
        "evaluation",
        project=lambda row: row.model.project_id,
        model=lambda row: row.model_id,
        deletions=False,
    )
    watch(
        Deployment,
        "deployment",
        project=lambda row: row.project_id,
        group=lambda row: row.group_id,
        model=lambda row: row.model_id,
        state=lambda row: row.state,
        note=lambda row: row.note,
        deletions=False,
    )
    watch(DeviceGroup, "device_group", project=lambda row: row.project_id, name=lambda row: row.name)
    watch(Device, "device", project=lambda row: row.project_id, name=lambda row: row.name)
    watch(Search, "search", project=lambda row: row.project_id, state=lambda row: row.state)
    watch(Job, "job", project=lambda row: row.project_id, deletions=False)
    WORK[Job] = LiveWork("job", lambda: Job.objects.select_related("created_by"), _job)
    WORK[TrainingRun] = LiveWork(
        "training",
        lambda: TrainingRun.objects.select_related("created_by").defer("history", "configuration"),
        _training,
    )


def _work(row: Job | TrainingRun) -> dict:
    return {
        "action": "changed",
        "state": row.state,
        "progress": row.progress,
        "error": error_of(row) if row.has_ended else None,
        "created_by": None if row.created_by is None else row.created_by.get_username(),
    }


def _job(job: Job, updates: WorkUpdates) -> dict:
    about = {name: job.parameters.get(name) for name in ("dataset", "model")}
    return {"job_kind": job.kind, **about, **_work(job)}


def _training(run: TrainingRun, updates: WorkUpdates) -> dict:
    return {
        "name": run.name,
        "score": run.score,
        "model": None if run.model_id is None else str(run.model_id),
        "epochs": updates.epochs,
        "estimate": updates.estimate,
        **_work(run),
    }
