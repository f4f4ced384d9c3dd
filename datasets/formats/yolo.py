"""YOLO: a text file an image, a line a box: `class x_center y_center width height`, in fractions of the image.

Source: docs.ultralytics.com, "Ultralytics YOLO format".
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

import yaml

from datasets.formats.base import (
    SPLIT_FOLDERS,
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
    stem,
    take_records,
)  # fmt: skip

# A list of names has some kilobytes, and an archive one or a few: the parser takes seconds for a megabyte.
MAX_YAML_CHARACTERS = 1 << 20
MAX_YAML_FILES = 20
NAME_FILES = ("classes.txt", "obj.names", "_darknet.labels", "predefined_classes.txt")


class PlainLoader(yaml.SafeLoader):
    """Values as they stand. References to other values are refused: a kilobyte of them can stand for gigabytes."""

    def compose_node(self, parent, index):
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("references (*name) are not read")
        return super().compose_node(parent, index)


def is_it(contents: Contents) -> bool:
    return _names_file(contents) is not None


def _names_file(contents: Contents) -> str | None:
    found = [name for name in contents.names if name.lower().endswith((".yaml", ".yml"))][:MAX_YAML_FILES]
    found += [name for name in contents.names if PurePosixPath(name).name.lower() in NAME_FILES]
    for name in found:
        if _class_names(contents, name) is not None:
            return name
    return None


def _class_names(contents: Contents, name: str) -> dict[int, str] | None:
    try:
        text = contents.text(name)
    except FormatError:
        return None
    if not name.lower().endswith((".yaml", ".yml")):
        return dict(enumerate(line.strip() for line in text.split("\n") if line.strip()))
    try:
        document = yaml.load(text, Loader=PlainLoader) if len(text) <= MAX_YAML_CHARACTERS else None
    except (yaml.YAMLError, RecursionError, ValueError):
        return None
    names = document.get("names") if isinstance(document, dict) else None
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or not all(str(key).isdigit() for key in names):
        return None
    if not all(isinstance(one, (str, int, float)) for one in names.values()):
        return None
    return {int(key): str(one) for key, one in names.items()}


def read(contents: Contents) -> Parsed:
    source = _names_file(contents)
    if source is None:
        raise FormatError(
            "no_class_names",
            "The archive has no data.yaml with names and no classes.txt, so class numbers mean nothing.",
        )
    names = {key: name.strip() for key, name in (_class_names(contents, source) or {}).items()}
    index = ImageIndex(contents.names)
    label_files = [
        name
        for name in contents.names
        if name.lower().endswith(".txt") and PurePosixPath(name).name.lower() not in NAME_FILES and not _is_note(name)
    ]
    records: dict[str, Record] = {}
    remarks: list[Remark] = []
    for name in label_files:
        image = _image_of(index, name)
        if image is None:
            remarks.append(Remark(name, "missing_image", f"The archive has no image {stem(name)!r} for this file."))
        elif image in records:
            remarks.append(Remark(name, "duplicate_name", f"A second annotation file for {image}; it is left out."))
        else:
            records[image] = Record(image, _marks(contents, name, names, remarks), split_of_path(image), True)
    return Parsed(take_records(index, records, remarks), [name for name in names.values() if name], remarks)


def _is_note(name: str) -> bool:
    """Texts for people, and lists of images such as `train.txt`, are no annotations."""
    path = PurePosixPath(name)
    return path.name.lower().startswith("readme") or (
        path.stem.lower() in ("train", "val", "valid", "test") and path.parent.name.lower() != "labels"
    )


def _image_of(index: ImageIndex, name: str) -> str | None:
    """`labels/a/b.txt` belongs to `images/a/b.*`, else to the image of that name that is nearest."""
    parts = list(PurePosixPath(name).parts)
    for position in range(len(parts) - 2, -1, -1):
        if parts[position].lower() == "labels":
            beside = "/".join([*parts[:position], "images", *parts[position + 1 : -1]])
            return index.by_stem(beside, name)
    return index.by_stem(folder_of(name), name)


def _marks(contents: Contents, name: str, names: dict[int, str], remarks: list[Remark]) -> list[Mark]:
    marks: list[Mark] = []
    try:
        lines = contents.text(name).split("\n")
    except FormatError as error:
        remarks.append(Remark(name, error.code, str(error)))
        return marks
    for position, line in enumerate(lines, start=1):
        words = line.split()
        if not words:
            continue
        values = [number(word) for word in words]
        label = names.get(int(values[0])) if values[0] == values[0] and values[0].is_integer() else None
        if not label:
            remarks.append(
                Remark(name, "unknown_label", f"Line {position}: class {words[0]} is not among the {len(names)} names.")
            )
        elif len(values) in (5, 6):  # the sixth is a score
            x, y, width, height = values[1:5]
            box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
            marks.append(Mark(label, box, is_relative=True))
        elif len(values) >= 7 and len(values) % 2 == 1:
            xs, ys = values[1::2], values[2::2]
            marks.append(Mark(label, (min(xs), min(ys), max(xs), max(ys)), is_relative=True))
            remarks.append(Remark(name, "outline_as_box", f"Line {position}: the outline was taken as its box."))
        else:
            remarks.append(
                Remark(name, "incomplete_annotation", f"Line {position} has {len(values)} values; 5 are expected.")
            )
    return marks


class YoloWriter:
    """`split/images`, `split/labels` and `data.yaml`."""

    def __init__(self, labels: list[str]) -> None:
        self._ids = {label: number_ for number_, label in enumerate(labels)}
        self._splits: set[str | None] = set()

    def image_path(self, exported: Exported) -> str:
        return f"{SPLIT_FOLDERS[exported.split]}/images/{exported.filename}"

    def add(self, exported: Exported) -> Iterator[tuple[str, bytes]]:
        self._splits.add(exported.split)
        if exported.is_annotated:
            lines = [self._line(mark, exported) for mark in exported.marks]
            path = f"{SPLIT_FOLDERS[exported.split]}/labels/{stem(exported.filename)}.txt"
            yield path, "".join(lines).encode()

    def _line(self, mark: Mark, exported: Exported) -> str:
        assert mark.box is not None
        x_min, y_min, x_max, y_max = mark.box
        width, height = exported.width, exported.height
        values = ((x_min + x_max) / 2 / width, (y_min + y_max) / 2 / height, (x_max - x_min) / width,
                  (y_max - y_min) / height)  # fmt: skip
        return f"{self._ids[mark.label]} " + " ".join(f"{value:.12g}" for value in values) + "\n"

    def finish(self) -> Iterator[tuple[str, bytes]]:
        document: dict = {"names": list(self._ids), "nc": len(self._ids)}
        for key, split in (("train", "train"), ("val", "validation"), ("test", "test")):
            if split in self._splits:
                document[key] = f"{SPLIT_FOLDERS[split]}/images"
        yield "data.yaml", yaml.safe_dump(document, allow_unicode=True, sort_keys=False).encode()
