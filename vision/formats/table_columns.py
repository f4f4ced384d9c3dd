"""What the columns of a table are, by its first line and some rows."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from vision.formats.base import (
    is_image,
)
from vision.formats.numbered_corners import named_corners
from vision.formats.shapes import number
from vision.formats.side_tables import (
    ANSWERS,
    SPLITS,
    has_places,
    may_be_labels,
)
from vision.formats.table_rows import Row

SPACES = re.compile(r"[\s-]+")

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
    unlabelled: int | None = None  # beside these: 1 where nobody has labelled the image
    lists: frozenset[str] = frozenset()  # cells that may be several labels
    corners: tuple[tuple[int, int], ...] = ()  # more than two, of an outline


def column_may_be_labels(name: str, at: int, rows: Sequence[Row]) -> bool:
    return may_be_labels(name, [cell_at(row.cells, at) for row in rows[1:]], is_known=name in LABELS)


def columns_of(header: list[str], rows: Sequence[Row]) -> Columns | None:
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
    if label is not None and box is None and not column_may_be_labels(header[label], label, rows):
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
    unlabelled = next((places[name] for name in NO_CLASSES if name in places), None)
    return Columns(file, split=split, classes=classes, unlabelled=unlabelled) if classes else None


def _label_column(candidates: list[int], rows: Sequence[Row]) -> int | None:
    """The first that has names; numbers count where there are no names beside them."""
    named = (at for at in candidates if any(not math.isfinite(number(cell_at(row.cells, at))) for row in rows[1:]))
    return next(named, candidates[0] if candidates else None)


def is_header(header: list[str]) -> bool:
    """Whether the first line names columns, the images' among them: then no other is a row without names."""
    is_known = any(name in FILES for name in header)
    return is_known and len(header) > 2 and not any(math.isfinite(number(cell)) for cell in header)


def are_unknown_names(row: Row) -> bool:
    """Whether a line names columns in words that are not known: whatever order they have, nobody knows it."""
    cells = row.cells
    is_words = len(cells) > 5 and all(cell and not math.isfinite(number(cell)) for cell in cells)
    return is_words and not any(map(is_image, cells))


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


def cell_at(cells: Sequence[str], at: int | None) -> str:
    return cells[at] if at is not None and at < len(cells) else ""
