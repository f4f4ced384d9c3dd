from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.urls import reverse

from jobs.models import ENDED
from jobs.queues import place_of
from jobs.work import error_of
from projects.models import Project
from projects.selectors import jobs_of, project_ids_of
from training.models import Search, TrainingRun

# What lists do not show of the rows that they name.
LARGE = (
    "snapshot__counts",
    "snapshot__class_names",
    "model__metrics",
    "model__class_names",
    "base_model__metrics",
    "base_model__class_names",
)


def trainings_of(user: User) -> QuerySet[TrainingRun]:
    rows = TrainingRun.objects.filter(project__in=project_ids_of(user))
    named = rows.select_related("project", "snapshot__dataset", "model", "base_model", "created_by")
    return named.defer(*LARGE)


def searches_of(user: User) -> QuerySet[Search]:
    rows = (
        Search.objects.filter(project__in=project_ids_of(user))
        .select_related("project", "best", "snapshot__dataset", "base_model", "created_by")
        .defer("snapshot__counts", "snapshot__class_names", "base_model__metrics", "base_model__class_names")
    )
    return rows.prefetch_related("runs")


def activity_of(user: User, project: Project | None, state: str, limit: int) -> list[dict]:
    """Jobs and trainings together, the newest first; `state` is active, ended or all."""
    rows: list[dict] = []
    lines: dict = {}
    sources = (
        (jobs_of(user).prefetch_related(None), "job", "job-detail"),
        (trainings_of(user).defer("history", "estimate", "configuration"), "training", "trainingrun-detail"),
    )
    for found, kind, view in sources:
        if project is not None:
            found = found.filter(project=project)
        if state != "all":
            found = found.filter(state__in=ENDED) if state == "ended" else found.exclude(state__in=ENDED)
        rows += [
            {
                "id": row.pk,
                "type": kind,
                "kind": getattr(row, "kind", "training"),
                "dry_run": bool(getattr(row, "parameters", {}).get("dry_run")),
                "project": row.project_id,
                "project_name": row.project.name,
                "state": row.state,
                "waiting": place_of(row, lines),
                "progress": row.progress,
                "error": error_of(row),
                "started_by": None if row.created_by is None else row.created_by.username,
                "url": reverse(view, args=[row.pk]),
                "created_at": row.created_at,
                "started_at": row.started_at,
                "finished_at": row.finished_at,
            }
            for row in found.select_related("project", "created_by").order_by("-id")[:limit]
        ]
    return sorted(rows, key=lambda row: row["id"], reverse=True)[:limit]
