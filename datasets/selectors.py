"""Reads that start from what a user may see."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet

from datasets.models import Annotation, Dataset, Image, Label, Snapshot, Video
from projects.models import TASKS_WITH_EMPTY_IMAGES, Project
from projects.selectors import is_live, project_ids_of
from vision.formats.boxes import composed


def datasets_of(user: User) -> QuerySet[Dataset]:
    return Dataset.objects.filter(project__in=project_ids_of(user)).select_related("project")


def names_of_videos(keys: Iterable[str]) -> dict[str, str]:
    return {str(pk): name for pk, name in Video.objects.filter(pk__in=keys).values_list("pk", "filename")}


def names_of_datasets(keys: Iterable[str]) -> dict[str, str]:
    rows = Dataset.objects.filter(pk__in=keys).values_list("pk", "name")
    return {str(pk): name for pk, name in rows}


def live_datasets() -> QuerySet[Dataset]:
    """All that are neither in the trash nor being removed. For jobs, which read what they were given without asking who
    may see it."""
    return Dataset.objects.filter(is_live("project__"))


def kept_datasets() -> QuerySet[Dataset]:
    """As `live_datasets`, with what lies in the trash."""
    return Dataset.objects.filter(project__deleting_since=None)


def images_of(user: User) -> QuerySet[Image]:
    visible = Dataset.objects.filter(project__in=project_ids_of(user)).values("pk")
    return all_images().filter(dataset__in=visible)


def is_labelled() -> Q:
    """Of images: with a confirmed annotation, or looked at and empty where the task knows such images. Suggestions that
    wait are none."""
    confirmed = Annotation.objects.filter(image=OuterRef("pk"), confirmed=True)
    return Q(reviewed=True, dataset__project__task__in=TASKS_WITH_EMPTY_IMAGES) | Q(Exists(confirmed))


def all_images() -> QuerySet[Image]:
    return Image.objects.select_related("dataset__project", "blob").prefetch_related("annotations__label")


def shown_images() -> QuerySet[Image]:
    """Those that a signed address shows."""
    return all_images().filter(is_live("dataset__project__"))


def videos_of(user: User) -> QuerySet[Video]:
    return all_videos().filter(dataset__project__in=project_ids_of(user))


def all_videos() -> QuerySet[Video]:
    return Video.objects.select_related("dataset__project", "blob", "strip_blob")


def shown_videos() -> QuerySet[Video]:
    return all_videos().filter(is_live("dataset__project__"))


def labels_of(project: Project) -> QuerySet[Label]:
    return Label.objects.filter(project=project)


def snapshots_of(user: User) -> QuerySet[Snapshot]:
    return Snapshot.objects.filter(project__in=project_ids_of(user)).select_related("project", "dataset", "created_by")


def find_label(project: Project, text: str) -> Label | None:
    """The project's label with this id or name."""
    try:
        return labels_of(project).filter(pk=uuid.UUID(text)).first() or _label_named(project, text)
    except ValueError:
        return _label_named(project, text)


def _label_named(project: Project, name: str) -> Label | None:
    return labels_of(project).filter(name=composed(name)).first()
