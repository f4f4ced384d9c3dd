"""What shows the images behind figures, also those that were deleted since."""

from __future__ import annotations

from collections.abc import Sequence

from datasets.models import SnapshotImage
from datasets.snapshot_reading.rows import rows_of

FIELDS = ("filename", "width", "height", "thumbhash", "thumbnail")


def with_images(rows: Sequence[dict], snapshot, project) -> list[dict]:
    """The rows with what shows the `image` of each.

    Args:
        snapshot: the key of the one that holds the images.
        project: its key; images that are in it still are shown by their own addresses.
    """
    keys = [row["image"] for row in rows]
    images = list(SnapshotImage.objects.filter(snapshot=snapshot, image_key__in=keys).select_related("blob"))
    shown = rows_of(images, project)
    found = {str(image.image_key): row for image, row in zip(images, shown, strict=True)}
    return [{**row, **_picture(found.get(row["image"]))} for row in rows]


def _picture(row: dict | None) -> dict:
    """Nothing of a row whose snapshot has no images any more."""
    row = row or {}
    return {"is_deleted": row.get("image") is None, **{name: row.get(name) for name in FIELDS}}
