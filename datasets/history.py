"""The history of annotations: whatever changes some of an image leaves a row that says who, from what, to what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db.models import F
from django.utils import timezone

from datasets.gallery.keeping import settle
from datasets.models import Annotation, AnnotationChange, Image
from projects.changes.recording import current_change
from projects.live import announce_annotations
from storage.inserting import insert_many


@contextmanager
def recorded(pks: Sequence, user, known: Known | None = None) -> Iterator[None]:
    """Annotations of these images are changed inside the block, in a transaction of the caller's.

    The revisions grow first: that holds the images, so that nobody else changes or deletes them before the end.

    Args:
        known: what a caller who holds the images already has read of them.
    """
    Image.objects.filter(pk__in=pks).update(revision=F("revision") + 1)
    if known is None:
        known = Known(annotation_rows(pks), reviewed_by_image(pks))
    before = marks_of(known.annotations)
    yield
    rows = annotation_rows(pks)
    settle(pks, rows)
    after = marks_of(rows)
    record_changes({pk: (before.get(pk, []), after.get(pk, [])) for pk in pks}, user, known.reviewed)


@dataclass(frozen=True)
class Known:
    """How images are before a change: rows of `annotation_rows`, and which of them count as looked at."""

    annotations: list[tuple]
    reviewed: dict[Any, bool]


# The first are those that `settle` takes.
FIELDS = (
    "image_id", "label_id", "confirmed", "origin", "score", "pk", "label__name", "created_by", "created_at", "x_min",
    "y_min", "x_max", "y_max",
)  # fmt: skip


COLUMNS = (
    "image", "revision", "changed_by", "changed_at", "before", "after", "change", "reviewed_before", "reviewed_after",
)  # fmt: skip


def annotation_rows(pks: Sequence) -> list[tuple]:
    """`FIELDS` of the annotations of these images, in the order in which they were made."""
    return list(Annotation.objects.filter(image__in=pks).order_by("id").values_list(*FIELDS))


def marks_by_image(pks: Sequence) -> dict:
    """All that is to know of the annotations of each image, as JSON."""
    return marks_of(annotation_rows(pks))


def marks_of(rows: Iterable[tuple]) -> dict:
    """As `marks_by_image`, of rows that were read."""
    marks: dict = {}
    for image, label_id, confirmed, origin, score, pk, label, user, created_at, *box in rows:
        mark: dict = {"label": label, "box": None if box[0] is None else box, "origin": origin}
        mark |= {"id": str(pk), "label_id": str(label_id), "created_by": user, "created_at": created_at.isoformat()}
        mark |= {} if score is None else {"score": score}
        marks.setdefault(image, []).append(mark if confirmed else {**mark, "confirmed": False})
    return marks


def reviewed_by_image(pks: Sequence) -> dict[object, bool]:
    return dict(Image.objects.filter(pk__in=pks).values_list("pk", "reviewed"))


def record_changes(changes: dict, user, reviewed: Mapping) -> None:
    """`changes`: image id → (before, after); `reviewed`: whether they counted as looked at before."""
    images = Image.objects.filter(pk__in=list(changes))
    present = {
        pk: rest for pk, *rest in images.values_list("pk", "revision", "reviewed", "dataset", "dataset__project")
    }
    differing = [
        pk
        for pk, (before, after) in changes.items()
        if pk in present and (before != after or reviewed.get(pk) != present[pk][1])
    ]
    part_of = getattr(current_change(len(differing)), "pk", None)
    now, who = timezone.now(), getattr(user, "pk", None)
    rows = [(pk, present[pk][0], who, now, *changes[pk], part_of, reviewed.get(pk), present[pk][1]) for pk in differing]
    insert_many(AnnotationChange, COLUMNS, rows)
    announce_annotations(images={pk: (row[0], row[2], row[3]) for pk, row in present.items()}, user=user)
