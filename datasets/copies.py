"""The same bytes more than once: what is said of the copies is joined, and what contradicts itself is left open.

Copies that say the same are one image. What only one of them says counts. Where an image has none to many labels it
gets those of all its copies. Two labels leave an image of a classification project without any; boxes that differ wait
together as suggestions, since nobody knows which of the copies has all of them, or whether both do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from datasets.examining import Box, StagedImage
from datasets.models import Annotation, Image, Label, Origin
from vision.formats.boxes import is_same_place, on_grid

# Codes of what copies contradict each other in.
SEVERAL_LABELS, BOXES_DIFFER, SEVERAL_SPLITS = "several_labels", "boxes_differ", "several_splits"
CONTRADICTIONS = (SEVERAL_LABELS, BOXES_DIFFER)
ANNOTATED, ALREADY_ANNOTATED, DUPLICATE = "annotated", "already_annotated", "duplicate"
LabelledBox = tuple[Label, Box | None]


@dataclass(frozen=True)
class ImageAnnotations:
    """What is said of one image.

    Attributes:
        is_confirmed: False when a person has to look at it.
        is_contradicted: by another copy of the image.
        rivals: the annotations that contradict each other, as far as they are known.
    """

    marks: tuple[LabelledBox, ...] = ()
    is_reviewed: bool = False
    is_confirmed: bool = True
    split: str | None = None
    is_contradicted: bool = False
    rivals: tuple[LabelledBox, ...] = field(default=(), compare=False)

    @property
    def is_silent(self) -> bool:
        return not (self.marks or self.is_reviewed or self.is_contradicted)

    @property
    def is_annotated(self) -> bool:
        """Whether the image counts as looked at."""
        return self.is_confirmed and (self.is_reviewed or bool(self.marks))


@dataclass
class Imported:
    """What the batches of one import have done so far.

    Attributes:
        annotated: images of the dataset that got annotations.
        contradicted: images whose copies in the archive say different things.
    """

    annotated: set[str] = field(default_factory=set)
    contradicted: set[str] = field(default_factory=set)

    def note(self, image: str, code: str) -> None:
        """What became of a file, by the code of its outcome."""
        if code == ANNOTATED:
            self.annotated.add(image)
        elif code in CONTRADICTIONS:
            self.contradicted.add(image)


def annotations_of(item: StagedImage) -> ImageAnnotations:
    marks: list[LabelledBox] = [(item.label, None)] if item.label is not None else list(item.boxes)
    return ImageAnnotations(tuple(marks), item.is_reviewed or item.label is not None, item.is_confirmed, item.split)


def annotations_before(image: Image, *, is_contradicted: bool) -> ImageAnnotations:
    """What an image has that the same import made or annotated."""
    rows = list(image.annotations.all())
    marks = tuple((row.label, box_of(row)) for row in rows)
    is_confirmed = all(row.confirmed for row in rows) and not is_contradicted
    return ImageAnnotations(marks, image.reviewed, is_confirmed, image.split, is_contradicted)


def is_as_imported(image: Image) -> bool:
    """Whether nobody else has annotated it since."""
    rows = image.annotations.all()
    return all(row.origin == Origin.IMPORTED for row in rows)


def box_of(row: Annotation) -> Box | None:
    box = row.box
    return None if box is None else (box[0], box[1], box[2], box[3])


def join_all(copies: Iterable[ImageAnnotations], *, are_several: bool = False) -> ImageAnnotations:
    """Args: are_several: an image has none to many labels, so that two labels do not contradict each other."""
    joined = ImageAnnotations()
    for copy in copies:
        joined = join(joined, copy, are_several=are_several)
    return joined


def join(first: ImageAnnotations, second: ImageAnnotations, *, are_several: bool = False) -> ImageAnnotations:
    """What two copies of an image say together, whichever came first."""
    split = first.split or second.split
    if are_several and not (first.is_silent or second.is_silent):
        marks = tuple({label.pk: (label, box) for label, box in (*first.marks, *second.marks)}.values())
        is_confirmed = first.is_confirmed and second.is_confirmed
        return ImageAnnotations(marks, first.is_reviewed or second.is_reviewed, is_confirmed, split)
    if first.is_silent or second.is_silent:
        return _in_split(second if first.is_silent else first, split)
    if not (first.is_contradicted or second.is_contradicted):
        if is_same(first.marks, second.marks):
            return _in_split(first if first.is_confirmed else second, split)
        for more, less in ((first, second), (second, first)):
            if more.is_confirmed and not less.is_confirmed and _has_all(more.marks, less.marks):
                return _in_split(more, split)
    rivals = (*(first.rivals or first.marks), *(second.rivals or second.marks))
    if any(box is None for _, box in rivals):
        return ImageAnnotations((), False, False, split, is_contradicted=True, rivals=rivals)
    added = tuple(mark for mark in second.marks if not any(_is_twin(mark, known) for known in first.marks))
    return ImageAnnotations(first.marks + added, False, False, split, is_contradicted=True)


def _in_split(annotations: ImageAnnotations, split: str | None) -> ImageAnnotations:
    return replace(annotations, split=split)


def is_same(marks: Sequence[LabelledBox], others: Sequence[LabelledBox]) -> bool:
    return len(marks) == len(others) and sorted(map(_key, marks)) == sorted(map(_key, others))


def _has_all(marks: Sequence[LabelledBox], others: Sequence[LabelledBox]) -> bool:
    return set(map(_key, others)) <= set(map(_key, marks))


def _key(mark: LabelledBox) -> tuple:
    label, box = mark
    return str(label.pk), () if box is None else on_grid(box)


def _is_twin(mark: LabelledBox, other: LabelledBox) -> bool:
    return mark[0] == other[0] and mark[1] is not None and other[1] is not None and is_same_place(mark[1], other[1])


def contradiction(item: ImageAnnotations, joined: ImageAnnotations) -> str:
    """The code of what a copy says otherwise than others do; empty when it does not."""
    if joined.is_contradicted and not item.is_silent:
        return BOXES_DIFFER if joined.marks else SEVERAL_LABELS
    return SEVERAL_SPLITS if item.split and joined.split and item.split != joined.split else ""


def names_of(marks: Iterable[LabelledBox]) -> str:
    """The labels, for a sentence."""
    return ", ".join(sorted({repr(label.name) for label, _ in marks})[:5])
