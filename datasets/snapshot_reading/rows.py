"""Images of snapshots as light rows: they are shown also when the image was deleted since."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping

from django.db import connection
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.urls import reverse

from datasets.gallery.rows import THUMBNAIL_SIZE
from datasets.models import Image, SnapshotImage


def in_split_and_label(rows: QuerySet[SnapshotImage], *, split: str = "", label: str = "") -> QuerySet[SnapshotImage]:
    """Those of a split, and those that carry a label of this name."""
    if split:
        rows = rows.filter(split=split)
    if not label:
        return rows
    if connection.features.supports_json_field_contains:
        return rows.filter(annotations__contains=[{"label": label}])
    return rows.alias(labels=_labels_as_text()).filter(labels__contains=_entry(label))


def _labels_as_text() -> Cast:
    return Cast("annotations", TextField())  # as SQLite has it: JSON in ASCII, as Python writes it


def _entry(label: str) -> str:
    return f'"label": {json.dumps(label)}'


def rows_of(rows: Iterable[SnapshotImage], project: uuid.UUID, before: Mapping | None = None) -> list[dict]:
    """Rows for a page.

    Args:
        project: the key of the snapshot's project, whose images are shown by their own addresses.
        before: by the key of an image, what it was in another snapshot: `(split, annotations)`.
    """
    page = list(rows)
    present = Image.objects.filter(pk__in=[row.image_key for row in page], dataset__project=project)
    images = {image.pk: image for image in present}
    return [_row(row, images.get(row.image_key), (before or {}).get(row.image_key)) for row in page]


def _row(row: SnapshotImage, image: Image | None, before: tuple | None) -> dict:
    sha256 = row.blob.sha256
    if image is None:
        path = reverse("snapshot-thumbnail", args=[row.snapshot_id, row.pk])
    else:
        path = reverse("image-thumbnail", args=[image.pk])
    return {
        "id": row.pk,
        "image": None if image is None else image.pk,
        "filename": None if image is None else image.filename,
        "width": None if image is None else image.width,
        "height": None if image is None else image.height,
        "split": row.split,
        "labels": _names(row.annotations),
        "annotations": row.annotations,
        "before": None if before is None else {"split": before[0], "labels": _names(before[1])},
        "thumbhash": image.thumbhash or None if image is not None else None,
        "thumbnail": f"{path}?size={THUMBNAIL_SIZE}&v={sha256[:8]}",
    }


def _names(annotations: list[dict]) -> list[str]:
    return list(dict.fromkeys(annotation["label"] for annotation in annotations))
