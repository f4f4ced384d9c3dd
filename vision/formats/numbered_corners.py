"""Corners of an outline in the cells of a table: `x1,y1,x2,y2,x3,y3,x4,y4`, as DOTA orders those of a turned box.

With names any number of corners can be read. Without them eight numbers are four corners only where they go around a
box corner by corner, and would not as four x before four y.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count

from vision.formats.shapes import number

Point = tuple[float, float]
PREFIXES = ("", "_")
EDGES = 8
WIDTH = EDGES + 2  # and a name, and a label


def named_corners(places: Mapping[str, int]) -> tuple[tuple[int, int], ...]:
    """Where the corners stand, by the names of the columns; nothing of two corners alone, which are a box.

    Args:
        places: the position of each column.
    """
    for prefix in PREFIXES:
        first = 0 if f"x{prefix}0" in places else 1
        corners = []
        for at in count(first):
            names = f"x{prefix}{at}", f"y{prefix}{at}"
            if not all(name in places for name in names):
                break
            corners.append((places[names[0]], places[names[1]]))
        if len(corners) > 2:
            return tuple(corners)
    return ()


def split_row(cells: Sequence[str]) -> tuple[str, list[float], str] | None:
    """`(name, eight numbers, label)` of a line whose label stands behind the numbers, or before them."""
    if len(cells) < WIDTH:
        return None
    values = [number(cell) for cell in cells[-EDGES - 1 :]]
    is_behind = all(map(math.isfinite, values[:-1]))
    if not is_behind and not all(map(math.isfinite, values[1:])):
        return None
    label = cells[-1] if is_behind else cells[-EDGES - 1]
    name = ",".join(cells[: -EDGES - 1])
    edges = values[:-1] if is_behind else values[1:]
    is_row = bool(name and label) and not math.isfinite(number(name))
    return (name, edges, label) if is_row else None


def go_around(rows: Sequence[Sequence[float]]) -> bool:
    """Whether eight numbers each, but for few, are corners one after the other, and not in the other order as well."""
    return _are_most(map(in_pairs, rows), len(rows)) and not _are_most(map(_in_halves, rows), len(rows))


def _are_most(outlines: Iterable[list[Point]], count: int) -> bool:
    return sum(map(_is_convex, outlines)) * 5 >= count * 4


def in_pairs(row: Sequence[float]) -> list[Point]:
    return list(zip(row[0::2], row[1::2], strict=True))


def _in_halves(row: Sequence[float]) -> list[Point]:
    middle = len(row) // 2
    return list(zip(row[:middle], row[middle:], strict=True))


def _is_convex(points: list[Point]) -> bool:
    """Whether the way along the points turns to the same side at each, as around a box that is turned or not."""
    turns = list(_turns(points))
    return all(turn > 0 for turn in turns) or all(turn < 0 for turn in turns)


def _turns(points: list[Point]) -> Iterator[float]:
    for at in range(len(points)):
        (x, y), (next_x, next_y) = points[at - 1], points[at]
        last_x, last_y = points[(at + 1) % len(points)]
        yield (next_x - x) * (last_y - next_y) - (next_y - y) * (last_x - next_x)
