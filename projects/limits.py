"""What one user and one project may have of files, images and projects, so that nobody takes what others need.

Files count for the user who made the project they are in, not for those who added them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet, Sum

from accounts.limits import Limit, LimitReached, register
from common.words import counted, format_bytes
from jobs.models import Job
from projects.models import Project
from projects.selectors import is_live
from storage.models import Upload

COUNTED_AGAIN_SECONDS = 600

PROJECTS = register(
    Limit(
        "projects",
        "MAX_PROJECTS",
        lambda user: Project.objects.filter(is_live(), created_by=user).count(),
        "You have {limit}, which is all that this server allows. Delete one that you no longer need.",
        lambda count: counted(count, "project"),
    )
)


register(
    Limit(
        "open_uploads",
        "MAX_OPEN_UPLOADS",
        lambda user: Upload.objects.filter(user=user).count(),
        "You have {limit}, which is all that this server allows. Finish or delete one.",
        lambda count: counted(count, "unfinished upload"),
    )
)


# Files


# What counts the bytes of projects; rooms above append theirs.
BYTE_COUNTERS: list[Callable[[QuerySet[Project]], int]] = []


class _ByteCount:
    """What files take. Counted again now and then and before anything is refused; in between it grows by what this
    process adds, so that an upload does not add up a million rows.

    Args:
        count: whose files (a user, a project) → bytes.
    """

    def __init__(self, count: Callable[..., int]) -> None:
        self._count = count
        self._lock = threading.Lock()
        self._known: dict[object, tuple[float, int]] = {}

    def of(self, whose: User | Project, *, again: bool = False) -> int:
        at, count = self._known.get(whose.pk, (0.0, 0))
        if again or not at or time.monotonic() - at > COUNTED_AGAIN_SECONDS:
            count = self._count(whose)
            with self._lock:
                self._known[whose.pk] = (time.monotonic(), count)
        return count

    def take(self, whose: User | Project, more: int, most: int) -> bool:
        """Count `more` bytes if there is room; what a recent count says no to is counted again."""
        if not most:
            return True
        self.of(whose)
        if self._add(whose, more, most):
            return True
        self.of(whose, again=True)
        return self._add(whose, more, most)

    def give_back(self, whose: User | Project, more: int) -> None:
        self._add(whose, -more, 0)

    def _add(self, whose: User | Project, more: int, most: int) -> bool:
        """Whether they fit. Of two threads that come together, the second sees what the first has added."""
        with self._lock:
            at, count = self._known.get(whose.pk, (0.0, 0))
            if most and count + more > most:
                return False
            self._known[whose.pk] = (at, count + more)
            return True

    def clear(self) -> None:
        with self._lock:
            self._known.clear()


def _of_projects(projects: QuerySet[Project]) -> int:
    return sum(counter(projects) for counter in BYTE_COUNTERS)


def _trash_of(user: User) -> QuerySet[Project]:
    return Project.objects.filter(created_by=user, trashed_since__isnull=False)


def _of_user(user: User) -> int:
    """With files in parts, as announced: the rest is on its way."""
    announced = Upload.objects.filter(user=user).aggregate(total=Sum("length"))["total"] or 0
    return _of_projects(Project.objects.filter(created_by=user)) + announced


user_bytes = _ByteCount(_of_user)
# With what was deleted of it and lies in the trash.
project_bytes = _ByteCount(
    lambda project: _of_projects(Project.objects.filter(Q(pk=project.pk) | Q(trash_of=project.pk)))
)
BYTES = register(
    Limit(
        "bytes",
        "MAX_USER_BYTES",
        lambda user: user_bytes.of(user, again=True),
        "The files of the user who made this project would take more than {limit}, which is all that this server "
        "allows. Delete images, videos, models, or ended jobs with their archives, and empty the trash, where files "
        "still count; or ask the operator for more (MLSTUDIO_MAX_USER_BYTES).",
        format_bytes,
        in_trash=lambda user: _of_projects(_trash_of(user)),
    )
)


def require_user_bytes(user: User | None, more: int) -> None:
    """Raises `LimitReached` when the files of a user would take too much with `more` bytes; else counts them."""
    if user is None:
        return
    if not user_bytes.take(user, more, BYTES.value):
        raise BYTES.reached()


def require_bytes(project: Project, more: int) -> None:
    """As `require_user_bytes`, of the project and of the user who made it."""
    most = settings.MAX_PROJECT_BYTES
    if not project_bytes.take(project, more, most):
        raise LimitReached(
            f"The files of the project would take more than {format_bytes(most)}, which is all that this server "
            "allows. Delete images, videos or models, and empty the trash, where files still count; or ask the "
            "operator for more (MLSTUDIO_MAX_PROJECT_BYTES).",
            "too_many_bytes_in_project",
        )
    try:
        require_user_bytes(project.created_by, more)
    except LimitReached:
        project_bytes.give_back(project, more)
        raise


def _bytes_of_jobs(projects: QuerySet[Project]) -> int:
    jobs = Job.objects.filter(project__in=projects)
    sums = [
        jobs.aggregate(total=Sum(f"{name}__size"))["total"] for name in ("input_blob", "output_blob", "files__blob")
    ]
    return sum(total or 0 for total in sums)


BYTE_COUNTERS.append(_bytes_of_jobs)


# Images

IMAGES = register(
    Limit(
        "images",
        "MAX_USER_IMAGES",
        lambda user: Project.objects.filter(created_by=user).aggregate(total=Sum("image_count"))["total"] or 0,
        "The projects of the user who made this one would have more than {limit}, which is all that this server "
        "allows. Delete images, and empty the trash, where they still count; or ask the operator for more "
        "(MLSTUDIO_MAX_USER_IMAGES).",
        lambda count: counted(count, "image"),
        in_trash=lambda user: _trash_of(user).aggregate(total=Sum("image_count"))["total"] or 0,
    )
)


def require_images(project: Project, more: int, more_bytes: int) -> None:
    """Raises `LimitReached` when so many more images, with so many bytes, are too many for the project or its user."""
    most = settings.MAX_PROJECT_IMAGES
    count = Project.objects.values_list("image_count", flat=True).get(pk=project.pk)
    if most and count + more > most:
        raise LimitReached(
            f"The project would have more than {counted(most, 'image')}, which is all that this server allows. Delete "
            "images, or make another project.",
            "too_many_images_in_project",
        )
    IMAGES.require(project.created_by, more)
    require_bytes(project, more_bytes)
