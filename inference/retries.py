"""What jobs use, by the names of their parameters; all of it may be of other projects, or private by now."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet

from common.errors import Conflict
from datasets.selectors import datasets_of, images_of, snapshots_of, videos_of
from inference.selectors import models_of
from jobs.models import Job
from jobs.retries import checks_retry

USED: dict[str, Callable[..., QuerySet]] = {
    "model": models_of,
    "models": models_of,
    "base_model": models_of,
    "snapshot": snapshots_of,
    "dataset": datasets_of,
    "video": videos_of,
    "image": images_of,
    "images": images_of,
}


class NotUsable(Conflict):
    code = "not_usable"
    detail = "What this job uses is not there for you (any more). Start it with something else."


@checks_retry
def check_what_it_uses(job: Job, user: User) -> None:
    """Raises `NotUsable`. What was deleted is the job's own to tell."""
    for name, visible in USED.items():
        ids = set(_ids(job.parameters.get(name)))
        for chunk in _chunks(list(ids)):
            rows = visible(user)
            there = set(rows.model._base_manager.filter(pk__in=chunk).values_list("pk", flat=True))
            if there - set(rows.filter(pk__in=there).values_list("pk", flat=True)):
                raise NotUsable()


def _chunks(ids: list) -> Iterator[list]:
    yield from (ids[start : start + 500] for start in range(0, len(ids), 500))


def _ids(value: Any) -> Iterator[uuid.UUID]:
    for text in value if isinstance(value, list) else [value]:
        try:
            yield uuid.UUID(str(text))
        except ValueError:
            continue  # no reference
