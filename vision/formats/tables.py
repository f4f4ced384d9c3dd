"""Tables of annotations in CSV: keras-retinanet, TensorFlow and Roboflow, Open Images, VIA, and labels of whole images.

Where the first line names the columns these decide, in any order; else the table is one of keras-retinanet
(`path,x1,y1,x2,y2,label`) or of labels (`path,label`).
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from vision.formats import label_studio, via
from vision.formats.base import (
    SPLIT_FOLDERS,
    Exported,
    FormatError,
    ending_of,
    folder_of,
    is_image,
    split_of_filename,
    split_of_word,
)
from vision.formats.claims import FRACTIONS, PIXELS, Claim
from vision.formats.collection import Collection
from vision.formats.numbered_corners import go_around, in_pairs, named_corners, split_row
from vision.formats.shapes import around, number, size_of
from vision.formats.side_tables import (
    ANSWERS,
    SPLITS,
    are_facts,
    has_places,
    is_missing,
    labels_of,
    lists_of_labels,
    may_be_labels,
)
from vision.words import counted

GROUP = "csv"
CLASSES = "classes.csv"
FORMULA = ("=", "+", "-", "@", "\t", "\r")
SAMPLE_ROWS = 50
MOST_SWAPPED = 3
# The end of a line of `classes.csv`: a delimiter and an id.
IDS = re.compile(r"([,;\t])[ \"]*\d+[ \"]*\r?$", re.MULTILINE)
DECLARED = re.compile(r"\ufeff?\s*sep=(.)\s*?\r?\n", re.IGNORECASE)
SPACES = re.compile(r"[\s-]+")
OPEN_IMAGES_LIST = {"imageid", "originalurl"}
FILES = ("filename", "file", "file_name", "image", "image_path", "imagepath", "img", "img_path", "path", "filepath",
         "file_path", "image_name", "imagename", "imageid", "image_id", "filepaths", "file_paths", "filenames",
         "file_names", "image_paths", "name", "id")  # fmt: skip
LABELS = (
    "class",
    "label",
    "labelname",
    "label_name",
    "class_name",
    "classname",
    "category",
    "labels",
    "class_id",
    "category_name",
    "type",
)
CORNERS = (
    ("xmin", "ymin", "xmax", "ymax"),
    ("x_min", "y_min", "x_max", "y_max"),
    ("x1", "y1", "x2", "y2"),
    ("left", "top", "right", "bottom"),
    ("bbox_xmin", "bbox_ymin", "bbox_xmax", "bbox_ymax"),
    ("x0", "y0", "x1", "y1"),
    ("x_1", "y_1", "x_2", "y_2"),
    ("xtl", "ytl", "xbr", "ybr"),
)
SIZES = (
    ("bbox_x", "bbox_y", "bbox_width", "bbox_height"),
    ("x", "y", "w", "h"),
    ("bbox_x", "bbox_y", "bbox_w", "bbox_h"),
    ("x", "y", "bbox_width", "bbox_height"),
    ("x", "y", "width", "height"),
    ("left", "top", "width", "height"),
    ("xmin", "ymin", "width", "height"),
    ("x_min", "y_min", "width", "height"),
    ("xmin", "ymin", "w", "h"),
    ("x_min", "y_min", "w", "h"),
    ("left", "top", "w", "h"),
)

NO_CLASSES = ("unlabeled", "unlabelled")

# Columns that only tables of boxes, points and outlines have.
PLACES = {"bbox", "box", "boxes", "bboxes", "bounding_box", "segmentation", "polygon", "points", "geometry", "x", "y",
          "xc", "yc", "cx", "cy", "x_center", "y_center", "xcenter", "ycenter", "center_x", "center_y",
          "rle", "encodedpixels", *(name for names in (*CORNERS, *SIZES) for name in names if name not in
          ("left", "top", "right", "bottom", "width", "height", "w", "h"))}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """The cells of a line without the spaces around them; `line` counts from 1, as an editor does."""

    cells: list[str]
    line: int


@dataclass(frozen=True)
class Columns:
    """Where a table has what, by its first line."""

    file: int
    label: int | None = None
    box: tuple[int, int, int, int] | None = None
    has_sizes: bool = False  # the third and fourth are width and height
    split: int | None = None
    size: tuple[int, int] | None = None
    confidence: int | None = None
    group: int | None = None  # 1 where a box is around more than one object
    is_open_images: bool = False  # boxes are in fractions
    classes: tuple[tuple[int, str], ...] = ()  # a column a class
    lists: frozenset[str] = frozenset()  # cells that may be several labels
    corners: tuple[tuple[int, int], ...] = ()  # more than two, of an outline


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
    columns = _columns(header, rows)
    if columns is not None:
        if columns.label is not None and columns.box is None:
            columns = replace(columns, lists=_lists(text, columns.label, classes, len(header)))
        _read_with_columns(collection, source, columns, all_rows(text), names)
        return True
    if set(header) >= OPEN_IMAGES_LIST:
        return True  # their licences and addresses
    if _read_facts(collection, source, header, text):
        return True
    if _is_header(header) or _are_unknown_names(rows[0]):
        return False
    outlines = [parts for parts in (split_row(row.cells) for row in rows) if parts is not None]
    if outlines and len(outlines) * 2 >= len(rows):
        return _read_outlines(collection, source, text, [edges for _, edges, _ in outlines])
    if _is_keras(rows):
        if _is_of_another_order(rows):
            detail = (
                "Many boxes have their right edge left of the left one, or their lower edge above the upper one: the "
                "columns are not path,x1,y1,x2,y2,label, and no line names them. Name them in the first line."
            )
            collection.say("columns_unclear", detail, source)
            return False
        _read_keras(collection, source, all_rows(text), classes)
        return True
    if _is_labels(collection, source, rows):
        has_header = not _is_here(collection, source, rows[0])
        if has_header and not _may_be_labels(header[1], 1, rows):
            return False
        lists = _lists(text, 1, classes, 2) if has_header else frozenset()
        for row in islice(all_rows(text), int(has_header), None):
            claim = _claim(collection, source, row.cells[0], row.line)
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
    return False


def _lists(text: str, at: int, classes: set[str] | None, width: int) -> frozenset[str]:
    """The cells of a column that may be several labels, but for those that `classes.csv` has.

    Commas that no quotes enclose divide labels as well, where one of these stands alone elsewhere.
    """
    values, joined = set(), set()
    for row in all_rows(text):
        if (extra := len(row.cells) - width) > 0:
            joined.add(meant(_joined(row.cells, at, extra)[at]))
        else:
            values.add(meant(_cell(row.cells, at)))
    several = {label for label in joined if not values.isdisjoint(map(str.strip, label.split(",")))}
    return frozenset((lists_of_labels(values | joined) | several) - (classes or set()))


def _leave_out_list(collection: Collection, claim: Claim, label: str, line: int) -> None:
    detail = f"Line {line}: {label!r} may be one label, or several that others of the table have; it was left out."
    collection.leave_out(claim, "several_labels", detail, line)


def _may_be_labels(name: str, at: int, rows: Sequence[Row]) -> bool:
    return may_be_labels(name, [_cell(row.cells, at) for row in rows[1:]], is_known=name in LABELS)


def _read_facts(collection: Collection, source: str, header: list[str], text: str) -> bool:
    """A table of images without anything that they show; it may put them in splits."""
    at = next((position for position, name in enumerate(header) if name in FILES), None)
    if at is None or len(header) < 2 or not are_facts([*header[:at], *header[at + 1 :]]):
        return False
    split = next((position for position, name in enumerate(header) if name in SPLITS), None)
    for row in all_rows(text) if split is not None else ():
        if (said := split_of_word(_cell(row.cells, split))) is not None:
            collection.put_in_split(source, _cell(row.cells, at), said)
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
    found = []
    for row in some_rows(text, None, delimiter=_before_the_ids(text)):
        if len(row.cells) == 2 and row.cells[0] and number(row.cells[1]) >= 0:
            found.append((number(row.cells[1]), meant(row.cells[0])))
        else:
            detail = f"Line {row.line} should be label,id; it is left out."
            collection.say("incomplete_annotation", detail, source, row.line)
    labels = [label for _, label in sorted(found, key=lambda pair: pair[0])]
    collection.declare(labels)
    return set(labels)


def _before_the_ids(text: str) -> str | None:
    """What divides label from id, which labels may have in their names as well; None: no line says."""
    found = IDS.search(text)
    return found.group(1) if found else None


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


def all_rows(text: str) -> Iterator[Row]:
    return some_rows(text, None)


def some_rows(text: str, most: int | None, delimiter: str | None = None) -> Iterator[Row]:
    """The lines that have something in them."""
    csv.field_size_limit(1 << 24)
    before = 0
    if declared := DECLARED.match(text):  # the first line of Excel's, which is no row
        text, before = text[declared.end() :], 1
    delimiter = declared.group(1) if declared else delimiter or _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    count, above = 0, before
    while most is None or count < most:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise FormatError("damaged_annotations", f"Line {before + 1} cannot be read ({error}).") from error
        line, before = before + 1, reader.line_num + above
        if before > line:
            _check_quotes(cells, line, before, delimiter)
        cells = [cell.strip() for cell in cells]
        if any(cells):
            count += 1
            yield Row(cells, line)


def _check_quotes(cells: list[str], line: int, end: int, delimiter: str) -> None:
    """A name may have line ends; but one with whole lines of the table in it has a quote that nobody closed.

    Raises:
        FormatError
    """
    inside = [part for cell in cells for part in cell.splitlines()[1:]]
    if any(part.count(delimiter) >= max(1, len(cells) - 2) for part in inside):
        detail = f"A quote opens in line {line} and goes on to line {end}: which line says what cannot be told apart."
        raise FormatError("damaged_annotations", detail)


def _delimiter(text: str) -> str:
    """The sign that stands in each of the first lines and leaves names of images before it; of several, the one that
    stands there most often. Names may have some of these signs in them."""
    lines = [line for line in text[:20_000].splitlines() if line.strip()][:20]
    if not lines:
        return ","

    def score(sign: str) -> tuple[bool, int, int, bool]:
        counts = [line.count(sign) for line in lines]
        images = sum(bool(ending_of(_first_cell(line, sign))) for line in lines)
        return min(counts) > 0, images, min(counts), sign == ","

    return max((",", ";", "\t", "|"), key=score)


def _first_cell(line: str, delimiter: str) -> str:
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [""])[0].strip()
    except csv.Error:
        return ""


# With a line of names


def _columns(header: list[str], rows: Sequence[Row]) -> Columns | None:
    if any(math.isfinite(number(cell)) for cell in header):
        return None
    places = {name: position for position, name in reversed(list(enumerate(header)))}
    file = next((places[name] for name in FILES if name in places), None)
    if file is None:
        return None
    box, has_sizes = None, False
    corners: tuple[tuple[int, int], ...] = ()
    for names in CORNERS:
        if all(name in places for name in names):
            box = tuple(places[name] for name in names)
            corners = named_corners(places) if "y2" in names or "y_2" in names or "y0" in names else ()
            break
    else:
        for names in SIZES:
            if all(name in places for name in names):
                box, has_sizes = tuple(places[name] for name in names), True
                break
    if box is None and (
        any(name in PLACES for name in header) or {"left", "top"} <= places.keys() or has_places(header)
    ):
        return None  # boxes in columns that are not known: their labels are not those of whole images
    label = _label_column([places[name] for name in LABELS if name in places and places[name] != file], rows)
    size = (places["width"], places["height"]) if {"width", "height"} <= places.keys() else None
    split = next((places[name] for name in SPLITS if name in places), None)
    confidence = places.get("confidence")
    if label is not None and box is None and not _may_be_labels(header[label], label, rows):
        return None
    if label is not None:
        is_open_images = {"imageid", "labelname"} <= places.keys()
        return Columns(
            file,
            label,
            box,  # type: ignore[arg-type]
            has_sizes,
            split,
            None if has_sizes else size,
            confidence,
            places.get("isgroupof"),
            is_open_images,
            corners=corners,
        )
    classes = _class_columns(header, rows, file, split)
    return Columns(file, split=split, classes=classes) if classes else None


def _label_column(candidates: list[int], rows: Sequence[Row]) -> int | None:
    """The first that has names; numbers count where there are no names beside them."""
    named = (at for at in candidates if any(not math.isfinite(number(_cell(row.cells, at))) for row in rows[1:]))
    return next(named, candidates[0] if candidates else None)


def _is_header(header: list[str]) -> bool:
    """Whether the first line names columns, the images' among them: then no other is a row without names."""
    is_known = any(name in FILES for name in header)
    return is_known and len(header) > 2 and not any(math.isfinite(number(cell)) for cell in header)


def _are_unknown_names(row: Row) -> bool:
    """Whether a line names columns in words that are not known: whatever order they have, nobody knows it."""
    cells = row.cells
    is_words = len(cells) > 5 and all(cell and not math.isfinite(number(cell)) for cell in cells)
    return is_words and not any(map(is_image, cells))


def names_images(collection: Collection, text: str) -> bool:
    """Whether a table that is not read names images in a column that is called so."""
    rows = list(some_rows(text, SAMPLE_ROWS))
    header = [SPACES.sub("_", cell.lower()) for cell in rows[0].cells] if rows else []
    at = next((position for position, name in enumerate(header) if name in FILES), None)
    return at is not None and any(collection.index.has_stem(_cell(row.cells, at)) for row in rows[1:])


def _class_columns(header: list[str], rows: Sequence[Row], file: int, split: int | None) -> tuple[tuple[int, str], ...]:
    """A column a class, with 1 where the image has it (Roboflow's `_classes.csv`)."""
    rest = [at for at in range(len(header)) if at not in (file, split)]
    body = rows[1:]
    if not rest or not body:
        return ()
    is_flags = all(
        len(row.cells) == len(header) and all(number(row.cells[at]) in (0, 1) for at in rest) for row in body
    )
    if len(rest) == 1 and header[rest[0]] in ANSWERS:
        return ()
    # Roboflow's column for images that have no class.
    named = (at for at in rest if rows[0].cells[at].lower() not in NO_CLASSES)
    return tuple((at, rows[0].cells[at]) for at in named) if is_flags else ()


def _read_with_columns(
    collection: Collection, source: str, columns: Columns, rows: Iterator[Row], names: dict[str, str]
) -> None:
    header = next(rows)
    claims: dict[str, Claim] = {}
    collection.declare(name for _, name in columns.classes)
    for row in rows:
        cells = row.cells
        if len(cells) > len(header.cells):
            cells = _with_commas(collection, source, cells, columns, len(header.cells)) or cells
        said = _cell(cells, columns.file)
        if not said:
            detail = f"Line {row.line} names no image; it is left out."
            collection.say("incomplete_annotation", detail, source, row.line)
            continue
        claim = claims.get(said) or _claim(
            collection,
            source,
            said,
            row.line,
            split=split_of_word(_cell(cells, columns.split)),
            size=_size(cells, columns),
        )
        claims[said] = claim
        if len(cells) > len(header.cells):
            detail = f"Line {row.line} has {len(cells)} cells for {len(header.cells)} columns; it is left out."
            collection.leave_out(claim, "incomplete_annotation", detail, row.line)
        elif columns.classes:
            for at, name in columns.classes:
                if number(_cell(cells, at)) == 1:
                    collection.add(claim, name, None, row.line)
            claim.is_annotated = bool(claim.marks)
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
    if not extra or columns.label is None or _is_image_here(collection, source, named[columns.file]):
        return named
    labelled = _joined(cells, columns.label, extra)
    parts = cells[columns.label : columns.label + extra + 1]
    if columns.box is not None and any(math.isfinite(number(part)) for part in parts):
        return None
    return labelled if _is_image_here(collection, source, labelled[columns.file]) else named


def _joined(cells: list[str], at: int, extra: int) -> list[str]:
    return [*cells[:at], ",".join(cells[at : at + extra + 1]), *cells[at + extra + 1 :]]


def _is_image_here(collection: Collection, source: str, name: str) -> bool:
    return collection.index.by_path(name, folder_of(source)).image is not None


def _cells(
    collection: Collection, claim: Claim, columns: Columns, cells: list[str], line: int, names: dict[str, str]
) -> None:
    label = meant(_cell(cells, columns.label))
    label = "" if is_missing(label) else names.get(label, label)
    confidence = number(_cell(cells, columns.confidence)) if columns.box is None else 1.0
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
        _whole(collection, claim, [names.get(one, one) for one in labels_of(label)], line)
        return
    if columns.corners:
        _outline_of_cells(collection, claim, columns, cells, line, label)
        return
    texts = [_cell(cells, at) for at in columns.box]
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
    if number(_cell(cells, columns.group)) == 1:
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
    texts = [(_cell(cells, x), _cell(cells, y)) for x, y in columns.corners]
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


def _cell(cells: Sequence[str], at: int | None) -> str:
    return cells[at] if at is not None and at < len(cells) else ""


def _size(cells: Sequence[str], columns: Columns) -> tuple[int, int] | None:
    if columns.size is None:
        return None
    width, height = (_cell(cells, at) for at in columns.size)
    return size_of(width, height)


# Without


def _is_keras(rows: Sequence[Row]) -> bool:
    """Whether half of the lines are of a name, four numbers (or nothing) and a label."""
    fitting = sum(_split_keras(row.cells) is not None for row in rows)
    return fitting > 0 and fitting * 2 >= len(rows)


def _is_of_another_order(rows: Sequence[Row]) -> bool:
    """Whether more than a fifth of the boxes, and several, would have swapped corners: `x,y,w,h`, or `x1,x2,y1,y2`."""
    found = [parts for parts in (_split_keras(row.cells) for row in rows) if parts is not None and parts[2]]
    edges = [[number(edge) for edge in parts[1]] for parts in found]
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
    is_one = all(math.isfinite(number(edge)) for edge in edges) and bool(label)
    return (",".join(name), edges, label) if is_one or not any([*edges, label]) else None


def _read_keras(collection: Collection, source: str, rows: Iterable[Row], classes: set[str] | None) -> None:
    claims: dict[str, Claim] = {}
    for row in rows:
        parts = _split_keras(row.cells)
        if parts is None:
            _say_broken(collection, source, row, claims)
            continue
        said, edges, label = parts
        claim = claims.get(said) or _claim(collection, source, said, row.line)
        claims[said] = claim
        label = meant(label)
        if label and classes is not None and label not in classes:
            detail = f"Line {row.line}: {label!r} is not in classes.csv."
            collection.leave_out(claim, "unknown_label", detail, row.line)
        elif label and (name := label if classes else collection.named(claim, label, row.line, with_lists=True)):
            collection.add(claim, name, [number(edge) for edge in edges], row.line)


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
            _say_broken(collection, source, row, claims)
            continue
        said, edges, label = parts
        claims[said] = claim = claims.get(said) or _claim(collection, source, said, row.line)
        if go_around([edges]):
            _outline(collection, claim, meant(label), in_pairs(edges), row.line)
        else:
            detail = f"Line {row.line} has eight numbers that do not go around a box; it is left out."
            collection.leave_out(claim, "incomplete_annotation", detail, row.line)
    return True


def _say_broken(collection: Collection, source: str, row: Row, claims: dict[str, Claim]) -> None:
    said = row.cells[0]
    detail = (
        f"Line {row.line} has {counted(len(row.cells), 'field')}; path,x1,y1,x2,y2,label are expected, with numbers."
    )
    if len(row.cells) >= 2 and (ending_of(said) or said in claims or _is_image_here(collection, source, said)):
        claim = claims.get(said) or _claim(collection, source, said, row.line)
        claims[said] = claim
        collection.leave_out(claim, "incomplete_annotation", detail, row.line)
    else:
        collection.say("incomplete_annotation", detail, source, row.line)


def _is_labels(collection: Collection, source: str, rows: Sequence[Row]) -> bool:
    """Whether lines are of an image that is here and a label."""
    if any(len(row.cells) != 2 for row in rows):
        return False
    known = sum(_is_here(collection, source, row) for row in rows)
    return known * 2 >= len(rows) and known > 0


def _is_here(collection: Collection, source: str, row: Row) -> bool:
    return _is_image_here(collection, source, row.cells[0])


def _whole(collection: Collection, claim: Claim, labels: Sequence[str], line: int) -> None:
    for label in filter(None, (collection.named(claim, label, line) for label in labels)):
        collection.add(claim, label, None, line)
    claim.is_annotated = bool(claim.marks)


def _claim(
    collection: Collection,
    source: str,
    said: str,
    line: int,
    split: str | None = None,
    size: tuple[int, int] | None = None,
) -> Claim:
    split = split or split_of_filename(source)
    return collection.claim(GROUP, source, said, number=line, split=split, size=size)


class CsvWriter:
    """`annotations.csv`, `classes.csv`, and the images in a folder a split."""

    def __init__(self, labels: list[str]) -> None:
        self._labels = labels
        self._text = io.StringIO()
        self._rows = csv.writer(self._text, lineterminator="\n")

    def image_path(self, exported: Exported) -> str:
        return f"{SPLIT_FOLDERS[exported.split]}/{exported.filename}"

    def add(self, exported: Exported) -> Iterator[tuple[str, bytes]]:
        path = self.image_path(exported)
        for mark in exported.marks:
            self._rows.writerow([path, *map(_shortest, mark.box or ()), plain(mark.label)])
        if exported.is_annotated and not exported.marks:
            self._rows.writerow([path, "", "", "", "", ""])
        return iter(())

    def finish(self) -> Iterator[tuple[str, bytes]]:
        yield "annotations.csv", self._text.getvalue().encode()
        classes = io.StringIO()
        csv.writer(classes, lineterminator="\n").writerows((plain(label), n) for n, label in enumerate(self._labels))
        yield CLASSES, classes.getvalue().encode()


def plain(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: with an apostrophe before what begins one, or looks like this."""
    return f"'{text}" if text.lstrip("'").startswith(FORMULA) else text


def meant(cell: str) -> str:
    """What `plain` was given."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(FORMULA) else cell


def _shortest(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
