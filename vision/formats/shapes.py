"""The box around a shape: outlines, masks, circles, turned boxes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from itertools import accumulate

MOST_PIXELS = 1e9
# 12,5 as half of the world writes it; 1,234 may as well be a thousand.
DECIMAL_COMMA = re.compile(r"^\s*-?\d+,(\d{1,2}|\d{4,})\s*$")
Box = tuple[float, float, float, float]


def number(text: object) -> float:
    """A float from text or a JSON number; NaN for anything else, which the check of boxes then rejects."""
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        return float("nan")
    if isinstance(text, str) and "," in text and DECIMAL_COMMA.match(text):
        text = text.replace(",", ".")
    try:
        return float(text)
    except (ValueError, OverflowError):
        return float("nan")


def size_of(width: object, height: object) -> tuple[int, int] | None:
    """Width and height in pixels; None when they are none."""
    across, down = number(width), number(height)
    return (int(across), int(down)) if 0 < across < MOST_PIXELS and 0 < down < MOST_PIXELS else None


def around(points: Iterable[Sequence[float]]) -> Box | None:
    """The box around points `(x, y)`; None of less than two, or when one is no number: it may lie outside of it."""
    kept = [(x, y) for x, y in points]
    if len(kept) < 2 or not all(math.isfinite(x) and math.isfinite(y) for x, y in kept):
        return None
    xs, ys = zip(*kept, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def points_of(pairs: list) -> list[tuple[float, float]]:
    """Points from `[[x, y], …]`; NaN for what is none."""
    return [
        (number(pair[0]), number(pair[1])) if isinstance(pair, list) and len(pair) >= 2 else (math.nan, math.nan)
        for pair in pairs
    ]


def around_pairs(values: object) -> Box | None:
    """The box around `[x, y, x, y, …]`."""
    if not isinstance(values, list) or len(values) < 4 or len(values) % 2:
        return None
    flat = [number(value) for value in values]
    return around(zip(flat[0::2], flat[1::2], strict=False))


def around_ellipse(x: float, y: float, radius_x: float, radius_y: float) -> Box:
    return x - radius_x, y - radius_y, x + radius_x, y + radius_y


def turned(box: Sequence[float], degrees: float, about: tuple[float, float] | None = None) -> Box:
    """The upright box around `box` turned clockwise by `degrees`, about its middle when no point is given."""
    x_min, y_min, x_max, y_max = box
    if not degrees or not math.isfinite(degrees):
        return x_min, y_min, x_max, y_max
    x, y = about if about is not None else ((x_min + x_max) / 2, (y_min + y_max) / 2)
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    corners = ((x_min, y_min), (x_max, y_min), (x_max, y_max), (x_min, y_max))
    hull = around(
        (x + (cx - x) * cosine - (cy - y) * sine, y + (cx - x) * sine + (cy - y) * cosine) for cx, cy in corners
    )
    return hull or (x_min, y_min, x_max, y_max)


def turned_as_said(box: Box, attributes: object) -> tuple[Box, bool]:
    """The upright box around one that an attribute `rotation` turns, as CVAT writes it in formats without turned boxes,
    clockwise in degrees about the middle; and whether it is another one."""
    degrees = number(attributes.get("rotation")) if isinstance(attributes, dict) else 0.0
    if not math.isfinite(degrees) or degrees % 180 == 0 or not all(map(math.isfinite, box)):
        return box, False
    return turned(box, degrees), True


def around_mask(mask: object) -> Box | None:
    """The box of a COCO run-length mask `{"size": [height, width], "counts": [...] or text}`; None when it is empty.

    Runs go down the columns, and the first is of background (pycocotools, `maskApi.c`).
    """
    if not isinstance(mask, dict):
        return None
    size, counts = mask.get("size"), mask.get("counts")
    if not isinstance(size, list) or len(size) != 2 or not number(size[0]) > 0:
        return None
    height = int(number(size[0]))
    runs = _unpacked(counts) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or any(not number(run) >= 0 for run in runs):
        return None
    ends = list(accumulate(int(number(run)) for run in runs))
    x_min = y_min = math.inf
    x_max = y_max = -math.inf
    for position in range(1, len(ends), 2):
        start, end = ends[position - 1], ends[position] - 1
        if end < start:
            continue
        first, last = divmod(start, height), divmod(end, height)
        x_min, x_max = min(x_min, first[0]), max(x_max, last[0])
        is_one_column = first[0] == last[0]
        y_min = min(y_min, first[1] if is_one_column else 0)
        y_max = max(y_max, last[1] if is_one_column else height - 1)
    return None if x_min > x_max else (float(x_min), float(y_min), float(x_max + 1), float(y_max + 1))


def _unpacked(text: str) -> list[int] | None:
    """Run lengths from COCO's text: base 32 in characters from 48 on, and from the third on relative to the one before
    the last (`rleFrString`)."""
    runs: list[int] = []
    position = 0
    while position < len(text):
        value, shift, more = 0, 0, True
        while more:
            if position >= len(text):
                return None
            bits = ord(text[position]) - 48
            if not 0 <= bits < 64:
                return None
            value |= (bits & 0x1F) << (5 * shift)
            more = bool(bits & 0x20)
            position, shift = position + 1, shift + 1
            if not more and bits & 0x10:
                value |= -1 << (5 * shift)
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
    return runs
