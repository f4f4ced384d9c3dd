"""What shows the images behind figures, also those that were deleted since."""

from __future__ import annotations

from collections.abc import Sequence

from datasets.models import Snapshot, SnapshotImage
from datasets.snapshot_reading.rows import rows_of

FIELDS = ("filename", "width", "height", "thumbhash", "thumbnail")


def with_images(rows: Sequence[dict], snapshot: Snapshot | None, *, is_seen: bool = True) -> list[dict]:
    """The rows with what shows the `image` of each.

    Args:
        snapshot: the one that holds the images; None when it was deleted.
        is_seen: whether the user sees its project, which need not be the model's. Nothing is shown of one that they do
            not see.
    """
    if not is_seen:
        return [{**row, "is_deleted": False, **dict.fromkeys(FIELDS)} for row in rows]
    if snapshot is None:
        return [{**row, **_image_fields(None)} for row in rows]
    keys = [row["image"] for row in rows]
    images = list(SnapshotImage.objects.filter(snapshot=snapshot, image_key__in=keys).select_related("blob"))
    shown = rows_of(images, snapshot.project_id)
    row_of = {str(image.image_key): row for image, row in zip(images, shown, strict=True)}
    return [{**row, **_image_fields(row_of.get(row["image"]))} for row in rows]


def _image_fields(row: dict | None) -> dict:
    """Nothing of a row whose snapshot has no images any more."""
    row = row or {}
    return {"is_deleted": row.get("image") is None, **{name: row.get(name) for name in FIELDS}}
