"""LabelMe: a JSON file an image with shapes in pixels (github.com/wkentaro/labelme)."""

from __future__ import annotations

import math

from vision.formats.claims import Claim
from vision.formats.collection import Collection
from vision.formats.documents import JsonFile
from vision.formats.names import clean_path
from vision.formats.shapes import Box, around, points_of, size_of

GROUP = "labelme"
BOXED = ("polygon", "rectangle", "circle", "mask", "rotation", "oriented_rectangle")


def is_it(file: JsonFile) -> bool:
    return file.is_object and file.has_list("shapes")


def read(collection: Collection, file: JsonFile) -> None:
    """One file. `imagePath` is often the path on the machine where it was drawn, so the file's own name comes first."""
    said = file.value("imagePath")
    size = size_of(file.value("imageWidth"), file.value("imageHeight"))
    filename = said.strip() if isinstance(said, str) else ""
    claim = collection.claim(GROUP, file.name, filename=filename, size=size)
    if isinstance(file.value("imageData"), str) and not _has_image(collection, file.name, filename):
        detail = "The image is inside of the file alone (imageData), which is not read: add the image itself."
        collection.say("image_inside_file", detail, file.name)
    flags = file.value("flags")
    ticked = [key for key, is_on in flags.items() if is_on is True] if isinstance(flags, dict) else []
    for label in ticked:
        collection.add(claim, label, None, 0)
    for position, shape in enumerate(file.items("shapes"), start=1):
        _shape(collection, claim, shape, position)


def _has_image(collection: Collection, source: str, filename: str) -> bool:
    return collection.index.has_stem(source) or bool(filename and collection.index.has_stem(clean_path(filename)))


def _shape(collection: Collection, claim: Claim, shape: object, position: int) -> None:
    label = shape.get("label") if isinstance(shape, dict) else None
    kind = shape.get("shape_type", "polygon") if isinstance(shape, dict) else None
    box = _box(shape, str(kind)) if isinstance(shape, dict) and kind in (*BOXED, None) else None
    if not isinstance(label, (str, int, float)) or box is None:
        what = "label" if box is not None else f"box (it is a {kind})"
        collection.leave_out(
            claim, "incomplete_annotation", f"Shape {position} has no {what}; it is left out.", position
        )
        return
    if kind not in ("rectangle",):
        collection.say_outline(claim, f"Shape {position} is a {kind}", position)
    collection.add(claim, label, box, position)


def _box(shape: dict, kind: str) -> Box | None:
    points = shape.get("points")
    if not isinstance(points, list):
        return None
    pairs = points_of(points)
    if kind == "circle" and len(pairs) == 2:
        (x, y), (edge_x, edge_y) = pairs
        radius = math.hypot(edge_x - x, edge_y - y)
        return x - radius, y - radius, x + radius, y + radius
    return around(pairs)
