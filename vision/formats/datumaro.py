"""Datumaro JSON: a file a subset (openvinotoolkit.github.io/datumaro, "Datumaro format")."""

from __future__ import annotations

import json
from collections.abc import Iterator

from vision.formats.base import Exported, ParsedAnnotation, ending_of, split_of_filename, stem
from vision.formats.claims import Claim
from vision.formats.collection import Collection
from vision.formats.documents import JsonFile
from vision.formats.shapes import Box, around, around_mask, around_pairs, number, points_of, size_of, turned_as_said

GROUP = "datumaro"
SUBSETS = {"train": "train", "validation": "val", "test": "test", None: "default"}
IS_ANNOTATED = "is_annotated"
UNBOXED = ("caption",)


def is_it(file: JsonFile) -> bool:
    if not file.is_object or not file.has("items") or not file.has("categories"):
        return False
    first = next(file.items("items"), None)
    return first is None or (isinstance(first, dict) and "id" in first and "annotations" in first)


def read(collection: Collection, file: JsonFile) -> None:
    """Items without annotations are not known to be empty, unless they say so."""
    names = _names(file)
    key = "\n".join((GROUP, *names))
    split = split_of_filename(file.name)
    for item in file.items("items"):
        if not isinstance(item, dict):
            continue
        image: dict = item["image"] if isinstance(item.get("image"), dict) else {}
        said = [value for value in (image.get("path"), item.get("id")) if isinstance(value, str) and value.strip()]
        annotations = item.get("annotations") or []
        annotations = annotations if isinstance(annotations, list) else [annotations]
        rows = [row if isinstance(row, dict) else {} for row in annotations]
        attributes: dict = item["attr"] if isinstance(item.get("attr"), dict) else {}
        has_marks = any(row.get("type") not in UNBOXED for row in rows)
        is_annotated = has_marks or attributes.get(IS_ANNOTATED) is True
        if not said:
            collection.say("incomplete_annotation", "An item of the file has no id.", file.name)
            continue
        claim = collection.claim(GROUP, file.name, *said, split=split, size=_size(image), is_annotated=is_annotated)
        for position, row in enumerate(rows, start=1):
            _annotation(collection, claim, row, names, key, position)
    collection.declare(names)


def _names(file: JsonFile) -> list[str]:
    categories = file.value("categories")
    label = categories.get("label") if isinstance(categories, dict) else None
    rows = label.get("labels") if isinstance(label, dict) else None
    # Labels count by their place: one that cannot be read keeps its own.
    return [str(row.get("name", "")) if isinstance(row, dict) else "" for row in rows] if isinstance(rows, list) else []


def _size(image: dict) -> tuple[int, int] | None:
    size = image.get("size")
    return size_of(size[1], size[0]) if isinstance(size, list) and len(size) == 2 else None


def _annotation(collection: Collection, claim: Claim, row: dict, names: list[str], key: str, position: int) -> None:
    kind = row.get("type")
    if kind in UNBOXED:
        return
    identifier = number(row.get("label_id"))
    if identifier.is_integer() and names:
        collection.class_numbers.use(key, "the list of labels", range(len(names)), int(identifier), claim)
    label = names[int(identifier)] if identifier.is_integer() and 0 <= identifier < len(names) else ""
    if not label:
        detail = f"Annotation {position} has the label {row.get('label_id')}, which is not in the list."
        collection.leave_out(claim, "unknown_label", detail, position)
    elif kind == "label":
        collection.add(claim, label, None, position)
    elif (box := _box(row, str(kind))) is None:
        detail = f"Annotation {position} ({kind}) has no box; it is left out."
        collection.leave_out(claim, "incomplete_annotation", detail, position)
    else:
        box, is_turned = turned_as_said(box, row.get("attributes")) if kind == "bbox" else (box, False)
        if kind != "bbox" or is_turned:
            what = "turned box" if is_turned else kind
            collection.say_outline(claim, f"Annotation {position} is a {what}", position)
        collection.add(claim, label, box, position)


def _box(row: dict, kind: str) -> Box | None:
    value = row.get("bbox")
    if kind == "bbox" and isinstance(value, list) and len(value) == 4:
        x, y, width, height = map(number, value)
        return x, y, x + width, y + height
    if kind in ("polygon", "polyline", "ellipse"):
        return around_pairs(row.get("points"))
    if kind == "mask":
        return around_mask(row.get("rle"))
    if kind == "rotated_bbox" and isinstance(row.get("points"), list):
        return around(points_of(row["points"]))
    return None


class DatumaroWriter:
    """`annotations/subset.json` and `images/subset/name`."""

    def __init__(self, labels: list[str]) -> None:
        self._labels = labels
        self._ids = {label: identifier for identifier, label in enumerate(labels)}
        self._items: dict[str | None, list[dict]] = {}

    def image_path(self, exported: Exported) -> str:
        return f"images/{SUBSETS[exported.split]}/{exported.filename}"

    def add(self, exported: Exported) -> Iterator[tuple[str, bytes]]:
        item = {
            "id": stem(exported.filename) if ending_of(exported.filename) else exported.filename,
            "annotations": [self._annotation(mark, position) for position, mark in enumerate(exported.marks)],
            "attr": {IS_ANNOTATED: exported.is_annotated},
            "image": {"path": exported.filename, "size": [exported.height, exported.width]},
        }
        self._items.setdefault(exported.split, []).append(item)
        return iter(())

    def _annotation(self, mark: ParsedAnnotation, position: int) -> dict:
        row = {"id": position, "group": 0, "attributes": {}, "label_id": self._ids[mark.label]}
        if mark.box is None:
            return {**row, "type": "label"}
        x_min, y_min, x_max, y_max = mark.box
        return {**row, "type": "bbox", "z_order": 0, "bbox": [x_min, y_min, x_max - x_min, y_max - y_min]}

    def finish(self) -> Iterator[tuple[str, bytes]]:
        labels = [{"name": label, "parent": "", "attributes": []} for label in self._labels]
        categories = {"label": {"labels": labels, "attributes": []}}
        for split, items in (self._items or {None: []}).items():
            document = {"info": {}, "categories": categories, "items": items}
            yield f"annotations/{SUBSETS[split]}.json", json.dumps(document, ensure_ascii=False).encode()
