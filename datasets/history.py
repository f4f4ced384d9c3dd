"""The history of annotations: whatever changes some of an image leaves a row that says who, from what, to what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db.models import F

from datasets.gallery.keeping import settle
from datasets.models import Annotation, AnnotationChange, Image


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
    rows = Annotation.objects.filter(image__in=pks).select_related("label").order_by("id")
    for row in rows:
        mark = {"label": row.label.name, "box": row.box}
        marks.setdefault(row.image_id, []).append(mark if row.confirmed else {**mark, "confirmed": False})
    return marks


def record_changes(changes: dict, user) -> None:
    """`changes`: image id → (before, after)."""
    revisions = dict(Image.objects.filter(pk__in=list(changes)).values_list("pk", "revision"))
    AnnotationChange.objects.bulk_create(
        AnnotationChange(image_id=pk, revision=revisions[pk], changed_by=user, before=before, after=after)
        for pk, (before, after) in changes.items()
        if before != after and pk in revisions
    )
