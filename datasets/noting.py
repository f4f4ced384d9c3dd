"""Which fields of labels, images and datasets a change is kept by, and who else hears of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping

from django.db import models
from django.db.models import Count

from datasets.models import Image
from projects.changes.recording import note_rows
from projects.live import announce
from storage.stored_keys import Among, stored_keys

LABEL_FIELDS = ("name", "color", "order", "description", "hotkey")
IMAGE_FIELDS = ("filename", "split", "group")
DATASET_FIELDS = ("name", "description", "near_duplicates")


def fields_of(row: models.Model, names: Iterable[str]) -> dict:
    """As JSON; `dataset` and `video` of an image are their keys."""
    values = {name: getattr(row, f"{name}_id" if name in ("dataset", "video") else name) for name in names}
    return {name: str(value) if isinstance(value, uuid.UUID) else value for name, value in values.items()}


def note_images(changes: Mapping) -> None:
    """Note changed fields of images and announce them to the members of their projects.

    In the transaction of the change, at most some hundred images at a time.

    Args:
        changes: key → (fields before, fields after).
    """
    note_rows("image", changes)
    differing = {pk: after for pk, (before, after) in changes.items() if before != after}
    fields = sorted({name for after in differing.values() for name in after})
    images = Image.objects.filter(Among("pk", stored_keys(differing)))
    rows = images.order_by().values_list("dataset__project", "dataset")
    for project, dataset, count in rows.annotate(count=Count("pk")):
        announce(project=project, kind="images", dataset=dataset, count=count, changed=fields)
