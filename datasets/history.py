"""The history of annotations: whatever changes some of an image leaves a row that says who, from what, to what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import F
from django.utils import timezone

from datasets.gallery.keeping import settle
from datasets.models import Annotation, AnnotationChange, Image
from projects.changes.recording import current_change
from projects.live import announce_annotations
from storage.inserting import insert_many
from storage.stored_keys import Among, StoredKey, stored_keys, stored_rows, written


@contextmanager
def recorded(pks: Sequence, user: User | None, known: Known | None = None, **fields: Any) -> Iterator[None]:
    """Annotations of these images are changed inside the block, in a transaction of the caller's.

    The revisions grow first: that holds the images, so that nobody else changes or deletes them before the end.

    Args:
        known: what a caller who holds the images already has read of them.
        fields: of the images, written with the revision; with `known` alone, which has what they were.
    """
    keys = stored_keys(pks)
    Image.objects.filter(Among("pk", keys)).update(revision=F("revision") + 1, **fields)
    if known is None:
        known = Known(annotation_rows(keys), _reviewed(keys))
    before = _marks_of(known.annotations)
    yield
    rows = annotation_rows(keys)
    settle(keys, rows)
    after = _marks_of(rows)
    _record({key: (before.get(key, []), after.get(key, [])) for key in keys}, user, known.reviewed)


@dataclass(frozen=True)
class Known:
    """How images are before a change: rows of `annotation_rows`, and which of them count as looked at, by keys as they
    are stored."""

    annotations: list[tuple]
    reviewed: Mapping[StoredKey, bool | None]


# The first are those that `settle` takes.
FIELDS = (
    "image_id",
    "label_id",
    "confirmed",
    "origin",
    "score",
    "pk",
    "label__name",
    "created_by",
    "created_at",
    "x_min",
    "y_min",
    "x_max",
    "y_max",
)


COLUMNS = (
    "image",
    "revision",
    "changed_by",
    "changed_at",
    "before",
    "after",
    "change",
    "reviewed_before",
    "reviewed_after",
)


def annotation_rows(keys: Sequence[StoredKey]) -> list[tuple]:
    """`FIELDS` of the annotations of these images, as they are stored, in the order in which they were made."""
    return stored_rows(Annotation.objects.filter(Among("image", keys)).order_by("id").values_list(*FIELDS))


def marks_by_image(pks: Iterable) -> dict:
    """All that is to know of the annotations of each of these images, as JSON. Keys are those that were given."""
    images = list(pks)
    keys = stored_keys(images)
    marks = _marks_of(annotation_rows(keys))
    return {pk: marks.get(key, []) for pk, key in zip(images, keys, strict=True)}


def _marks_of(rows: Iterable[tuple]) -> dict[StoredKey, list[dict]]:
    marks: dict[StoredKey, list[dict]] = {}
    labels: dict[StoredKey, str] = {}
    for image, label_id, confirmed, origin, score, pk, label, user, created_at, *box in rows:
        if label_id not in labels:
            labels[label_id] = written(label_id)
        mark: dict = {"label": label, "box": None if box[0] is None else box, "origin": origin, "id": written(pk)}
        mark |= {"label_id": labels[label_id], "created_by": user, "created_at": _in_words(created_at)}
        if score is not None:
            mark["score"] = score
        if not confirmed:
            mark["confirmed"] = False
        marks.setdefault(image, []).append(mark)
    return marks


def _in_words(moment: datetime) -> str:
    """With its zone, which SQLite does not keep."""
    return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).isoformat()


def reviewed_by_image(pks: Iterable) -> dict[object, bool | None]:
    """Keys are those that were given; None: there is no such image."""
    images = list(pks)
    keys = stored_keys(images)
    reviewed = _reviewed(keys)
    return {pk: reviewed.get(key) for pk, key in zip(images, keys, strict=True)}


def _reviewed(keys: Sequence[StoredKey]) -> dict[StoredKey, bool | None]:
    return dict(stored_rows(Image.objects.filter(Among("pk", keys)).values_list("pk", "reviewed")))


def record_changes(changes: Mapping, user: User | None, reviewed: Mapping) -> None:
    """`changes`: image id → (before, after); `reviewed`: whether they counted as looked at before."""
    keys = dict(zip(changes, stored_keys(changes), strict=True))
    _record(
        {keys[pk]: change for pk, change in changes.items()}, user, {key: reviewed.get(pk) for pk, key in keys.items()}
    )


def _record(
    changes: Mapping[StoredKey, tuple[list, list]], user: User | None, reviewed: Mapping[StoredKey, bool | None]
) -> None:
    images = Image.objects.filter(Among("pk", changes)).order_by()
    rows = stored_rows(images.values_list("pk", "revision", "reviewed", "dataset", "dataset__project"))
    present = {key: rest for key, *rest in rows}
    differing = [
        key
        for key, (before, after) in changes.items()
        if key in present and (before != after or reviewed.get(key) != present[key][1])
    ]
    part_of = getattr(current_change(len(differing)), "pk", None)
    now, who = timezone.now(), getattr(user, "pk", None)
    new = [
        (key, present[key][0], who, now, *changes[key], part_of, reviewed.get(key), present[key][1])
        for key in differing
    ]
    insert_many(AnnotationChange, COLUMNS, new)
    places = {place: written(place) for _, _, *row in present.values() for place in row}
    announce_annotations(
        images={written(key): (row[0], places[row[2]], places[row[3]]) for key, row in present.items()}, user=user
    )
