"""Search across a user's projects by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, IntegerField, QuerySet, Value, When

from datasets.models import Image, Label
from datasets.selectors import datasets_of, images_of, snapshots_of, videos_of
from inference.selectors import models_of
from projects.selectors import project_ids_of, projects_of
from training.selectors import trainings_of

# More datasets than this are not named in one statement.
MOST_DATASETS = 500


@dataclass(frozen=True)
class Hit:
    """Something that has the text in its name; `project` and `dataset` say where it is."""

    id: Any
    name: str
    project: Any
    dataset: Any = None


@dataclass(frozen=True)
class Group:
    kind: str
    hits: list[Hit]
    more: bool


@dataclass(frozen=True)
class Source:
    """One kind of thing that is searched.

    Attributes:
        rows: user → what they may see of it.
        field: which has the name.
        project: the path to its project, for `filter`.
        dataset: a row → its dataset, where it is in one.
    """

    kind: str
    rows: Callable[[Any], QuerySet]
    field: str = "name"
    project: str = "project"
    title: Callable[[Any], str] | None = None
    dataset: Callable[[Any], Any] = lambda row: None


SOURCES = (
    Source("project", projects_of, project="pk"),
    Source("dataset", datasets_of, dataset=lambda row: row),
    Source("label", lambda user: Label.objects.filter(project__in=project_ids_of(user)).select_related("project")),
    Source("model", lambda user: models_of(user).filter(is_mine=True).defer("metrics", "class_names"), title=str),  # type: ignore[misc]
    Source("training", lambda user: trainings_of(user).defer("history", "estimate", "configuration")),
    Source("snapshot", lambda user: snapshots_of(user).defer("counts", "class_names"), dataset=lambda row: row.dataset),
    Source("video", videos_of, "filename", "dataset__project", dataset=lambda row: row.dataset),
)
KINDS = (*(source.kind for source in SOURCES), "image")


def search(
    *, user: Any, text: str, project: Any = None, kind: str | None = None, limit: int = 5, offset: int = 0
) -> Iterator[Group]:
    """What has the text in its name, kind by kind; names that begin with it come first. Empty groups are left out.

    Args:
        kind: only hits of this kind.
        offset: so many hits of each kind are skipped.
    """
    for source in SOURCES:
        if kind not in (None, source.kind):
            continue
        found = source.rows(user).filter(**{f"{source.field}__icontains": text})
        if project is not None:
            found = found.filter(**{source.project: project})
        rows = list(_best_first(found, source.field, text)[offset : offset + limit + 1])
        if rows:
            yield Group(source.kind, [_hit(source, row) for row in rows[:limit]], len(rows) > limit)
    if kind not in (None, "image"):
        return
    # The first hits in any order, which is quickest; pages need one that stays.
    order = () if kind is None else ("dataset", "filename", "pk")
    images = _images(user, text, project, slice(offset, offset + limit + 1), order)
    if images:
        hits = [Hit(image.pk, image.filename, image.dataset.project, image.dataset) for image in images[:limit]]
        yield Group("image", hits, len(images) > limit)


def _best_first(rows: QuerySet, field: str, text: str) -> QuerySet:
    begins = Case(When(**{f"{field}__istartswith": text}, then=Value(0)), default=Value(1), output_field=IntegerField())
    return rows.alias(begins=begins).order_by("begins", field, "pk")


def _hit(source: Source, row: Any) -> Hit:
    title = source.title(row) if source.title is not None else getattr(row, source.field)
    return Hit(row.pk, title, row.project, source.dataset(row))


def _images(user: Any, text: str, project: Any, part: slice, order: tuple[str, ...]) -> list[Image]:
    """Images with the text in their file name, from the index (dataset, filename, id), which has all that is looked
    at: a million names take a seventh of a second. Nothing else is read before they are found."""
    datasets = datasets_of(user) if project is None else datasets_of(user).filter(project=project)
    keys = list(datasets.order_by().values_list("pk", flat=True)[: MOST_DATASETS + 1])
    within: Any = keys if len(keys) <= MOST_DATASETS else datasets.order_by().values("pk")
    found = Image.objects.filter(dataset__in=within, filename__icontains=text).order_by(*order)
    pks = list(found.values_list("pk", flat=True)[part])
    rows = images_of(user).prefetch_related(None).filter(pk__in=pks)
    place = {pk: number for number, pk in enumerate(pks)}
    return sorted(rows, key=lambda image: place[image.pk] if order else (image.filename, image.pk))
