"""From a mark in an archive to a box that the studio keeps: in pixels, finite, inside the image, with an area."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence

from datasets.formats.base import Mark, Record, Remark

MAX_BOXES = 10_000
MAX_LABEL = 100
# What rounding of fractions moves an edge; less than that over the border is not worth a word.
ROUNDING_PIXELS = 0.01
# Edges are kept on a grid that is far finer than any label and far coarser than the rounding of formats that store
# fractions or sizes. So what is exported and imported again is the same to the last bit, and so is its digest.
EDGE_DECIMALS = 4


def on_grid(edges: Iterable[float]) -> tuple[float, float, float, float]:
    """The edges of a box in pixels as the studio keeps them."""
    x_min, y_min, x_max, y_max = (round(edge, EDGE_DECIMALS) for edge in edges)
    return x_min, y_min, x_max, y_max


def place_marks(record: Record, width: int, height: int) -> tuple[list[Mark], list[Remark]]:
    """The marks that can be used, in pixels of the upright image, and a remark for each that was changed or left out.

    Args:
        width, height: size of the upright image as decoded, in pixels.
    """
    remarks: list[Remark] = []

    def say(code: str, detail: str) -> None:
        remarks.append(Remark(record.path, code, detail))

    if record.size is not None and record.size != (width, height):
        say(
            "wrong_size",
            f"The annotations speak of {record.size[0]} x {record.size[1]} pixels, the image has {width} x {height}; "
            "its boxes were taken as they are.",
        )
    marks: list[Mark] = []
    for position, mark in enumerate(record.marks, start=1):
        if len(marks) == MAX_BOXES:
            left = len(record.marks) - position + 1
            say("too_many_boxes", f"An image may have {MAX_BOXES:,} boxes; the last {left:,} were left out.")
            break
        label = clean_label(mark.label)
        if label is None:
            say(
                "bad_label",
                f"Annotation {position}: the label {mark.label[:40]!r} is empty or longer than {MAX_LABEL}.",
            )
        elif mark.box is None:
            marks.append(Mark(label))
        else:
            box = _placed(mark, width, height, position, say)
            if box is not None:
                marks.append(Mark(label, box))
    return marks, remarks


def composed(name: str) -> str:
    """A name as the studio keeps it: an é is one character."""
    return unicodedata.normalize("NFC", name)


def clean_label(name: str) -> str | None:
    """A label's name in composed Unicode without control characters; None when nothing usable is left."""
    visible = "".join(one for one in composed(name) if unicodedata.category(one) not in ("Cc", "Cs"))
    visible = visible.strip()
    return visible if 0 < len(visible) <= MAX_LABEL else None


def _placed(mark: Mark, width: int, height: int, position: int, say) -> tuple[float, float, float, float] | None:
    assert mark.box is not None
    box: Sequence[float] = mark.box
    if not all(map(math.isfinite, box)):
        say("box_not_finite", f"Box {position} ({mark.label}) has a value that is no number; it was left out.")
        return None
    if mark.is_relative:
        box = (box[0] * width, box[1] * height, box[2] * width, box[3] * height)
    text = f"Box {position} ({mark.label}) {[round(value, 2) for value in box]}"
    kept = on_grid(box)
    if kept[2] <= kept[0] or kept[3] <= kept[1]:
        say("box_without_area", f"{text} has no area; it was left out.")
        return None
    clipped = on_grid((max(box[0], 0.0), max(box[1], 0.0), min(box[2], float(width)), min(box[3], float(height))))
    if clipped[2] <= clipped[0] or clipped[3] <= clipped[1]:
        say("box_outside", f"{text} lies outside of the image ({width} x {height}); it was left out.")
        return None
    if max(abs(old - new) for old, new in zip(box, clipped, strict=True)) > ROUNDING_PIXELS:
        say("box_clipped", f"{text} reached beyond the image ({width} x {height}) and was clipped.")
    return clipped
