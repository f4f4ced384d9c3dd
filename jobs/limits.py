"""How much unfinished work one user, and one project, may have, so that nobody takes what others need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Model

from accounts.limits import Limit, LimitReached, hold, register
from common.words import counted
from jobs.models import Job, Work, WorkState

RETRY_SECONDS = 60
WAIT = "Wait until one has ended, or cancel one."


def unfinished(model: type[Work], **owner: Any) -> int:
    """How many pieces of work wait or run."""
    return model._default_manager.filter(state__in=(WorkState.QUEUED, WorkState.RUNNING), **owner).count()


def _work_limit(model: type[Work], name: str, setting: str, in_words: Callable[[int], str]) -> Limit:
    return Limit(
        name,
        setting,
        lambda user: unfinished(model, created_by=user),
        f"You have {{limit}} waiting or running, which is all that this server allows. {WAIT}",
        in_words,
        RETRY_SECONDS,
    )


# By the model of the work; rooms above add theirs with `limit_work`.
_work_limits: dict[type[Work], tuple[Limit, str]] = {}


def limit_work(
    model: type[Work], *, name: str, setting: str, project_setting: str, in_words: Callable[[int], str]
) -> None:
    """Limit how many pieces of a kind of work one user, and one project, may have unfinished."""
    _work_limits[model] = (register(_work_limit(model, name, setting, in_words)), project_setting)


limit_work(
    Job,
    name="queued_jobs",
    setting="MAX_QUEUED_JOBS",
    project_setting="MAX_QUEUED_JOBS_PER_PROJECT",
    in_words=lambda count: counted(count, "job"),
)


def require_place(model: type[Work], *, project: Model, user: User | None, more: int = 1) -> None:
    """Raises `LimitReached` when the user, or the project, has as much unfinished work as is allowed. As exact as
    `Limit.require`."""
    limit, project_setting = _work_limits[model]
    most = getattr(settings, project_setting)
    if most:
        hold(project)
    limit.require(user, more)
    if most and unfinished(model, project=project) + more > most:
        raise LimitReached(
            f"This project has {limit.in_words(most)} waiting or running, which is all that this server allows. {WAIT}",
            f"{limit.code}_in_project",
            RETRY_SECONDS,
        )
