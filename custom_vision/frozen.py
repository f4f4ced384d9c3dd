"""Images and tags as an iteration has seen them: those of its snapshot that are still here."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from custom_vision.image_rows import (
    MOST_TAGS,
    TAGGED,
    UNTAGGED,
    addresses,
    edges_of,
    find_images,
    images_json,
    listed_images,
    order_of,
)
from custom_vision.iterations import detail_of, find_iteration
from custom_vision.metadata_filter import metadata_of, with_metadata
from custom_vision.tags import list_tags, tag_json, types_of
from custom_vision.wire import Query, naive
from custom_vision.workspace import find_dataset
from datasets.models import Image, Label, SnapshotImage
from datasets.snapshot_reading.rows import in_split_and_label
from projects.models import Project
from training.models import TrainingRun

NO_ANNOTATIONS: list[dict[str, Any]] = []


class Present:
    """The images of today that a query asks for."""

    def __init__(self, project: Project, query: Query, status: str) -> None:
        self._rows = listed_images(project, query, status)

    def count(self) -> int:
        return self._rows.count()

    def rows(self, request: HttpRequest, page: slice) -> list[dict[str, Any]]:
        return images_json(request, self._rows[page])


class Frozen:
    """The images of an iteration that a query asks for. Untagged are those that were looked at and show nothing."""

    def __init__(self, project: Project, query: Query, status: str) -> None:
        self._run = find_iteration(project, query.text("iterationId") or "")
        self._ids: dict[str, str] = detail_of(self._run).tags
        self._rows = self._chosen(project, query, (query.text("taggingStatus") or status).lower())
        self._rows = self._rows.order_by(order_of(query, "image_key"))

    def _chosen(self, project: Project, query: Query, status: str) -> QuerySet[SnapshotImage]:
        rows = SnapshotImage.objects.filter(snapshot=self._run.snapshot, image__dataset=find_dataset(project))
        if status == TAGGED:
            rows = rows.exclude(annotations=NO_ANNOTATIONS)
        elif status == UNTAGGED:
            rows = rows.filter(annotations=NO_ANNOTATIONS)
        if text := query.text("$filter"):
            rows = rows.filter(image__in=with_metadata(Image.objects.all(), text))
        tags = {str(pk) for pk in query.ids("tagIds", MOST_TAGS)}
        if not tags:
            return rows
        names = [name for name, pk in self._ids.items() if pk in tags]
        carrying = [Q(pk__in=in_split_and_label(rows, label=name).values("pk")) for name in names]
        return rows.filter(functools.reduce(operator.or_, carrying)) if carrying else rows.none()

    def count(self) -> int:
        return self._rows.count()

    def rows(self, request: HttpRequest, page: slice) -> list[dict[str, Any]]:
        return self._json(request, list(self._rows.select_related("image")[page]))

    def of(self, request: HttpRequest, ids: Sequence[UUID]) -> list[dict[str, Any]]:
        rows = {row.image_key: row for row in self._rows.select_related("image").filter(image_key__in=ids)}
        return self._json(request, [rows[pk] for pk in ids if pk in rows])

    def _json(self, request: HttpRequest, rows: Sequence[SnapshotImage]) -> list[dict[str, Any]]:
        metadata = metadata_of([row.image for row in rows if row.image is not None])
        return [self._row(request, row, row.image, metadata) for row in rows if row.image is not None]

    def _row(
        self, request: HttpRequest, row: SnapshotImage, image: Image, metadata: dict[UUID, dict[str, str]]
    ) -> dict[str, Any]:
        created = naive(image.created_at)
        names = dict.fromkeys(mark["label"] for mark in row.annotations)
        tags = [{"tagId": self._ids.get(name), "tagName": name, "created": created} for name in names]
        regions = [
            {
                "regionId": str(uuid5(row.image_key, f"{row.snapshot_id} {number}")),
                "tagName": mark["label"],
                "created": created,
                "tagId": self._ids.get(mark["label"]),
                **edges_of(mark["box"], image.width, image.height),
            }
            for number, mark in enumerate(row.annotations)
            if mark.get("box")
        ]
        fields = {"id": str(image.pk), "created": created, "width": image.width, "height": image.height}
        lists = {"tags": tags, "regions": regions, "metadata": metadata.get(image.pk)}
        return {**fields, **addresses(request, image.pk), **{name: rows for name, rows in lists.items() if rows}}


def listing(project: Project, query: Query, status: str) -> Present | Frozen:
    """Raises `Refused`: a value of the query cannot be used, or names no iteration."""
    return (Present if query.text("iterationId") is None else Frozen)(project, query, status)


def images_of_ids(request: HttpRequest, project: Project, query: Query, ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Those that are there, in the order of the ids. Raises as `listing`."""
    if query.text("iterationId") is not None:
        return Frozen(project, query, "").of(request, ids)
    return images_json(request, find_images(project, ids))


def tags_of(project: Project, query: Query) -> list[dict[str, Any]]:
    """The tags of today, or of an iteration, with their names and counts then. Raises `NotFoundIteration`."""
    text = query.text("iterationId")
    return list_tags(project) if text is None else _frozen_tags(find_iteration(project, text))


def _frozen_tags(run: TrainingRun) -> list[dict[str, Any]]:
    counts = run.snapshot.counts["labels"]
    labels = {str(label.pk): label for label in Label.objects.filter(project=run.project_id)}
    types, rows = types_of(run.project), []
    for name, pk in detail_of(run).tags.items():
        label = labels.get(pk) or Label(pk=UUID(pk))
        row = tag_json(label, types.get(label.pk), sum(counts.get(name, {}).values()))
        rows.append({**row, "name": name})
    return rows
