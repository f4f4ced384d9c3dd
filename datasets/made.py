"""Taking back what was made: images that came by an upload, an import or from a video go into the trash, as do videos
and datasets. What was worked on since stands against it."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib.auth.models import User
from django.db.models import QuerySet

from datasets.models import AnnotationChange, Image
from datasets.removal import delete_images
from projects.changes.models import Change, RowChange
from projects.changes.undoing import Differing, rows_in_chunks
from projects.selectors import is_live

MADE = "image_made"  # `ingest` notes them
WORKED_ON = "it was annotated since"


def images_made(change: Change) -> QuerySet:
    """Keys, for subqueries."""
    return RowChange.objects.filter(change=change, kind=MADE).values("row")


class ImagesAway:
    def changed_since(self, change: Change) -> Iterator[Differing]:
        for rows in rows_in_chunks(RowChange.objects.filter(change=change, kind=MADE)):
            later = AnnotationChange.objects.filter(image__in=[row.row for row in rows]).exclude(change=change)
            live = Image.objects.filter(is_live("dataset__project__"))
            for image in live.filter(pk__in=later.values("image")).order_by("pk"):
                yield Differing("image", str(image.pk), image.filename, WORKED_ON)

    def put_back(self, change: Change, user: User | None) -> None:
        for rows in rows_in_chunks(RowChange.objects.filter(change=change, kind=MADE)):
            live = Image.objects.filter(is_live("dataset__project__"), pk__in=[row.row for row in rows])
            delete_images(images=list(live.only("id", "dataset")))
