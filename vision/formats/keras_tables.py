"""Tables without a first line: keras-retinanet's order of columns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from vision.formats.claims import Claim
from vision.formats.collection import Collection
from vision.formats.csv_writer import meant
from vision.formats.shapes import number
from vision.formats.table_claims import MOST_SWAPPED, claim_of, say_broken
from vision.formats.table_rows import Row


def is_keras(rows: Sequence[Row]) -> bool:
    """Whether half of the lines are of a name, four numbers (or nothing) and a label."""
    fitting = sum(_split_keras(row.cells) is not None for row in rows)
    return fitting > 0 and fitting * 2 >= len(rows)


def is_of_another_order(rows: Sequence[Row]) -> bool:
    """Whether more than a fifth of the boxes, and several, would have swapped corners: `x,y,w,h`, or `x1,x2,y1,y2`."""
    boxes = [parts for parts in (_split_keras(row.cells) for row in rows) if parts is not None and parts[2]]
    edges = [[number(edge) for edge in parts[1]] for parts in boxes]
    swapped = sum(x_min > x_max or y_min > y_max for x_min, y_min, x_max, y_max in edges)
    return swapped >= MOST_SWAPPED and swapped * 5 > len(edges)


def _split_keras(cells: list[str]) -> tuple[str, list[str], str] | None:
    """`(name, edges, label)`; the name has commas when there are more than six cells."""
    if len(cells) < 6:
        return None
    *name, x_min, y_min, x_max, y_max, label = cells
    edges = [x_min, y_min, x_max, y_max]
    if len(name) > 1 and all(math.isfinite(number(cell)) for cell in cells):
        return None  # a table of numbers, such as pixels
    is_row = all(math.isfinite(number(edge)) for edge in edges) and bool(label)
    return (",".join(name), edges, label) if is_row or not any([*edges, label]) else None


def read_keras(collection: Collection, source: str, rows: Iterable[Row], classes: set[str] | None) -> None:
    claims: dict[str, Claim] = {}
    for row in rows:
        parts = _split_keras(row.cells)
        if parts is None:
            say_broken(collection, source, row, claims)
            continue
        said, edges, label = parts
        claim = claims.get(said) or claim_of(collection, source, said, row.line)
        claims[said] = claim
        label = meant(label)
        if label and classes is not None and label not in classes:
            detail = f"Line {row.line}: {label!r} is not in classes.csv."
            collection.leave_out(claim, "unknown_label", detail, row.line)
        elif label and (name := label if classes else collection.named(claim, label, row.line, with_lists=True)):
            collection.add(claim, name, [number(edge) for edge in edges], row.line)
