"""From a mark in an archive to a box that the studio keeps: in pixels, finite, inside the image, with an area."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from vision.formats.base import ImportWarning, ParsedAnnotation, Record

MAX_BOXES = 10_000
# What turns the direction of writing (Unicode Standard Annex 9).
TURNING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
MAX_LABEL = 100
# What rounding of fractions moves an edge; less than that over the border is not worth a word.
ROUNDING_PIXELS = 0.01
# Edges are kept on a grid that is far finer than any label and far coarser than the rounding of formats that store
# fractions or sizes. So what is exported and imported again is the same to the last bit, and so is its digest.
EDGE_DECIMALS = 4
# Formats that round edges to a fraction of a pixel may have a box of one pixel a little smaller.
LEAST_PIXELS = 0.99
# Sizes whose sides have the same ratio but for rounding are of the same image, scaled.
MOST_DISTORTION = 0.01
# The boxes that two files have of one thing overlap this much, as a share of what they cover together.
TWIN_OVERLAP = 0.9
# Orientations in which width and height change places.
TURNS = (5, 6, 7, 8)
# What is said of boxes that mark nothing.
EMPTY = ("box_without_area", "box_below_pixel")
Box = tuple[float, float, float, float]


def on_grid(edges: Iterable[float]) -> tuple[float, float, float, float]:
    """The edges of a box in pixels as the studio keeps them."""
    x_min, y_min, x_max, y_max = (round(edge, EDGE_DECIMALS) for edge in edges)
    return x_min, y_min, x_max, y_max


@dataclass
class Placed:
    """What of an image's annotations can be used.

    Attributes:
        left_out: annotations that say something nobody understands: the image is not annotated with the others alone.
        ignored: annotations of nothing, such as boxes below a pixel.
    """

    marks: list[ParsedAnnotation] = field(default_factory=list)
    remarks: list[ImportWarning] = field(default_factory=list)
    left_out: int = 0
    ignored: int = 0


def to_pixel_boxes(record: Record, width: int, height: int, orientation: int = 1) -> Placed:
    """The marks that can be used, in pixels of the upright image, and a remark for each that was changed or left out.

    Args:
        width, height: size of the upright image as decoded, in pixels.
        orientation: how the pixels are stored, as EXIF counts it.
    """
    placed = Placed(left_out=record.left_out)
    frame = _frame_of(record, width, height, orientation, placed)
    for position, mark in enumerate(record.marks, start=1):
        if len(placed.marks) == MAX_BOXES:
            left = len(record.marks) - position + 1
            detail = f"An image may have {MAX_BOXES:,} boxes; the last {left:,} were left out."
            placed.remarks.append(ImportWarning(record.path, "too_many_boxes", detail, mark.source))
            break
        _place(record, mark, position, frame, placed)
    placed.marks = _without_twins(placed.marks)
    return placed


@dataclass(frozen=True)
class _Frame:
    """The pixels that boxes are in, and the image's.

    Attributes:
        turn: the orientation of stored pixels that boxes are in, else 1.
        is_wrong: the size that the annotations claim is another image's.
    """

    width: int
    height: int
    said: tuple[int, int]
    turn: int = 1
    is_wrong: bool = False


def _frame_of(record: Record, width: int, height: int, orientation: int, placed: Placed) -> _Frame:
    """Whether the size that annotations claim is the image's, the stored one before it is turned, or another."""
    if record.size is None or _is_near(record.size, (width, height)) or not record.marks:
        return _Frame(width, height, (width, height))
    said = record.size

    def say(code: str, what: str) -> None:
        detail = f"The annotations speak of {said[0]} x {said[1]} pixels, the image has {width} x {height}; {what}"
        placed.remarks.append(ImportWarning(record.path, code, detail, record.marks[0].source))

    boxes = [mark.box for mark in record.marks if mark.box is not None and not mark.is_relative]
    if _is_near(said, (height, width)) and orientation in TURNS:
        say("boxes_turned", "its boxes are on the unrotated image and were turned with it.")
        return _Frame(width, height, said, orientation)
    if abs(said[0] * height - said[1] * width) <= MOST_DISTORTION * said[0] * height:
        say("boxes_scaled", "its boxes were scaled to it.")
        return _Frame(width, height, said)
    if all(box[2] <= width + 1 and box[3] <= height + 1 for box in boxes):
        say("wrong_size", "its boxes fit the image and were taken as they are.")
        return _Frame(width, height, (width, height))
    say("wrong_size", "nobody knows where its boxes belong, so they were left out.")
    return _Frame(width, height, said, is_wrong=True)


def _is_near(size: tuple[int, int], other_size: tuple[int, int]) -> bool:
    return abs(size[0] - other_size[0]) <= 1 and abs(size[1] - other_size[1]) <= 1


def _place(record: Record, mark: ParsedAnnotation, position: int, frame: _Frame, placed: Placed) -> None:
    def say(code: str, detail: str) -> None:
        placed.remarks.append(ImportWarning(record.path, code, detail, mark.source, mark.number))

    label = clean_label(mark.label)
    if label is None:
        say("bad_label", f"Annotation {position}: the label {mark.label[:40]!r} is empty or longer than {MAX_LABEL}.")
        placed.left_out += 1
    elif mark.box is None:
        placed.marks.append(ParsedAnnotation(label, source=mark.source, number=mark.number))
    elif frame.is_wrong and not mark.is_relative:
        placed.left_out += 1
    else:
        before = len(placed.remarks)
        box = _placed(mark, mark.box, position, frame, say)
        if box is not None:
            placed.marks.append(ParsedAnnotation(label, box, source=mark.source, number=mark.number))
        elif placed.remarks[before].code in EMPTY:
            placed.ignored += 1
        else:
            placed.left_out += 1


def _placed(
    mark: ParsedAnnotation, box: Sequence[float], position: int, frame: _Frame, say: Callable[[str, str], None]
) -> Box | None:
    if not all(map(math.isfinite, box)):
        say("box_not_finite", f"Box {position} ({mark.label}) has a value that is no number; it was left out.")
        return None
    width, height = frame.width, frame.height
    if mark.is_relative:
        box = (box[0] * frame.said[0], box[1] * frame.said[1], box[2] * frame.said[0], box[3] * frame.said[1])
    if frame.turn in TURNS:
        box = _turned(box, frame.said, frame.turn)
    elif frame.said != (width, height):
        across, down = width / frame.said[0], height / frame.said[1]
        box = (box[0] * across, box[1] * down, box[2] * across, box[3] * down)
    text = f"Box {position} ({mark.label}) {[round(value, 2) for value in box]}"
    kept = on_grid(box)
    if kept[2] <= kept[0] or kept[3] <= kept[1]:
        say("box_without_area", f"{text} has no area; it was left out.")
        return None
    clipped = on_grid((max(box[0], 0.0), max(box[1], 0.0), min(box[2], float(width)), min(box[3], float(height))))
    if clipped[2] <= clipped[0] or clipped[3] <= clipped[1]:
        say("box_outside", f"{text} lies outside of the image ({width} x {height}); it was left out.")
        return None
    if min(clipped[2] - clipped[0], clipped[3] - clipped[1]) < LEAST_PIXELS:
        say("box_below_pixel", f"{text} is smaller than a pixel of the image ({width} x {height}); it was left out.")
        return None
    if max(abs(old - new) for old, new in zip(box, clipped, strict=True)) > ROUNDING_PIXELS:
        say("box_clipped", f"{text} reached beyond the image ({width} x {height}) and was clipped.")
    return clipped


def _turned(box: Sequence[float], size: tuple[int, int], orientation: int) -> Box:
    """A box on stored pixels of `size` as it lies on the upright image (EXIF 2.3, 4.6.4, orientation 5 to 8)."""
    x_min, y_min, x_max, y_max = box
    width, height = size
    if orientation == 5:
        return y_min, x_min, y_max, x_max
    if orientation == 6:
        return height - y_max, x_min, height - y_min, x_max
    if orientation == 7:
        return height - y_max, width - x_max, height - y_min, width - x_min
    return y_min, width - x_max, y_max, width - x_min


def _without_twins(marks: list[ParsedAnnotation]) -> list[ParsedAnnotation]:
    """Boxes that several files have once: the same label, and nearly the same place."""
    if len({mark.source for mark in marks}) < 2:
        return marks
    kept: list[ParsedAnnotation] = []
    for mark in marks:
        if not any(_is_twin(mark, other) for other in kept):
            kept.append(mark)
    return kept


def _is_twin(mark: ParsedAnnotation, other: ParsedAnnotation) -> bool:
    if mark.label != other.label or mark.source == other.source:
        return False
    if mark.box is None or other.box is None:
        return mark.box is None and other.box is None
    return is_same_place(mark.box, other.box)


def is_same_place(first: Sequence[float], second: Sequence[float]) -> bool:
    """Whether two boxes are nearly the same."""
    across = min(first[2], second[2]) - max(first[0], second[0])
    down = min(first[3], second[3]) - max(first[1], second[1])
    if across <= 0 or down <= 0:
        return False
    area = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))
    return across * down >= TWIN_OVERLAP * (area - across * down)


def composed(name: str) -> str:
    """A name as the studio keeps it: an é is one character."""
    return unicodedata.normalize("NFC", name)


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs") or unicodedata.bidirectional(character) in TURNING


@lru_cache(maxsize=4096)
def clean_label(name: str) -> str | None:
    """A label's name in composed Unicode without control characters and what turns the direction of writing; None when
    nothing that can be seen is left, or too much."""
    kept = "".join(character for character in composed(name) if not _is_control(character)).strip()
    can_be_seen = any(unicodedata.category(character) != "Cf" for character in kept)
    return kept if can_be_seen and len(kept) <= MAX_LABEL else None
