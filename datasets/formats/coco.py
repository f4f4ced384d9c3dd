"""COCO JSON: one file for many images; boxes are `[x, y, width, height]` in pixels (cocodataset.org, data format)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePosixPath

from datasets.formats.base import (
    SPLIT_FOLDERS,
    SPLIT_NAMES,
    Contents,
    Exported,
    FormatError,
    ImageIndex,
    Mark,
    Parsed,
    Record,
    Remark,
    folder_of,
    number,
    split_of_path,
    take_records,
)  # fmt: skip


def is_it(contents: Contents) -> bool:
    for name in contents.names:
        if name.lower().endswith(".json"):
            try:
                # The keys may stand anywhere; a file that is no JSON is no sign of COCO.
                document = json.loads(contents.text(name))
            except (ValueError, RecursionError):
                continue
            if isinstance(document, dict) and isinstance(document.get("images"), list) and "annotations" in document:
                return True
    return False


def read(contents: Contents) -> Parsed:
    index = ImageIndex(contents.names)
    parsed = Parsed([])
    records: dict[str, Record] = {}
    labels: dict[str, None] = {}
    files = [name for name in contents.names if name.lower().endswith(".json")]
    found = False
    for name in files:
        document = _document(contents, name, parsed.remarks)
        if document is not None:
            found = True
            _File(name, document, index, records, parsed.remarks, labels).read()
    if not found:
        raise FormatError("no_annotations", "The archive has no COCO file (a JSON file with images and annotations).")
    parsed.records = take_records(index, records, parsed.remarks)
    parsed.labels = list(labels)
    return parsed


def _document(contents: Contents, name: str, remarks: list[Remark]) -> dict | None:
    try:
        document = json.loads(contents.text(name))
    except (ValueError, RecursionError) as error:
        remarks.append(Remark(name, "damaged_annotations", f"The JSON cannot be read ({error})."))
        return None
    if not isinstance(document, dict) or not isinstance(document.get("images"), list):
        remarks.append(Remark(name, "damaged_annotations", "The JSON has no list of images; it is left out."))
        return None
    return document


class _File:
    """One COCO file of an archive."""

    def __init__(self, name, document, index, records, remarks, labels) -> None:
        self.name: str = name
        self.document: dict = document
        self.index: ImageIndex = index
        self.records: dict[str, Record] = records
        self.remarks: list[Remark] = remarks
        self.labels: dict[str, None] = labels

    def read(self) -> None:
        by_id = self._images()
        names = self._categories()
        used: set[str] = set()
        for position, one in enumerate(self._rows("annotations")):
            self._annotation(position, one, by_id, names, used)
        # Some tools write a category that only groups the others; nothing is labelled with it.
        groups = {str(one.get("supercategory")) for one in self._rows("categories")}
        for name in names.values():
            if name in used or name not in groups:
                self.labels[name] = None

    def _rows(self, key: str) -> list[dict]:
        rows = self.document.get(key)
        return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []

    def _images(self) -> dict:
        by_id: dict = {}
        for position, one in enumerate(self._rows("images")):
            said, identifier = one.get("file_name"), _key(one.get("id"))
            if not isinstance(said, str) or identifier is None:
                self._say("incomplete_annotation", f"Image {position} of the list has no id or no file_name.")
                continue
            if identifier in by_id:
                self._say("duplicate_name", f"The image id {identifier} stands twice; the first counts.")
                continue
            path = self.index.by_path(folder_of(self.name), said)
            if path is None:
                self._say("missing_image", f"The archive has no image {said!r}.")
                by_id[identifier] = None
                continue
            if path in self.records:
                self._say("duplicate_name", f"{said!r} is listed more than once; the first counts.")
                by_id[identifier] = None
                continue
            record = Record(path, [], split_of_path(path) or self._split(), True, _size(one))
            by_id[identifier] = self.records[path] = record
        return by_id

    def _split(self) -> str | None:
        """From the folder or the name of the file, such as `instances_train2017.json`."""
        words = PurePosixPath(self.name).stem.lower()
        for separator in "-.0123456789":
            words = words.replace(separator, "_")
        found = [SPLIT_NAMES[word] for word in words.split("_") if word in SPLIT_NAMES]
        return split_of_path(self.name) or (found[0] if found else None)

    def _categories(self) -> dict:
        names: dict = {}
        for one in self._rows("categories"):
            identifier, name = _key(one.get("id")), one.get("name")
            if identifier is None or not isinstance(name, str) or not name.strip():
                self._say("incomplete_annotation", f"A category has no id or no name: {str(one)[:80]}.")
                continue
            names.setdefault(identifier, name.strip())
        return names

    def _annotation(self, position: int, one: dict, by_id: dict, names: dict, used: set[str]) -> None:
        image = _key(one.get("image_id"))
        if image not in by_id:
            self._say("unknown_image", f"Annotation {position} is of the image {image}, which is not in the list.")
            return
        record = by_id[image]
        if record is None:
            return  # the image is missing, which was said
        category = _key(one.get("category_id"))
        if category not in names:
            self._say("unknown_label", f"Annotation {position} has the category {category}, which is not in the list.",
                      record.path)  # fmt: skip
            return
        box = one.get("bbox")
        if one.get("iscrowd") == 1:
            self._say("crowd", f"Annotation {position} marks a crowd, not one object; it is left out.", record.path)
            return
        if not isinstance(box, list) or len(box) != 4:
            self._say("incomplete_annotation", f"Annotation {position} has no box; it is left out.", record.path)
            return
        x, y, width, height = map(number, box)
        used.add(names[category])
        record.marks.append(Mark(names[category], (x, y, x + width, y + height)))

    def _say(self, code: str, detail: str, filename: str = "") -> None:
        self.remarks.append(Remark(filename or self.name, code, detail))


def _key(value):
    return value if isinstance(value, (int, str)) and not isinstance(value, bool) else None


def _size(image: dict) -> tuple[int, int] | None:
    width, height = number(image.get("width")), number(image.get("height"))
    return (int(width), int(height)) if width > 0 and height > 0 and max(width, height) < 1e9 else None


class CocoWriter:
    """A folder a split with its images and `_annotations.coco.json`."""

    def __init__(self, labels: list[str]) -> None:
        self._ids = {label: number_ for number_, label in enumerate(labels, start=1)}
        self._images: dict[str | None, list[dict]] = {}
        self._annotations: dict[str | None, list[dict]] = {}

    def image_path(self, exported: Exported) -> str:
        return f"{SPLIT_FOLDERS[exported.split]}/{exported.filename}"

    def add(self, exported: Exported) -> Iterator[tuple[str, bytes]]:
        if exported.is_annotated:
            self._take(exported)
        return iter(())

    def _take(self, exported: Exported) -> None:
        images = self._images.setdefault(exported.split, [])
        annotations = self._annotations.setdefault(exported.split, [])
        identifier = len(images) + 1
        images.append(
            {"id": identifier, "file_name": exported.filename, "width": exported.width, "height": exported.height}
        )
        for mark in exported.marks:
            assert mark.box is not None
            x, y, x_max, y_max = mark.box
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": identifier,
                    "category_id": self._ids[mark.label],
                    "bbox": [x, y, x_max - x, y_max - y],
                    "area": (x_max - x) * (y_max - y),
                    "iscrowd": 0,
                }
            )

    def finish(self) -> Iterator[tuple[str, bytes]]:
        categories = [{"id": number_, "name": name} for name, number_ in self._ids.items()]
        for split in self._images or {None: []}:
            document = {
                "images": self._images.get(split, []),
                "annotations": self._annotations.get(split, []),
                "categories": categories,
            }
            text = json.dumps(document, ensure_ascii=False)
            yield f"{SPLIT_FOLDERS[split]}/_annotations.coco.json", text.encode()
