"""What differs between two snapshots, found by the database: at 100,000 images nothing of it is read into memory."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet, TextField
from django.db.models.functions import Cast

from common.errors import Conflict
from datasets.models import Snapshot, SnapshotImage
from datasets.snapshots import require_images


class Difference(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    RELABELLED = "relabelled"
    MOVED = "moved"


class SnapshotsOfOthers(Conflict):
    code = "snapshot_does_not_fit"
    detail = "These snapshots are of different projects, so they have no image in common. Choose another one."


def require_comparable(before: Snapshot, after: Snapshot) -> None:
    """Raises `SnapshotsOfOthers`, or `SnapshotIsRecord` when the images of one were deleted."""
    if before.project_id != after.project_id:
        raise SnapshotsOfOthers()
    for snapshot in (before, after):
        require_images(snapshot)


def differing(before: Snapshot, after: Snapshot, difference: str) -> QuerySet[SnapshotImage]:
    """Images of `after`, or of `before` for those that were removed.

    Relabelled are images whose annotations are not the same, boxes included; moved are those in another split.
    """
    if difference == Difference.REMOVED:
        return _of(before).exclude(_same_in(after))
    if difference == Difference.ADDED:
        return _of(after).exclude(_same_in(before))
    rows = _of(after).filter(_same_in(before))
    if difference == Difference.MOVED:
        return rows.exclude(_same_in(before, split=OuterRef("split")))
    rows = rows.alias(text=_text())
    theirs = SnapshotImage.objects.filter(snapshot=before, image_key=OuterRef("image_key")).alias(their_text=_text())
    return rows.exclude(Exists(theirs.filter(their_text=OuterRef("text"))))


# One pass that looks each image up once; the conditions of `differing`, each by itself, would look nine times.
COUNTS = """
SELECT COUNT(*), COUNT(b.id),
       SUM(CASE WHEN CAST(a.annotations AS TEXT) <> CAST(b.annotations AS TEXT) THEN 1 ELSE 0 END),
       SUM(CASE WHEN a.split <> b.split THEN 1 ELSE 0 END),
       SUM(CASE WHEN a.split = b.split AND CAST(a.annotations AS TEXT) = CAST(b.annotations AS TEXT) THEN 1 ELSE 0 END)
FROM {table} a LEFT JOIN {table} b ON b.snapshot_id = %s AND b.image_key = a.image_key
WHERE a.snapshot_id = %s
"""


def count_differences(before: Snapshot, after: Snapshot) -> dict[str, int]:
    """How many images there are of each difference; `unchanged` are in both with the same split and annotations."""
    keys = [Snapshot._meta.pk.get_db_prep_value(snapshot.pk, connection) for snapshot in (before, after)]
    with connection.cursor() as cursor:
        cursor.execute(COUNTS.format(table=SnapshotImage._meta.db_table), keys)
        total, in_both, relabelled, moved, unchanged = (number or 0 for number in cursor.fetchone())
    removed = _of(before).count() - in_both
    return {
        "added": total - in_both,
        "removed": removed,
        "relabelled": relabelled,
        "moved": moved,
        "unchanged": unchanged,
    }


def count_labels(before: Snapshot, after: Snapshot) -> list[dict]:
    """Images of each label in either snapshot, side by side, in the order of the newer one."""
    names = list(dict.fromkeys([*after.class_names, *before.class_names]))
    return [{"label": name, "before": _images_with(before, name), "after": _images_with(after, name)} for name in names]


def count_splits(before: Snapshot, after: Snapshot) -> list[dict]:
    return [
        {"split": split, "before": before.counts["splits"].get(split, 0), "after": after.counts["splits"].get(split, 0)}
        for split in ("train", "validation", "test")
    ]


def _images_with(snapshot: Snapshot, name: str) -> int:
    return sum(snapshot.counts["labels"].get(name, {}).values())


def before_of(before: Snapshot, page: list[SnapshotImage]) -> dict:
    """By the key of an image, its split and annotations in the earlier snapshot."""
    keys = [row.image_key for row in page]
    rows = SnapshotImage.objects.filter(snapshot=before, image_key__in=keys)
    return {key: (split, marks) for key, split, marks in rows.values_list("image_key", "split", "annotations")}


def _of(snapshot: Snapshot) -> QuerySet[SnapshotImage]:
    return SnapshotImage.objects.filter(snapshot=snapshot)


def _same_in(other: Snapshot, **conditions: Any) -> Exists:
    return Exists(SnapshotImage.objects.filter(snapshot=other, image_key=OuterRef("image_key"), **conditions))


def _text() -> Cast:
    # Both were written the same way, so their texts are equal where they are.
    return Cast("annotations", TextField())
