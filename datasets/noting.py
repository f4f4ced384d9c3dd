"""Which fields of labels, images and datasets a change is kept by."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db import models

LABEL_FIELDS = ("name", "color", "order", "description", "hotkey")
IMAGE_FIELDS = ("filename", "split", "group")
DATASET_FIELDS = ("name", "description", "near_duplicates")


def fields_of(row: models.Model, names: Iterable[str]) -> dict:
    """As JSON; `dataset` and `video` of an image are their keys."""
    values = {name: getattr(row, f"{name}_id" if name in ("dataset", "video") else name) for name in names}
    return {name: str(value) if isinstance(value, uuid.UUID) else value for name, value in values.items()}
