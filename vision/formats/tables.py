"""Tables of annotations in CSV: keras-retinanet, TensorFlow and Roboflow, Open Images, VIA, and labels of whole images.

Where the first line names the columns these decide, in any order; else the table is one of keras-retinanet
(`path,x1,y1,x2,y2,label`) or of labels (`path,label`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from vision.formats import label_studio, via
from vision.formats.base import (
    split_of_word,
)
from vision.formats.claims import FRACTIONS, PIXELS, Claim
from vision.formats.collection import Collection
from vision.formats.csv_writer import CLASSES, meant
from vision.formats.keras_tables import is_keras, is_of_another_order, read_keras
from vision.formats.numbered_corners import go_around, in_pairs, split_row
from vision.formats.shapes import around, number, size_of
from vision.formats.side_tables import (
    SPLITS,
    are_facts,
    is_missing,
    labels_of,
    lists_of_labels,
)
from vision.formats.table_claims import claim_of, is_here, is_image_here, say_broken
from vision.formats.table_columns import (
    FILES,
    SPACES,
    Columns,
    are_unknown_names,
    cell_at,
    column_may_be_labels,
    columns_of,
    is_header,
)
from vision.formats.table_rows import Row, all_rows, some_rows
from vision.words import counted

SAMPLE_ROWS = 50
# The end of a line of `classes.csv`: a delimiter and an id.
IDS = re.compile(r"([,;\t])[ \"]*\d+[ \"]*\r?$", re.MULTILINE)
OPEN_IMAGES_LIST = {"imageid", "originalurl"}


def read(
    collection: Collection, source: str, text: str, names: dict[str, str], classes: set[str] | None = None
) -> bool:
    """Read a table; False when it is none that says something about images.

    Args:
        names: what Open Images calls its classes, by their codes.
        classes: the labels of `classes.csv`; what a table of keras-retinanet has beside these is left out.
    """
    rows = list(some_rows(text, SAMPLE_ROWS))
    if not rows:
        return True  # an empty table says nothing
    header = [SPACES.sub("_", cell.lower().lstrip("\ufeff").strip("# ")) for cell in rows[0].cells]
    if via.is_table(header):
        via.read_table(collection, source, header, all_rows(text))
        return True
    if label_studio.is_table(header):
        lines = ((row.line, row.cells) for row in all_rows(text))
        next(lines)
        label_studio.read_table(collection, source, header, lines)
        return True
    columns = columns_of(header, rows)
    if columns is not None:
        if columns.label is not None and columns.box is None:
            columns = replace(columns, lists=_lists(text, columns.label, classes, len(header)))
        _read_with_columns(collection, source, columns, all_rows(text), names)
        return True
    if set(header) >= OPEN_IMAGES_LIST:
        return True  # their licences and addresses
    if _read_facts(collection, source, header, text):
        return True
    if is_header(header) or are_unknown_names(rows[0]):
        return False
    outlines = [parts for parts in (split_row(row.cells) for row in rows) if parts is not None]
    if outlines and len(outlines) * 2 >= len(rows):
        return _read_outlines(collection, source, text, [edges for _, edges, _ in outlines])
    if is_keras(rows):
        if is_of_another_order(rows):
            detail = (
                "Many boxes have their right edge left of the left one, or their lower edge above the upper one: the "
                "columns are not path,x1,y1,x2,y2,label, and no line names them. Name them in the first line."
            )
            collection.say("columns_unclear", detail, source)
            return False
        read_keras(collection, source, all_rows(text), classes)
        return True
    return _is_labels(collection, source, rows) and _read_labels(collection, source, header, rows, text, classes)


def _lists(text: str, at: int, classes: set[str] | None, width: int) -> frozenset[str]:
    """The cells of a column that may be several labels, but for those that `classes.csv` has.

    Commas that no quotes enclose divide labels as well, where one of these stands alone elsewhere.
    """
    values, joined = set(), set()
    for row in all_rows(text):
        if (extra := len(row.cells) - width) > 0:
            joined.add(meant(_joined(row.cells, at, extra)[at]))
        else:
            values.add(meant(cell_at(row.cells, at)))
    several = {label for label in joined if not values.isdisjoint(map(str.strip, label.split(",")))}
    return frozenset((lists_of_labels(values | joined) | several) - (classes or set()))


def _leave_out_list(collection: Collection, claim: Claim, label: str, line: int) -> None:
    detail = f"Line {line}: {label!r} may be one label, or several that others of the table have; it was left out."
    collection.leave_out(claim, "several_labels", detail, line)


def _read_facts(collection: Collection, source: str, header: list[str], text: str) -> bool:
    """A table of images without anything that they show; it may put them in splits."""
    at = next((position for position, name in enumerate(header) if name in FILES), None)
    if at is None or len(header) < 2 or not are_facts([*header[:at], *header[at + 1 :]]):
        return False
    split = next((position for position, name in enumerate(header) if name in SPLITS), None)
    for row in all_rows(text) if split is not None else ():
        if (said := split_of_word(cell_at(row.cells, split))) is not None:
            collection.put_in_split(source, cell_at(row.cells, at), said)
    if len(header) > 2 or split is None:
        detail = "The table has no column of labels or boxes that is known; nothing but splits was taken from it."
        collection.say("no_column_of_labels", detail, source)
    return True


def is_classes(name: str, text: Callable[[str], str]) -> bool:
    """Whether a table is the list of labels and their ids; Roboflow calls it as it calls its tables of classes.

    Args:
        text: reads a file.
    """
    base = name.rpartition("/")[2].lower()
    if base != f"_{CLASSES}":
        return base == CLASSES
    rows = list(some_rows(text(name), SAMPLE_ROWS))
    return bool(rows) and all(len(row.cells) == 2 and row.cells[1].isdecimal() for row in rows)


def read_classes(collection: Collection, source: str, text: str) -> set[str]:
    """The labels of `classes.csv` (`label,id`), declared in the order of their ids."""
    numbered = []
    for row in some_rows(text, None, delimiter=_before_the_ids(text)):
        if len(row.cells) == 2 and row.cells[0] and number(row.cells[1]) >= 0:
            numbered.append((number(row.cells[1]), meant(row.cells[0])))
        else:
            detail = f"Line {row.line} should be label,id; it is left out."
            collection.say("incomplete_annotation", detail, source, row.line)
    labels = [label for _, label in sorted(numbered, key=lambda pair: pair[0])]
    collection.declare(labels)
    return set(labels)


def _before_the_ids(text: str) -> str | None:
    """What divides label from id, which labels may have in their names as well; None: no line says."""
    match = IDS.search(text)
    return match.group(1) if match else None


def class_codes(text: str, *, any_code: bool = False) -> dict[str, str]:
    """Open Images' `class-descriptions.csv`: `/m/01g317,Person`; empty when the table is something else.

    Args:
        any_code: the name of the file says what it is, so that codes may be of other kinds.
    """
    codes = {}
    for row in some_rows(text, 100_000):
        if len(row.cells) == 2 and (any_code or row.cells[0].startswith(("/m/", "/g/", "/t/"))):
            codes[row.cells[0]] = row.cells[1]
    return codes


# With a line of names


def names_images(collection: Collection, text: str) -> bool:
    """Whether a table that is not read names images in a column that is called so."""
    rows = list(some_rows(text, SAMPLE_ROWS))
    header = [SPACES.sub("_", cell.lower()) for cell in rows[0].cells] if rows else []
    at = next((position for position, name in enumerate(header) if name in FILES), None)
    return at is not None and any(collection.index.has_stem(cell_at(row.cells, at)) for row in rows[1:])


def _read_with_columns(
    collection: Collection, source: str, columns: Columns, rows: Iterator[Row], names: dict[str, str]
) -> None:
    header = next(rows)
    claims: dict[str, Claim] = {}
    collection.declare(meant(name) for _, name in columns.classes)
    for row in rows:
        cells = row.cells
        if len(cells) > len(header.cells):
            cells = _with_commas(collection, source, cells, columns, len(header.cells)) or cells
        said = cell_at(cells, columns.file)
        if not said:
            detail = f"Line {row.line} names no image; it is left out."
            collection.say("incomplete_annotation", detail, source, row.line)
            continue
        claim = claims.get(said) or claim_of(
            collection,
            source,
            said,
            row.line,
            split=split_of_word(cell_at(cells, columns.split)),
            size=_size(cells, columns),
        )
        claims[said] = claim
        if len(cells) > len(header.cells):
            detail = f"Line {row.line} has {len(cells)} cells for {len(header.cells)} columns; it is left out."
            collection.leave_out(claim, "incomplete_annotation", detail, row.line)
        elif columns.classes:
            for at, name in columns.classes:
                if number(cell_at(cells, at)) == 1:
                    collection.add(claim, meant(name), None, row.line)
            # No 1 in the line: none of the labels, unless a column says that nobody has labelled the image.
            is_labelled = columns.unlabelled is None or number(cell_at(cells, columns.unlabelled)) != 1
            claim.is_annotated = bool(claim.marks) or is_labelled
        else:
            _cells(collection, claim, columns, cells, row.line, names)


def _with_commas(
    collection: Collection, source: str, cells: list[str], columns: Columns, width: int
) -> list[str] | None:
    """A line with more cells than columns: its file name has commas, or its label, or nothing is behind the last.

    None where numbers would be a part of the label: they may have commas, too (`5,5`).
    """
    while len(cells) > width and not cells[-1]:
        cells = cells[:-1]
    extra = len(cells) - width
    named = _joined(cells, columns.file, extra)
    if not extra or columns.label is None or is_image_here(collection, source, named[columns.file]):
        return named
    labelled = _joined(cells, columns.label, extra)
    parts = cells[columns.label : columns.label + extra + 1]
    if columns.box is not None and any(math.isfinite(number(part)) for part in parts):
        return None
    return labelled if is_image_here(collection, source, labelled[columns.file]) else named


def _joined(cells: list[str], at: int, extra: int) -> list[str]:
    return [*cells[:at], ",".join(cells[at : at + extra + 1]), *cells[at + extra + 1 :]]


def _cells(
    collection: Collection, claim: Claim, columns: Columns, cells: list[str], line: int, names: dict[str, str]
) -> None:
    label = meant(cell_at(cells, columns.label))
    label = "" if is_missing(label) else names.get(label, label)
    confidence = number(cell_at(cells, columns.confidence)) if columns.box is None else 1.0
    if columns.confidence is not None and confidence == 0:
        claim.is_annotated = bool(claim.marks)
        return  # Open Images: verified not to be there
    if columns.is_open_images and 0 < confidence < 1:
        collection.ignore(claim, "not_verified", f"Line {line}: a model gave {label!r}; nobody has verified it.", line)
        return
    if columns.box is None and label in columns.lists:
        _leave_out_list(collection, claim, label, line)
        return
    if columns.box is None:
        _whole(collection, claim, [names.get(code, code) for code in labels_of(label)], line)
        return
    if columns.corners:
        _outline_of_cells(collection, claim, columns, cells, line, label)
        return
    texts = [cell_at(cells, at) for at in columns.box]
    if not label and not any(texts):
        return  # looked at, nothing there
    if not label:
        collection.leave_out(claim, "incomplete_annotation", f"Line {line} has no label.", line)
        return
    edges = [number(text) for text in texts]
    if not all(map(math.isfinite, edges)):
        detail = f"Line {line} has a box with a value that is no number."
        collection.leave_out(claim, "box_not_finite", detail, line)
        return
    if number(cell_at(cells, columns.group)) == 1:
        collection.ignore(claim, "crowd", f"Line {line} marks a group, not one object; it is left out.", line)
        return
    label = collection.named(claim, label, line, with_lists=True)
    if not label:
        return
    if columns.has_sizes:
        edges = [edges[0], edges[1], edges[0] + edges[2], edges[1] + edges[3]]
    collection.add(claim, label, edges, line, FRACTIONS if columns.is_open_images else PIXELS)


def _outline_of_cells(
    collection: Collection, claim: Claim, columns: Columns, cells: list[str], line: int, label: str
) -> None:
    """The box around the corners of a line; those behind its last are empty."""
    texts = [(cell_at(cells, x), cell_at(cells, y)) for x, y in columns.corners]
    if label or any(map(any, texts)):
        points = [(number(x), number(y)) for x, y in texts if x or y]
        _outline(collection, claim, label, points, line)


def _outline(collection: Collection, claim: Claim, label: str, points: list[tuple[float, float]], line: int) -> None:
    box = around(points)
    if box is None or not label:
        what = "corners that are no numbers" if label else "no label"
        collection.leave_out(claim, "incomplete_annotation", f"Line {line} has {what}; it is left out.", line)
        return
    if name := collection.named(claim, label, line, with_lists=True):
        collection.say_outline(claim, f"Line {line} has {counted(len(points), 'corner')}", line)
        collection.add(claim, name, box, line)


def _size(cells: Sequence[str], columns: Columns) -> tuple[int, int] | None:
    if columns.size is None:
        return None
    width, height = (cell_at(cells, at) for at in columns.size)
    return size_of(width, height)


# Without


def _read_outlines(collection: Collection, source: str, text: str, rows: Sequence[Sequence[float]]) -> bool:
    """A table of `path,x1,y1,x2,y2,x3,y3,x4,y4,label`, or with the label before the numbers."""
    if not go_around(rows):
        detail = (
            "Lines have eight numbers that do not go around a box corner by corner (x1,y1,x2,y2,x3,y3,x4,y4), and no "
            "line names the columns. Name them in the first line."
        )
        collection.say("columns_unclear", detail, source)
        return False
    claims: dict[str, Claim] = {}
    for row in all_rows(text):
        parts = split_row(row.cells)
        if parts is None:
            say_broken(collection, source, row, claims)
            continue
        said, edges, label = parts
        claims[said] = claim = claims.get(said) or claim_of(collection, source, said, row.line)
        if go_around([edges]):
            _outline(collection, claim, meant(label), in_pairs(edges), row.line)
        else:
            detail = f"Line {row.line} has eight numbers that do not go around a box; it is left out."
            collection.leave_out(claim, "incomplete_annotation", detail, row.line)
    return True


def _read_labels(
    collection: Collection,
    source: str,
    header: Sequence[str],
    rows: Sequence[Row],
    text: str,
    classes: set[str] | None,
) -> bool:
    """A table of `path,label`, whose first line may name these."""
    has_header = not is_here(collection, source, rows[0])
    if has_header and not column_may_be_labels(header[1], 1, rows):
        return False
    lists = _lists(text, 1, classes, 2) if has_header else frozenset()
    for row in islice(all_rows(text), int(has_header), None):
        claim = claim_of(collection, source, row.cells[0], row.line)
        if any(row.cells[2:]):
            detail = f"Line {row.line} has {len(row.cells)} cells for 2 columns; it is left out."
            collection.leave_out(claim, "incomplete_annotation", detail, row.line)
            continue
        label = meant(row.cells[1]) if len(row.cells) > 1 else ""
        if label in lists:
            _leave_out_list(collection, claim, label, row.line)
            continue
        _whole(collection, claim, labels_of(label) if has_header else [label], row.line)
    return True


def _is_labels(collection: Collection, source: str, rows: Sequence[Row]) -> bool:
    """Whether lines are of an image that is here and a label."""
    if any(len(row.cells) != 2 for row in rows):
        return False
    known = sum(is_here(collection, source, row) for row in rows)
    return known * 2 >= len(rows) and known > 0


def _whole(collection: Collection, claim: Claim, labels: Sequence[str], line: int) -> None:
    for label in filter(None, (collection.named(claim, label, line) for label in labels)):
        collection.add(claim, label, None, line)
    claim.is_annotated = bool(claim.marks)
