"""Pascal VOC: an XML file an image, splits in `ImageSets/Main` (Everingham et al. 2010).

Coordinates are taken and written as they stand. The development kit counts pixels from 1; the tools that write VOC
files today (labelImg, CVAT, Roboflow) count from 0, but for one that can be told by its files (`_first_pixel`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from vision.formats.base import Exported, folder_of, stem
from vision.formats.collection import Collection
from vision.formats.shapes import Box, around, number, size_of, turned, turned_as_said

GROUP = "voc"
KNOWN = ("source", "owner", "size", "imagesize", "database", "flags", "segmentation", "view")  # that have parts
EDGES = ("xmin", "ymin", "xmax", "ymax")


def is_it(root: Element) -> bool:
    return root.tag == "annotation"


def read(collection: Collection, source: str, root: Element) -> None:
    """One file. Its image is the one that it is named after, else the one of its `<filename>`."""
    said = (root.findtext("filename") or "").strip()
    size = size_of(root.findtext("size/width"), root.findtext("size/height"))
    claim = collection.claim(GROUP, source, filename=said, size=size)
    first = _first_pixel(root)
    rows = list(root.iter("object"))
    if not rows and (strange := _strange(root)):
        detail = f"The file has no object, but {strange}, which is not read: nobody knows whether the image is empty."
        collection.leave_out(claim, "incomplete_annotation", detail)
    for position, row in enumerate(rows, start=1):
        if (row.findtext("deleted") or "").strip() == "1":
            continue  # LabelMe's web tool keeps what was deleted
        label = (row.findtext("name") or "").strip()
        box, is_outline = _box(row)
        if box is not None and first:
            box = box[0] - first, box[1] - first, box[2], box[3]
        if not label or box is None:
            what = "label" if box is not None else "box that can be read"
            detail = f"Object {position} has no {what}; it is left out."
            collection.leave_out(claim, "incomplete_annotation", detail, position)
            continue
        label = collection.named(claim, label, position)
        if not label:
            continue
        if is_outline:
            collection.say_outline(claim, f"Object {position} has an outline", position)
        collection.add(claim, label, box, position)


def _first_pixel(root: Element) -> int:
    """The number of the first pixel: 1 in what `supervision` writes, where the last pixel belongs to the box.

    Else a box of one pixel would have no area. Roboflow's own exports, from 0, name the same database and have a path.
    """
    is_its = root.findtext("folder") == "VOC" and root.findtext("source/database") == "roboflow.ai"
    return int(is_its and root.find("path") is None)


def _strange(root: Element) -> str:
    """The tag of an element with others inside that VOC does not have."""
    return next((str(row.tag) for row in root if len(row) and str(row.tag).lower() not in KNOWN), "")


def _box(row: Element) -> tuple[Box | None, bool]:
    """The object's box, else the one around its outline; and whether it is the latter."""
    boxes = row.findall("bndbox")
    if len(boxes) > 1:
        return None, False  # nobody knows which of them is meant, or whether all are
    if boxes:
        (box,) = boxes
        edges = [number((box.findtext(edge) or "").strip()) for edge in EDGES]
        return turned_as_said((edges[0], edges[1], edges[2], edges[3]), _attributes(row))
    if (rotated := row.find("robndbox")) is not None:  # roLabelImg: middle, size, radians
        x, y, width, height, angle = (
            number((rotated.findtext(name) or "").strip()) for name in ("cx", "cy", "w", "h", "angle")
        )
        if not all(map(math.isfinite, (x, y, width, height, angle))):
            return None, True
        upright = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        return turned(upright, math.degrees(angle)), True
    if (polygon := row.find("polygon")) is not None:
        return around(_points(polygon)), True
    return None, False


def _attributes(row: Element) -> dict[str, str]:
    """What CVAT says of an object: `<attributes><attribute><name>…<value>…`."""
    return {
        (attribute.findtext("name") or "").strip(): (attribute.findtext("value") or "").strip()
        for attribute in row.iterfind("attributes/attribute")
    }


def _points(polygon: Element) -> Iterator[tuple[float, float]]:
    """`<x1>…<y1>…<x2>…`, or `<pt><x>…<y>…</pt>` as LabelMe's web tool wrote it."""
    for point in polygon.iter("pt"):
        yield number((point.findtext("x") or "").strip()), number((point.findtext("y") or "").strip())
    for position in range(1, len(polygon) // 2 + 1):
        x, y = polygon.findtext(f"x{position}"), polygon.findtext(f"y{position}")
        if x is not None and y is not None:
            yield number(x.strip()), number(y.strip())


def read_list(collection: Collection, source: str, lines: list[str], split: str) -> None:
    """`ImageSets/*/train.txt` and its like: names of images without their endings."""
    around_sets = folder_of(source).lower().split("/")
    base = "/".join(source.split("/")[: around_sets.index("imagesets")])
    places = [f"{base}/JPEGImages" if base else "JPEGImages", base or "."]
    for line in lines:
        # Some lists say behind the name whether the label is there; but names may have spaces, too.
        head, _, last = line.rpartition(" ")
        for name in dict.fromkeys((line, head.strip() if last in ("1", "-1", "0") else line)):
            if name and collection.index.has_stem(name):
                collection.put_in_split(f"{places[0]}/-", name, split, is_stem=True)
                break


def is_class_list(lines: list[str]) -> bool:
    """Whether lines say of images if they have a class, as `ImageSets/Main/dog_train.txt` does: `2008_000001 -1`."""
    return bool(lines) and all(line.rpartition(" ")[2] in ("1", "-1", "0") for line in lines[:20])


class VocWriter:
    """`JPEGImages`, `Annotations`, and the splits in `ImageSets/Main`."""

    def __init__(self, labels: list[str]) -> None:
        self._lists: dict[str, list[str]] = {"train": [], "val": [], "test": []}
        self._stems: set[str] = set()

    def image_path(self, exported: Exported) -> str:
        return f"JPEGImages/{exported.filename}"

    def add(self, exported: Exported) -> Iterator[tuple[str, bytes]]:
        name = stem(exported.filename)
        if exported.split:
            self._lists["val" if exported.split == "validation" else exported.split].append(name)
        if exported.is_annotated:
            yield f"Annotations/{name}.xml", _document(exported)

    def finish(self) -> Iterator[tuple[str, bytes]]:
        for name, stems in self._lists.items():
            if stems:
                yield f"ImageSets/Main/{name}.txt", "".join(f"{image}\n" for image in stems).encode()


def _document(exported: Exported) -> bytes:
    root = Element("annotation")
    SubElement(root, "folder").text = "JPEGImages"
    SubElement(root, "filename").text = exported.filename
    size = SubElement(root, "size")
    for name, value in (("width", exported.width), ("height", exported.height), ("depth", 3)):
        SubElement(size, name).text = str(value)
    SubElement(root, "segmented").text = "0"
    for mark in exported.marks:
        element = SubElement(root, "object")
        SubElement(element, "name").text = mark.label
        for name, text in (("pose", "Unspecified"), ("truncated", "0"), ("difficult", "0")):
            SubElement(element, name).text = text
        box = SubElement(element, "bndbox")
        for edge, pixel in zip(EDGES, mark.box or (), strict=True):
            SubElement(box, edge).text = str(int(pixel)) if float(pixel).is_integer() else repr(float(pixel))
    indent(root)
    return tostring(root, encoding="utf-8")
