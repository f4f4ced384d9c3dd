"""CVAT for images 1.1: one XML file for many images (docs.cvat.ai, "XML annotation format")."""

from __future__ import annotations

import math
from xml.etree.ElementTree import Element

from vision.formats.base import split_of_filename, split_of_word
from vision.formats.claims import Claim
from vision.formats.collection import Collection
from vision.formats.shapes import Box, around, around_ellipse, number, size_of, turned

GROUP = "cvat"
NOWHERE = (math.nan, math.nan)


def is_it(root: Element) -> bool:
    return root.tag == "annotations" and (root.find("image") is not None or root.find("meta") is not None)


def is_video(root: Element) -> bool:
    return root.tag == "annotations" and root.find("track") is not None and root.find("image") is None


def read(collection: Collection, source: str, root: Element) -> None:
    """CVAT lists every image of a task: one without shapes is not known to be empty."""
    collection.declare(name.text or "" for name in root.iterfind(".//label/name"))
    for image in root.iter("image"):
        name = (image.get("name") or "").strip()
        if not name:
            collection.say("incomplete_annotation", "An image of the file has no name.", source)
            continue
        size = size_of(image.get("width"), image.get("height"))
        split = split_of_word(image.get("subset") or "") or split_of_filename(source)
        claim = collection.claim(GROUP, source, name, split=split, size=size, is_annotated=len(image) > 0)
        if any((text or "").strip() for text in (image.text, *(shape.tail for shape in image))):
            detail = f"The element of {name!r} has text between its shapes, so it is damaged; they were left out."
            collection.leave_out(claim, "damaged_annotations", detail)
            continue
        for position, shape in enumerate(image, start=1):
            _shape(collection, claim, shape, position)


def _shape(collection: Collection, claim: Claim, shape: Element, position: int) -> None:
    label = (shape.get("label") or "").strip()
    if shape.tag == "tag":
        collection.add(claim, label, None, position)
        return
    box = _box(shape)
    if box is None:
        detail = f"Shape {position} ({shape.tag}, {label}) has no box; it is left out."
        collection.leave_out(claim, "incomplete_annotation", detail, position)
        return
    if shape.tag != "box" or _of(shape, "rotation", 0):
        collection.say_outline(claim, f"Shape {position} ({shape.tag}, {label}) is no upright box", position)
    collection.add(claim, label, box, position)


def _box(shape: Element) -> Box | None:
    if shape.tag == "box":
        box = tuple(_of(shape, edge) for edge in ("xtl", "ytl", "xbr", "ybr"))
        return turned(box, _of(shape, "rotation", 0))
    if shape.tag == "polygon":
        pairs = (point.split(",") for point in (shape.get("points") or "").split(";"))
        return around(
            (number(pair[0]), number(pair[1])) if len(pair) == 2 else NOWHERE for pair in pairs if pair != [""]
        )
    if shape.tag == "ellipse":
        values = [_of(shape, name) for name in ("cx", "cy", "rx", "ry")]
        if not all(map(math.isfinite, values)):
            return None
        return turned(around_ellipse(*values), _of(shape, "rotation", 0))
    if shape.tag == "mask":
        left, top = _of(shape, "left"), _of(shape, "top")
        return left, top, left + _of(shape, "width"), top + _of(shape, "height")
    return None


def _of(element: Element, name: str, otherwise: float = float("nan")) -> float:
    text = element.get(name)
    value = number(text.strip()) if text is not None else otherwise
    return value if math.isfinite(value) and abs(value) < 1e9 else otherwise
