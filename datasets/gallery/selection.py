"""Which images of a scope are wanted, as conditions that an index answers."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from datasets.gallery.codes import Pattern
from datasets.gallery.scope import Scope
from datasets.models import ANY_LABEL, Annotation, Image, ImageLabel

# So few are sorted, or looked up, faster than all images are gone through for them.
RARE = 2_000


@dataclass(frozen=True)
class Selection:
    """
    Attributes:
        pattern: what the images' codes must be.
        labels: for each label that was named, the keys of those that are called so (in several projects, several).
        all_labels: whether an image must carry all of them, or any.
        without: labels that it must not carry.
        lowest_score, highest_score: of one of its suggestions, with one of the labels if any are named.
        rest: conditions that no kept count knows.
    """

    scope: Scope
    pattern: Pattern = field(default_factory=Pattern)
    labels: tuple[frozenset[uuid.UUID], ...] = ()
    all_labels: bool = False
    without: frozenset[uuid.UUID] = frozenset()
    lowest_score: float | None = None
    highest_score: float | None = None
    rest: Q = field(default_factory=Q)

    @property
    def has_score(self) -> bool:
        return self.lowest_score is not None or self.highest_score is not None

    @property
    def one_label(self) -> uuid.UUID | None:
        """The only label that is asked for."""
        if len(self.labels) == 1 and len(self.labels[0]) == 1:
            return next(iter(self.labels[0]))
        return None

    @property
    def is_counted(self) -> bool:
        """Whether the kept counts know how many these are."""
        return self.knows_labels_only and (not self.labels or self.one_label is not None)

    @property
    def knows_labels_only(self) -> bool:
        """Whether nothing is asked for but labels, and what is in the code of an image."""
        return not (self.rest or self.has_score or self.without)

    def without_labels(self) -> Selection:
        return replace(self, labels=(), without=frozenset())


def count_images(selection: Selection) -> int:
    if selection.is_counted:
        counts = selection.scope.counts([selection.one_label or ANY_LABEL])
        return sum(n for (_, code), n in counts.items() if selection.pattern.takes(code))
    carriers = carriers_in(selection)
    if carriers is not None:
        return carriers.values("image").distinct().count()
    return images_in(selection).count()


def images_in(selection: Selection) -> QuerySet[Image]:
    images = Image.objects.filter(selection.scope.images()).filter(selection.rest)
    images = narrowed_by_code(images, selection)
    return narrowed_by_labels(images, selection)


def carriers_in(selection: Selection) -> QuerySet[ImageLabel] | None:
    """The rows that say that images carry one of the labels, if these answer for all of the selection. With several
    labels an image has several."""
    if not selection.labels or not selection.knows_labels_only or (selection.all_labels and len(selection.labels) > 1):
        return None
    labels = list(frozenset().union(*selection.labels))
    rows = ImageLabel.objects.filter(label__in=labels, dataset_key__in=selection.scope.datasets)
    return _with_pattern(rows, selection.pattern)


def narrowed_by_code(images: QuerySet[Image], selection: Selection) -> QuerySet[Image]:
    """Few images are looked up by their codes; of many the codes are compared in the order of the list."""
    pattern = selection.pattern
    if not pattern.mask:
        return images
    counts = {code: n for (_, code), n in selection.scope.counts([ANY_LABEL]).items()}
    codes = [code for code in counts if pattern.takes(code)]
    if sum(counts[code] for code in codes) <= RARE:
        return images.filter(dataset__in=selection.scope.datasets, facets__in=codes)
    if len(codes) == len(counts):
        return images
    # PostgreSQL knows how many rows have each code, and nothing of a masked one; SQLite would sort them by their codes.
    return images.filter(facets__in=codes) if connection.vendor == "postgresql" else _with_pattern(images, pattern)


def _with_pattern(rows: QuerySet, pattern: Pattern) -> QuerySet:
    if not pattern.mask:
        return rows
    return rows.alias(masked=F("facets").bitand(pattern.mask)).filter(masked=pattern.value)


def narrowed_by_labels(images: QuerySet[Image], selection: Selection) -> QuerySet[Image]:
    if selection.has_score:
        images = images.filter(Exists(_scored(selection)))
    groups = selection.labels
    if not selection.all_labels and groups:
        groups = (frozenset().union(*groups),)
    for labels in groups:
        images = images.filter(_carries(labels))
    return images.filter(~_carries(selection.without, is_listed=False)) if selection.without else images


def _carries(labels: Iterable[uuid.UUID], *, is_listed: bool = True) -> Q:
    rows = ImageLabel.objects.filter(label__in=list(labels))
    if is_listed and not rows[RARE : RARE + 1].exists():
        # To look at each of a million images for a label that few have would take a second.
        return Q(pk__in=rows.values("image"))
    return Q(Exists(rows.filter(image=OuterRef("pk"))))


def _scored(selection: Selection) -> QuerySet[Annotation]:
    rows = Annotation.objects.filter(image=OuterRef("pk"), confirmed=False)
    if selection.labels:
        rows = rows.filter(label__in=frozenset().union(*selection.labels))
    if selection.lowest_score is not None:
        rows = rows.filter(score__gte=selection.lowest_score)
    if selection.highest_score is not None:
        rows = rows.filter(score__lte=selection.highest_score)
    return rows
