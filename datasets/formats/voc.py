"""Pascal VOC: an XML file an image, splits in `ImageSets/Main` (Everingham et al. 2010).

Coordinates are taken and written as they stand. The development kit counts pixels from 1; the tools that write VOC
files today (labelImg, CVAT, Roboflow) count from 0.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from xml.etree.ElementTree import Element, ParseError, SubElement, indent, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from datasets.formats.base import (
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
    stem,
    take_records,
)  # fmt: skip

EDGES = ("xmin", "ymin", "xmax", "ymax")


def is_it(contents: Contents) -> bool:
    for name in filter(_is_annotation, contents.names):
        with contextlib.suppress(FormatError):
            return "<annotation" in contents.text(name)[:2000]
    return any("imagesets" in name.lower().split("/") for name in contents.names)


def _is_annotation(name: str) -> bool:
    return name.lower().endswith(".xml")


def read(contents: Contents) -> Parsed:
    index = ImageIndex(contents.names)
    splits = _splits(contents)

    def split_of(image: str) -> str | None:
        return splits.get(stem(image)) or split_of_path(image)

    records: dict[str, Record] = {}
    remarks: list[Remark] = []
    labels: dict[str, None] = {}
    names = list(filter(_is_annotation, contents.names))
    # Files that are named after an image first: what `<filename>` says counts only for the others.
    for name in sorted(names, key=lambda name: index.by_stem(folder_of(name), name) is None):
        try:
            root = fromstring(contents.text(name))
        except DefusedXmlException:
            remarks.append(Remark(name, "forbidden_xml", "The XML declares entities or a DTD; it is not read."))
            continue
        except (ParseError, ValueError, FormatError) as error:
            remarks.append(Remark(name, "damaged_annotations", f"The XML cannot be read ({error})."))
            continue
        image = _image_of(index, name, root)
        if image is None:
            wanted = root.findtext("filename") or stem(name)
            remarks.append(Remark(name, "missing_image", f"The archive has no image {wanted!r} for this file."))
            continue
        if image in records:
            remarks.append(Remark(name, "duplicate_name", f"A second annotation file for {image}; it is left out."))
            continue
        record = Record(image, _marks(root, name, remarks), split_of(image), True, _size(root))
        labels.update(dict.fromkeys(mark.label for mark in record.marks))
        records[image] = record
    return Parsed(take_records(index, records, remarks, split_of), list(labels), remarks)


def _image_of(index: ImageIndex, name: str, root: Element) -> str | None:
    """By the name of the XML file, which tools keep right when they rename images; `<filename>` is asked second."""
    said = root.findtext("filename") or ""
    return index.by_stem(folder_of(name), name) or (index.by_exact_name(folder_of(name), said) if said else None)


def _marks(root: Element, name: str, remarks: list[Remark]) -> list[Mark]:
    marks = []
    for number_, one in enumerate(root.iter("object"), start=1):
        label = (one.findtext("name") or "").strip()
        box = one.find("bndbox")
        if not label or box is None:
            what = "no box" if box is None else "no label"
            remarks.append(Remark(name, "incomplete_annotation", f"Object {number_} has {what}; it is left out."))
            continue
        edges = tuple(number((box.findtext(edge) or "").strip()) for edge in EDGES)
        marks.append(Mark(label, edges))  # type: ignore[arg-type]
    return marks


def _size(root: Element) -> tuple[int, int] | None:
    try:
        return int(float(root.findtext("size/width") or "")), int(float(root.findtext("size/height") or ""))
    except (ValueError, OverflowError):
        return None


def _splits(contents: Contents) -> dict[str, str]:
    """Image name without ending → split, from `ImageSets/*/train.txt` and its like."""
    splits: dict[str, str] = {}
    flagged: dict[str, str] = {}
    for name in contents.names:
        path = PurePosixPath(name)
        split = SPLIT_NAMES.get(path.stem.lower())
        if split is None or path.suffix.lower() != ".txt" or "imagesets" not in name.lower().split("/"):
            continue
        # Only at line feeds: names may have other characters that count as line ends in Unicode.
        for line in filter(None, (one.strip(" \t\r") for one in contents.text(name).split("\n"))):
            splits.setdefault(line, split)
            # Some lists say behind the name whether the label is there; but names may have spaces, too.
            head, _, last = line.rpartition(" ")
            if last in ("1", "-1", "0"):
                flagged.setdefault(head.strip(), split)
    return flagged | splits


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
                yield f"ImageSets/Main/{name}.txt", "".join(f"{one}\n" for one in stems).encode()


def _document(exported: Exported) -> bytes:
    root = Element("annotation")
    SubElement(root, "folder").text = "JPEGImages"
    SubElement(root, "filename").text = exported.filename
    size = SubElement(root, "size")
    for name, value in (("width", exported.width), ("height", exported.height), ("depth", 3)):
        SubElement(size, name).text = str(value)
    SubElement(root, "segmented").text = "0"
    for mark in exported.marks:
        one = SubElement(root, "object")
        SubElement(one, "name").text = mark.label
        for name, text in (("pose", "Unspecified"), ("truncated", "0"), ("difficult", "0")):
            SubElement(one, name).text = text
        box = SubElement(one, "bndbox")
        for edge, pixel in zip(EDGES, mark.box or (), strict=True):
            SubElement(box, edge).text = str(int(pixel)) if float(pixel).is_integer() else repr(float(pixel))
    indent(root)
    return tostring(root, encoding="utf-8")
