"""CreateML JSON: a list of images with boxes around their middles, in pixels (developer.apple.com, "Building an object
detector data source")."""

from __future__ import annotations

import json
from collections.abc import Iterator

from vision.formats.base import SPLIT_FOLDERS, Exported, split_of_filename
from vision.formats.claims import Claim
from vision.formats.collection import Collection
from vision.formats.documents import JsonFile
from vision.formats.shapes import number

GROUP = "createml"
FILES = ("image", "imagefilename", "filename")


def is_it(file: JsonFile) -> bool:
    first = file.first() if file.is_list else None
    if not isinstance(first, dict) or not any(isinstance(first.get(key), str) for key in FILES):
        return False
    rows = first.get("annotations", first.get("annotation"))
    if isinstance(rows, str):
        return True
    return isinstance(rows, list) and (
        not rows or (isinstance(rows[0], dict) and "label" in rows[0] and "id" not in rows[0])
    )


def read(collection: Collection, file: JsonFile) -> None:
    split = split_of_filename(file.name)
    for row in file.items():
        said = next((row[key] for key in FILES if isinstance(row.get(key), str)), "") if isinstance(row, dict) else ""
        if not said:
            collection.say("incomplete_annotation", f"An image has no name: {str(row)[:80]}.", file.name)
            continue
        assert isinstance(row, dict)
        claim = collection.claim(GROUP, file.name, said, split=split)
        rows = row.get("annotations", row.get("annotation"))
        if isinstance(rows, str):
            collection.add(claim, rows, None, 1)
            continue
        if not isinstance(rows, list):
            detail = f"The entry of {said!r} has no list of annotations, so nobody knows whether it has been annotated."
            collection.leave_out(claim, "incomplete_annotation", detail)
            continue
        for position, annotation in enumerate(rows, start=1):
            _annotation(collection, claim, annotation, position)


def _annotation(collection: Collection, claim: Claim, row: object, position: int) -> None:
    label = row.get("label") if isinstance(row, dict) else None
    place = row.get("coordinates") if isinstance(row, dict) else None
    if not isinstance(label, (str, int, float)) or not isinstance(place, dict):
        if isinstance(label, str) and isinstance(row, dict) and "coordinates" not in row:
            collection.add(claim, label, None, position)
            return
        detail = f"Annotation {position} has no label or no coordinates; it is left out."
        collection.leave_out(claim, "incomplete_annotation", detail, position)
        return
    x, y, width, height = (number(place.get(key)) for key in ("x", "y", "width", "height"))
    box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    collection.add(claim, label, box, position)


class CreateMlWriter:
    """A folder a split with its images and `_annotations.createml.json`."""

    def __init__(self, labels: list[str]) -> None:
        self._rows: dict[str | None, list[dict]] = {}

    def image_path(self, exported: Exported) -> str:
        return f"{SPLIT_FOLDERS[exported.split]}/{exported.filename}"

    def add(self, exported: Exported) -> Iterator[tuple[str, bytes]]:
        if exported.is_annotated:
            annotations = []
            for mark in exported.marks:
                assert mark.box is not None
                x_min, y_min, x_max, y_max = mark.box
                place = {
                    "x": (x_min + x_max) / 2,
                    "y": (y_min + y_max) / 2,
                    "width": x_max - x_min,
                    "height": y_max - y_min,
                }
                annotations.append({"label": mark.label, "coordinates": place})
            self._rows.setdefault(exported.split, []).append({"image": exported.filename, "annotations": annotations})
        return iter(())

    def finish(self) -> Iterator[tuple[str, bytes]]:
        for split, rows in self._rows.items():
            text = json.dumps(rows, ensure_ascii=False)
            yield f"{SPLIT_FOLDERS[split]}/_annotations.createml.json", text.encode()
