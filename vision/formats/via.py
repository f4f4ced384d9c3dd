"""VGG Image Annotator: JSON or CSV of projects and annotations (robots.ox.ac.uk/~vgg/software/via, version 2)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping

from vision.formats.base import split_of_filename
from vision.formats.claims import Claim
from vision.formats.collection import Collection
from vision.formats.documents import JsonFile
from vision.formats.shapes import Box, around, around_ellipse, number, turned

GROUP = "via"
PROJECT = "_via_img_metadata"
LABEL_NAMES = ("label", "class", "name", "type", "category", "object", "object_name", "class_name")
TABLE = ("filename", "region_shape_attributes", "region_attributes")


def is_it(file: JsonFile) -> bool:
    if not file.is_object:
        return False
    if file.has(PROJECT):
        return True
    first = next(file.pairs(), None)
    return first is not None and isinstance(first[1], dict) and {"filename", "regions"} <= first[1].keys()


def read(collection: Collection, file: JsonFile) -> None:
    """VIA lists every image that was opened: one without regions is not known to be empty."""
    for _, row in file.pairs(PROJECT if file.has(PROJECT) else ""):
        if not isinstance(row, dict) or not isinstance(row.get("filename"), str):
            continue
        claim = _claim(collection, file.name, row["filename"])
        regions = row.get("regions")
        rows = list(regions.values()) if isinstance(regions, dict) else regions
        for position, region in enumerate(rows if isinstance(rows, list) else (), start=1):
            known = region if isinstance(region, dict) else {}
            _region(collection, claim, known.get("shape_attributes"), known.get("region_attributes"), position)
        _whole(collection, claim, row.get("file_attributes"))


def is_table(header: list[str]) -> bool:
    return all(name in header for name in TABLE)


def read_table(collection: Collection, source: str, header: list[str], rows: Iterator) -> None:
    """VIA's CSV: a line a region, with its shape and attributes as JSON."""
    places = {name: position for position, name in enumerate(header)}
    claims: dict[str, Claim] = {}
    next(rows, None)
    for row in rows:
        cells = row.cells + [""] * (len(header) - len(row.cells))
        said = cells[places["filename"]]
        if not said:
            continue
        claim = claims.get(said)
        if claim is None:
            claim = claims[said] = _claim(collection, source, said, row.line)
            if "file_attributes" in places:
                _whole(collection, claim, _parsed(cells[places["file_attributes"]]))
        shape = _parsed(cells[places["region_shape_attributes"]])
        if shape != {}:
            _region(collection, claim, shape, _parsed(cells[places["region_attributes"]]), row.line)


def _claim(collection: Collection, source: str, said: str, line: int = 0) -> Claim:
    split = split_of_filename(source)
    return collection.claim(GROUP, source, said, number=line, split=split, is_annotated=False)


def _parsed(text: str) -> object:
    """None of what cannot be read."""
    try:
        return json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return None


def _region(collection: Collection, claim: Claim, shape: object, attributes: object, position: int) -> None:
    claim.is_annotated = True
    label = label_of(attributes)
    box, is_outline = _box(shape) if isinstance(shape, dict) else (None, False)
    if box is None or label is None:
        what = "box that can be read" if box is None else "label that can be told from its attributes"
        detail = f"Region {position} has no {what}; it is left out."
        collection.leave_out(claim, "incomplete_annotation", detail, position)
        return
    if is_outline:
        collection.say_outline(claim, f"Region {position} has an outline", position)
    collection.add(claim, label, box, position)


def _whole(collection: Collection, claim: Claim, attributes: object) -> None:
    """Attributes of the file that are its label: `{"class": "cat"}`."""
    if isinstance(attributes, Mapping):
        named = {key: value for key, value in attributes.items() if str(key).lower() in LABEL_NAMES}
        if (label := label_of(named)) is not None:
            claim.is_annotated = True
            collection.add(claim, label, None, 0)


def label_of(attributes: object) -> str | None:
    """The label among the attributes of a region: the only one, or the one that is called so."""
    if not isinstance(attributes, Mapping):
        return None
    values = {str(key).lower(): _chosen(value) for key, value in attributes.items()}
    named = {key: value for key, value in values.items() if value}
    for name in LABEL_NAMES:
        if name in named:
            return named[name]
    return next(iter(named.values())) if len(named) == 1 else None


def _chosen(value: object) -> str:
    """A text; or what is ticked of `{"cat": true, "dog": false}`."""
    if isinstance(value, Mapping):
        ticked = [str(key) for key, is_on in value.items() if is_on in (True, "true", 1)]
        return ticked[0].strip() if len(ticked) == 1 else ""
    return str(value).strip() if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""


def _box(shape: Mapping) -> tuple[Box | None, bool]:
    values = {key: number(value) for key, value in shape.items() if not isinstance(value, list)}

    def of(*names: str) -> list[float]:
        return [values.get(name, math.nan) for name in names]

    kind = shape.get("name")
    if kind == "rect":
        x, y, width, height = of("x", "y", "width", "height")
        return (x, y, x + width, y + height), False
    if kind in ("polygon", "polyline"):
        xs, ys = shape.get("all_points_x"), shape.get("all_points_y")
        if isinstance(xs, list) and isinstance(ys, list) and len(xs) == len(ys):
            return around((number(x), number(y)) for x, y in zip(xs, ys, strict=False)), True
    if kind == "circle":
        x, y, radius = of("cx", "cy", "r")
        return around_ellipse(x, y, radius, radius), True
    if kind == "ellipse":
        box = around_ellipse(*of("cx", "cy", "rx", "ry"))
        return turned(box, math.degrees(values.get("theta", 0.0) or 0.0)), True
    return None, True
