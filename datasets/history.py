"""The history of annotations: whatever changes some of an image leaves a row that says who, from what, to what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db.models import F

from datasets.gallery.keeping import settle
from datasets.models import Annotation, AnnotationChange, Image
from projects.live import announce_annotations


@contextmanager
def recorded(pks: Sequence, user) -> Iterator[None]:
    """Annotations of these images are changed inside the block, in a transaction of the caller's.

    The revisions grow first: that holds the images, so that nobody else changes or deletes them before the end.
    """
    Image.objects.filter(pk__in=pks).update(revision=F("revision") + 1)
    before = marks_by_image(pks)
    yield
    settle(pks)
    after = marks_by_image(pks)
    record_changes({pk: (before.get(pk, []), after.get(pk, [])) for pk in pks}, user)


def marks_by_image(pks: Sequence) -> dict:
    marks: dict = {}
    rows = Annotation.objects.filter(image__in=pks).order_by("id")
    fields = ("image_id", "label__name", "confirmed", "x_min", "y_min", "x_max", "y_max")
    for pk, label, confirmed, *box in rows.values_list(*fields):
        mark: dict = {"label": label, "box": None if box[0] is None else box}
        marks.setdefault(pk, []).append(mark if confirmed else {**mark, "confirmed": False})
    return marks


def record_changes(changes: dict, user) -> None:
    """`changes`: image id → (before, after)."""
    rows = Image.objects.filter(pk__in=list(changes))
    images = {pk: about for pk, *about in rows.values_list("pk", "revision", "dataset", "dataset__project")}
    AnnotationChange.objects.bulk_create(
        AnnotationChange(image_id=pk, revision=images[pk][0], changed_by=user, before=before, after=after)
        for pk, (before, after) in changes.items()
        if before != after and pk in images
    )
    announce_annotations(images=images, user=user)
