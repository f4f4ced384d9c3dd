"""What one user and one project may have of waiting work, files and projects, so that nobody takes what others need.

Files count for the user who made the project they are in, whoever added them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.db.models import Sum

from accounts.limits import Limit, LimitReached, register
from projects.models import Job, Project, Work, WorkState
from storage.models import Upload

RETRY_SECONDS = 60
COUNTED_AGAIN_SECONDS = 600

PROJECTS = register(
    Limit(
        "projects", "MAX_PROJECTS", lambda user: Project.objects.filter(created_by=user).count(),
        "You have {limit} projects, which is all that this server allows. Delete one that you no longer need.",
    )
)  # fmt: skip


def unfinished(model: type[Work], **owner) -> int:
    """How many pieces of work wait or run."""
    return model._default_manager.filter(state__in=(WorkState.QUEUED, WorkState.RUNNING), **owner).count()


def _work_limit(model: type[Work], name: str, setting: str, plural: str) -> Limit:
    return Limit(
        name, setting, lambda user: unfinished(model, created_by=user),
        f"You have {{limit}} {plural} waiting or running, which is all that this server allows. Wait until some have "
        "ended, or cancel some.",
        RETRY_SECONDS,
    )  # fmt: skip


register(
    Limit(
        "open_uploads", "MAX_OPEN_UPLOADS", lambda user: Upload.objects.filter(user=user).count(),
        "You have {limit} unfinished uploads, which is all that this server allows. Finish or delete some.",
    )
)  # fmt: skip

# By the model of the work; rooms above add theirs with `limit_work`.
_work_limits: dict[type[Work], tuple[Limit, str, str]] = {}


def limit_work(model: type[Work], *, name: str, setting: str, project_setting: str, plural: str) -> None:
    """Limit how many pieces of a kind of work one user, and one project, may have unfinished."""
    _work_limits[model] = (register(_work_limit(model, name, setting, plural)), project_setting, plural)


limit_work(
    Job, name="queued_jobs", setting="MAX_QUEUED_JOBS", project_setting="MAX_QUEUED_JOBS_PER_PROJECT", plural="jobs"
)


def require_place(model: type[Work], *, project: Project, user, more: int = 1) -> None:
    """Raises `LimitReached` when the user, or the project, has as much unfinished work as is allowed."""
    limit, project_setting, plural = _work_limits[model]
    limit.require(user, more)
    most = getattr(settings, project_setting)
    if most and unfinished(model, project=project) + more > most:
        raise LimitReached(
            f"This project has {most:,} {plural} waiting or running, which is all that this server allows. Wait until "
            "some have ended, or cancel some.",
            f"{limit.code}_in_project",
            RETRY_SECONDS,
        )


# Files


# What counts the bytes of a user; rooms above append theirs.
BYTE_COUNTERS: list[Callable[..., int]] = []


class _ByteCount:
    """What a user's files take. Counted again now and then and before anything is refused; in between it grows by what
    this process adds, so that an upload does not add up a million rows."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[object, tuple[float, int]] = {}

    def of(self, user, *, again: bool = False) -> int:
        at, count = self._known.get(user.pk, (0.0, 0))
        if again or not at or time.monotonic() - at > COUNTED_AGAIN_SECONDS:
            count = sum(counter(user) for counter in BYTE_COUNTERS)
            with self._lock:
                self._known[user.pk] = (time.monotonic(), count)
        return count

    def add(self, user, more: int) -> None:
        with self._lock:
            if user.pk in self._known:
                at, count = self._known[user.pk]
                self._known[user.pk] = (at, count + more)

    def clear(self) -> None:
        with self._lock:
            self._known.clear()


byte_count = _ByteCount()
BYTES = register(
    Limit(
        "bytes", "MAX_USER_BYTES", byte_count.of,
        "The files of the user who made this project would take more than {limit} bytes, which is all that this server "
        "allows. Delete images, videos or models, or ask the operator for more (MLSTUDIO_MAX_USER_BYTES).",
    )
)  # fmt: skip


def require_bytes(user, more: int) -> None:
    """Raises `LimitReached` when the files of a user would take too much with `more` bytes; else counts them."""
    if user is None or not BYTES.value:
        return
    if byte_count.of(user) + more > BYTES.value:
        byte_count.of(user, again=True)
        BYTES.require(user, more)
    byte_count.add(user, more)


def _bytes_of_jobs(user) -> int:
    jobs = Job.objects.filter(project__created_by=user)
    sums = [
        jobs.aggregate(total=Sum(f"{name}__size"))["total"] for name in ("input_blob", "output_blob", "files__blob")
    ]
    return sum(total or 0 for total in sums)


def _bytes_of_uploads(user) -> int:
    """Of files in parts, as announced: the rest is on its way."""
    return Upload.objects.filter(user=user).aggregate(total=Sum("length"))["total"] or 0


BYTE_COUNTERS += [_bytes_of_jobs, _bytes_of_uploads]


# Images

IMAGES = register(
    Limit(
        "images", "MAX_USER_IMAGES",
        lambda user: Project.objects.filter(created_by=user).aggregate(total=Sum("image_count"))["total"] or 0,
        "The projects of the user who made this one would have more than {limit} images, which is all that this server "
        "allows. Delete images, or ask the operator for more (MLSTUDIO_MAX_USER_IMAGES).",
    )
)  # fmt: skip


def require_images(project: Project, more: int, more_bytes: int) -> None:
    """Raises `LimitReached` when so many more images, with so many bytes, are too many for the project or its user."""
    most = settings.MAX_PROJECT_IMAGES
    count = Project.objects.values_list("image_count", flat=True).get(pk=project.pk)
    if most and count + more > most:
        raise LimitReached(
            f"The project would have more than {most:,} images, which is all that this server allows. Delete images, "
            "or make another project.",
            "too_many_images_in_project",
        )
    IMAGES.require(project.created_by, more)
    require_bytes(project.created_by, more_bytes)
