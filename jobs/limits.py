"""How much unfinished work one user, and one project, may have, so that nobody takes what others need."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Model

from accounts.limits import Limit, LimitReached, hold, register
from jobs.models import Job, Work, WorkState

RETRY_SECONDS = 60


def unfinished(model: type[Work], **owner: Any) -> int:
    """How many pieces of work wait or run."""
    return model._default_manager.filter(state__in=(WorkState.QUEUED, WorkState.RUNNING), **owner).count()


def _work_limit(model: type[Work], name: str, setting: str, plural: str) -> Limit:
    return Limit(
        name, setting, lambda user: unfinished(model, created_by=user),
        f"You have {{limit}} {plural} waiting or running, which is all that this server allows. Wait until some have "
        "ended, or cancel some.",
        RETRY_SECONDS,
    )  # fmt: skip


# By the model of the work; rooms above add theirs with `limit_work`.
_work_limits: dict[type[Work], tuple[Limit, str, str]] = {}


def limit_work(model: type[Work], *, name: str, setting: str, project_setting: str, plural: str) -> None:
    """Limit how many pieces of a kind of work one user, and one project, may have unfinished."""
    _work_limits[model] = (register(_work_limit(model, name, setting, plural)), project_setting, plural)


limit_work(
    Job, name="queued_jobs", setting="MAX_QUEUED_JOBS", project_setting="MAX_QUEUED_JOBS_PER_PROJECT", plural="jobs"
)


def require_place(model: type[Work], *, project: Model, user: User | None, more: int = 1) -> None:
    """Raises `LimitReached` when the user, or the project, has as much unfinished work as is allowed. As exact as
    `Limit.require`."""
    limit, project_setting, plural = _work_limits[model]
    most = getattr(settings, project_setting)
    if most:
        hold(project)
    limit.require(user, more)
    if most and unfinished(model, project=project) + more > most:
        raise LimitReached(
            f"This project has {most:,} {plural} waiting or running, which is all that this server allows. Wait until "
            "some have ended, or cancel some.",
            f"{limit.code}_in_project",
            RETRY_SECONDS,
        )
