"""Looking at what models suggest: confirm, correct, reject, one annotation or many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import F
from rest_framework.exceptions import ValidationError

from datasets.history import marks_by_image, record_changes
from datasets.models import Annotation, Image, Label, Origin
from datasets.services import BULK_CHUNK, checked_annotation, require_labels
from projects.models import Task
from storage.database import atomic_again


@dataclass(frozen=True)
class Correction:
    """An annotation with another label or box; None leaves it as it is."""

    annotation: Annotation
    label: Label | None = None
    box: Sequence[float] | None = None


@dataclass
class Review:
    """What somebody decided about annotations of one project."""

    confirm: list[Annotation] = field(default_factory=list)
    reject: list[Annotation] = field(default_factory=list)
    correct: list[Correction] = field(default_factory=list)

    @property
    def annotations(self) -> list[Annotation]:
        return [*self.confirm, *self.reject, *(one.annotation for one in self.correct)]


@atomic_again
def review_annotations(*, review: Review, user) -> dict[str, int]:
    """Keep what is confirmed or corrected, delete what is rejected. All or nothing.

    An image of which nothing is left to look at counts as reviewed: with all its boxes rejected it shows nothing.

    Raises:
        ValidationError: an annotation is named twice, or a correction does not fit its image.
    """
    named = review.annotations
    if len({one.pk for one in named}) != len(named):
        raise ValidationError({"annotations": ["Decide about each annotation once."]})
    pks = list({one.image_id for one in named})
    require_labels(one.label.pk for one in review.correct if one.label is not None)
    before = marks_by_image(pks)
    for index, one in enumerate(review.correct):
        _correct(one, index, user)
    for start in range(0, len(named), BULK_CHUNK):
        confirmed = [one.pk for one in review.confirm[start : start + BULK_CHUNK]]
        Annotation.objects.filter(pk__in=confirmed).update(confirmed=True)
        Annotation.objects.filter(pk__in=[one.pk for one in review.reject[start : start + BULK_CHUNK]]).delete()
    _settle(pks)
    after = marks_by_image(pks)
    record_changes({pk: (before.get(pk, []), after.get(pk, [])) for pk in pks}, user)
    return {"confirmed": len(review.confirm), "corrected": len(review.correct), "rejected": len(review.reject)}


def _correct(one: Correction, index: int, user) -> None:
    old = one.annotation
    box = one.box if one.box is not None else old.box
    # A person's own from now on: what the model thought of it is in the history.
    new = checked_annotation(old.image, {"label": one.label or old.label, "box": box}, index, user)
    Annotation.objects.filter(pk=old.pk).update(
        label=new.label, x_min=new.x_min, y_min=new.y_min, x_max=new.x_max, y_max=new.y_max, confirmed=True,
        origin=Origin.HUMAN, score=None, created_by=user,
    )  # fmt: skip


def _settle(pks: list) -> None:
    """Count the change; an image without open suggestions was looked at, if it has a label or can show nothing."""
    for start in range(0, len(pks), BULK_CHUNK):
        images = Image.objects.filter(pk__in=pks[start : start + BULK_CHUNK])
        images.update(revision=F("revision") + 1)
        settled = images.exclude(annotations__confirmed=False)
        labelled = settled.filter(annotations__confirmed=True)
        empty = settled.filter(dataset__project__task=Task.DETECTION)
        done = set(labelled.values_list("pk", flat=True)) | set(empty.values_list("pk", flat=True))
        Image.objects.filter(pk__in=done).update(reviewed=True)


def review_images(*, images: Sequence[Image], confirm: bool, user) -> int:
    """Confirm or reject every suggestion on these images. Returns on how many images there were any."""
    waiting: list[Annotation] = []
    for start in range(0, len(images), BULK_CHUNK):
        pks = [image.pk for image in images[start : start + BULK_CHUNK]]
        waiting += Annotation.objects.filter(image__in=pks, confirmed=False)
    review = Review(confirm=waiting) if confirm else Review(reject=waiting)
    review_annotations(review=review, user=user)
    return len({one.image_id for one in waiting})
