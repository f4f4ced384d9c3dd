"""Looking at what models suggest: confirm, correct, reject, one annotation or many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.db.models import Exists, F, OuterRef

from common.errors import Invalid
from datasets.annotation_checks import checked_annotation
from datasets.chosen import ChosenImage
from datasets.gallery.keeping import settle
from datasets.history import marks_by_image, record_changes, reviewed_by_image
from datasets.images import BULK_CHUNK
from datasets.labels import require_labels
from datasets.models import Annotation, Image, Label, Origin
from projects.models import TASKS_WITH_EMPTY_IMAGES
from storage.database import atomic_again
from storage.deleting import in_parts
from storage.stored_keys import Among, stored_keys


@dataclass(frozen=True)
class Correction:
    """An annotation with another label or box; None leaves it as it is."""

    annotation: Annotation
    label: Label | None = None
    box: Sequence[float] | None = None


@dataclass
class Review:
    """What somebody decided about annotations of one project.

    Attributes:
        is_of_waiting: they were chosen since they wait for a look, none by itself: what somebody else decided about
            before its turn comes is left alone.
    """

    confirm: list[Annotation] = field(default_factory=list)
    reject: list[Annotation] = field(default_factory=list)
    correct: list[Correction] = field(default_factory=list)
    is_of_waiting: bool = False

    @property
    def annotations(self) -> list[Annotation]:
        return [*self.confirm, *self.reject, *(correction.annotation for correction in self.correct)]


def review_annotations(*, review: Review, user: User) -> dict[str, int]:
    """Keep what is confirmed or corrected, delete what is rejected. What does not fit is refused before anything is
    changed; then a few hundred images at a time are, so that others can write in between.

    An image of which nothing is left to look at counts as reviewed: with all its boxes rejected it shows nothing. A
    label of a whole image that is corrected to one that the image has already is that one.

    Raises:
        Invalid: an annotation is named twice, or a correction does not fit its image.
    """
    decided = _review(review, user)
    groups = {"confirmed": review.confirm, "corrected": [correction.annotation for correction in review.correct]}
    groups["rejected"] = review.reject
    return {name: sum(annotation.pk in decided for annotation in those) for name, those in groups.items()}


def _review(review: Review, user: User | None) -> set:
    """Returns the keys of the annotations that were decided about."""
    named = review.annotations
    if len({annotation.pk for annotation in named}) != len(named):
        raise Invalid("Decide about each annotation once.", attr="annotations")
    require_labels(correction.label.pk for correction in review.correct if correction.label is not None)
    corrected = {
        correction.annotation.pk: _corrected(correction, index, user) for index, correction in enumerate(review.correct)
    }
    rejected = {annotation.pk for annotation in review.reject}
    by_image: dict[object, list] = {}
    for annotation in named:
        by_image.setdefault(annotation.image_id, []).append(annotation.pk)
    decided: set = set()
    for pks in in_parts(list(by_image)):
        part = {pk: by_image[pk] for pk in pks}
        decided.update(_decide(part, corrected, rejected, user, is_of_waiting=review.is_of_waiting))
    return decided


@atomic_again
def _decide(by_image: dict, corrected: dict, rejected: set, user: User | None, *, is_of_waiting: bool) -> list:
    # From here to the end nobody else changes their annotations.
    list(Image.objects.select_for_update().filter(pk__in=list(by_image)).order_by("pk").values_list("pk"))
    if is_of_waiting:
        by_image = _still_waiting(by_image)
    pks, named = list(by_image), [pk for those in by_image.values() for pk in those]
    before, reviewed = marks_by_image(pks), reviewed_by_image(pks)
    for pk in named:
        if pk in corrected:
            Annotation.objects.filter(pk=pk).update(**corrected[pk])
    for start in range(0, len(named), BULK_CHUNK):
        chunk = named[start : start + BULK_CHUNK]
        if corrected:
            _join_twins([pk for pk in chunk if pk in corrected])
        Annotation.objects.filter(pk__in=[pk for pk in chunk if pk in rejected]).delete()
        Annotation.objects.filter(pk__in=[pk for pk in chunk if pk not in rejected]).update(confirmed=True)
    _count_and_mark(pks)
    settle(pks)
    after = marks_by_image(pks)
    record_changes({pk: (before.get(pk, []), after.get(pk, [])) for pk in pks}, user, reviewed)
    return named


def _join_twins(pks: list) -> None:
    """Remove other annotations of whole images with the labels that these got."""
    twins = Annotation.objects.filter(image=OuterRef("image"), label=OuterRef("label"), x_min=None, pk__in=pks)
    others = Annotation.objects.filter(image__annotations__in=pks, x_min=None).exclude(pk__in=pks)
    Annotation.objects.filter(pk__in=list(others.filter(Exists(twins)).values_list("pk", flat=True))).delete()


def _still_waiting(by_image: dict) -> dict:
    """Image → its annotations of these that nobody has decided about; without images that have none."""
    rows = Annotation.objects.filter(Among("image", stored_keys(by_image)), confirmed=False)
    waiting = set(rows.values_list("pk", flat=True))
    left = {image: [pk for pk in those if pk in waiting] for image, those in by_image.items()}
    return {image: those for image, those in left.items() if those}


def _corrected(correction: Correction, index: int, user: User | None) -> dict:
    """The fields of a corrected annotation. Raises `Invalid`."""
    old = correction.annotation
    box = correction.box if correction.box is not None else old.box
    new = checked_annotation(old.image, {"label": correction.label or old.label, "box": box}, index, user)
    # A person's own from now on: what the model thought of it is in the history.
    return {
        "label": new.label,
        "x_min": new.x_min,
        "y_min": new.y_min,
        "x_max": new.x_max,
        "y_max": new.y_max,
        "confirmed": True,
        "origin": Origin.HUMAN,
        "score": None,
        "created_by": user,
    }


def _count_and_mark(pks: list) -> None:
    """Count the change; an image without open suggestions was looked at, if it has a label or can show nothing."""
    for start in range(0, len(pks), BULK_CHUNK):
        images = Image.objects.filter(pk__in=pks[start : start + BULK_CHUNK])
        images.update(revision=F("revision") + 1)
        settled = images.exclude(annotations__confirmed=False)
        labelled = settled.filter(annotations__confirmed=True)
        empty = settled.filter(dataset__project__task__in=TASKS_WITH_EMPTY_IMAGES)
        done = set(labelled.values_list("pk", flat=True)) | set(empty.values_list("pk", flat=True))
        Image.objects.filter(pk__in=done).update(reviewed=True)


def review_images(*, images: Sequence[Image | ChosenImage], confirm: bool, user: User | None) -> int:
    """Confirm or reject every suggestion on these images. Returns on how many images there were any."""
    waiting: list[Annotation] = []
    for start in range(0, len(images), BULK_CHUNK):
        keys = stored_keys(image.pk for image in images[start : start + BULK_CHUNK])
        waiting += Annotation.objects.filter(Among("image", keys), confirmed=False)
    decided = _review(review_of_waiting(waiting, confirm=confirm), user)
    return len({annotation.image_id for annotation in waiting if annotation.pk in decided})


def review_of_waiting(waiting: list[Annotation], *, confirm: bool) -> Review:
    """One decision about all of these, as far as they still wait when it is carried out."""
    return Review(is_of_waiting=True, **{"confirm" if confirm else "reject": waiting})  # type: ignore[arg-type]
