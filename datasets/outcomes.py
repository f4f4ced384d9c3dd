"""What became of each file: made into an image, a duplicate of one, or rejected, with a sentence."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

from common.words import counted
from datasets.copies import (
    ALREADY_ANNOTATED,
    ANNOTATED,
    BOXES_DIFFER,
    DUPLICATE,
    SEVERAL_LABELS,
    SEVERAL_SPLITS,
    ImageAnnotations,
    LabelledBox,
    annotations_of,
    box_of,
    contradiction,
    is_same,
    names_of,
)
from datasets.examining import StagedImage
from datasets.models import Image


@dataclass(frozen=True)
class Outcome:
    """What became of one file: `created`, `duplicate` or `rejected`, with a code and a sentence for the last two.

    Attributes:
        change: what its image had from the same import before, and what it has now; None where it stayed as it was.
    """

    filename: str
    kind: str
    image_id: str | None = None
    code: str = ""
    detail: str = ""
    change: tuple[ImageAnnotations, ImageAnnotations] | None = None

    def to_dict(self) -> dict:
        return {"filename": self.filename, "code": self.code, "detail": self.detail}


@dataclass(frozen=True)
class Added:
    """What came of files that were added together. All keys are the SHA-256 of files.

    Attributes:
        own: the images that the same import has made or annotated, now or before.
        joined: what all copies say together.
        changes: what images had from the import before, and what they have now.
    """

    images: Mapping[str, Image]
    own: Container[str]
    joined: Mapping[str, ImageAnnotations]
    changes: Mapping[str, tuple[ImageAnnotations, ImageAnnotations]]

    def outcome(self, item: StagedImage, *, is_first: bool, is_new: bool) -> Outcome:
        sha256 = item.incoming.sha256
        image, change = self.images[sha256], self.changes.get(sha256) if is_first else None
        if is_first and is_new:
            return Outcome(item.filename, "created", str(image.pk), change=change)
        code, detail = self._of_copy(sha256, image, annotations_of(item), is_first=is_first)
        return Outcome(item.filename, "duplicate", str(image.pk), code, detail, change)

    def _of_copy(self, sha256: str, image: Image, own: ImageAnnotations, *, is_first: bool) -> tuple[str, str]:
        joined, is_filled = self.joined[sha256], sha256 in self.changes
        said = f"The dataset has this image already, as {image.filename!r}"
        if sha256 in self.own:
            said = f"The same image was sent twice, first as {image.filename!r}"
        elif not is_filled and (image.reviewed or image.annotations.all()):
            return _beside_others(own, image, said)
        if code := contradiction(own, joined):
            return code, said + _otherwise(code, own, joined)
        if is_filled and is_first:
            return ANNOTATED, said + ", without annotations: those of this file were taken."
        return DUPLICATE, said + "."


def _beside_others(own: ImageAnnotations, image: Image, said: str) -> tuple[str, str]:
    """Of an image that was annotated before: it stays as it is."""
    present: list[LabelledBox] = [(row.label, box_of(row)) for row in image.annotations.all()]
    if own.is_silent or is_same(own.marks, present):
        return DUPLICATE, said + "."
    hint = "it was left as it is. Remove its annotations to have those of this file."
    if any(box is not None for _, box in (*own.marks, *present)):
        boxes = counted(len(present), "box", "boxes")
        return ALREADY_ANNOTATED, f"{said}, with {boxes} instead of {len(own.marks)}; {hint}"
    return ALREADY_ANNOTATED, f"{said}, with {names_of(present) or 'no label'} instead of {names_of(own.marks)}; {hint}"


def _otherwise(code: str, own: ImageAnnotations, joined: ImageAnnotations) -> str:
    if code == SEVERAL_SPLITS:
        return f", in {joined.split} instead of {own.split}; it stays there."
    if code == BOXES_DIFFER:
        return f", with other boxes than the {len(own.marks)} of this file: all of them wait as suggestions."
    assert code == SEVERAL_LABELS
    return f". Its copies have different labels ({names_of(joined.rivals or own.marks)}): it was kept unlabelled."
