"""COCO JSON: one file for many images; boxes are `[x, y, width, height]` in pixels (cocodataset.org, data format)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from itertools import chain, islice

from vision.formats.base import SPLIT_FOLDERS, Exported, split_of_filename
from vision.formats.claims import Claim
from vision.formats.collection import Collection
from vision.formats.corners import NEAR, Reach, from_size
from vision.formats.documents import JsonFile
from vision.formats.shapes import Box, around_mask, around_pairs, number, size_of, turned_as_said

GROUP = "coco"
# What our own files say: images in the list without boxes were looked at, also when no image has any.
ALL_ANNOTATED = "every image of the list is annotated"
NAMES = ("file_name", "coco_url")  # LVIS has the latter alone
# Detectron2's numbers and names of boxes by two corners.
CORNER_MODES = (0, "0", "XYXY_ABS", "BoxMode.XYXY_ABS")
SHAPE_KEYS = ("bbox", "segmentation", "category_id")
SAMPLE_ROWS = 50


def is_it(file: JsonFile) -> bool:
    return file.is_object and file.has_list("images") and _is_image(next(file.items("images"), None))


def _is_image(row: object) -> bool:
    return row is None or (isinstance(row, dict) and ("file_name" in row or "id" in row))


def read(collection: Collection, file: JsonFile) -> None:
    """Files of captions, and lists of images without annotations, leave no trace but the images' size."""
    if _is_panoptic(file) or _has_annotations_elsewhere(file):
        collection.unread.append(file.name)
        return
    names = _categories(collection, file)
    has_annotations = any(_is_shape(row) for row in file.items("annotations"))
    is_annotated = has_annotations or _says_all_annotated(file)
    if not is_annotated and next(file.items("annotations"), None) is not None:
        return  # captions
    claims = _images(collection, file, is_annotated)
    used: set[str] = set()
    numbers, reach = _numbers(names), None if _is_of_labels(file) else Reach()
    is_complete = True
    for position, row in enumerate(file.items("annotations")):
        if not isinstance(row, dict) or row.keys() & set(SHAPE_KEYS) or "caption" not in row:
            is_known = isinstance(row, dict) and _key(row.get("image_id")) in claims
            is_complete &= is_known
            known = row if isinstance(row, dict) else {}
            _annotation(collection, file.name, position, known, claims, names, used, numbers, reach)
    if reach is not None:
        reach.settle(collection, file.name, chain.from_iterable(claims.values()), from_size)
    if not is_complete:  # images without boxes may be those that the others are of
        for claim in chain.from_iterable(claims.values()):
            claim.is_annotated &= bool(claim.marks) or claim.left_out > 0
    groups = {
        str(row.get("supercategory")) for row in file.items("categories") if isinstance(row, dict)
    }  # Roboflow lists the group of its classes as a class
    collection.declare(name for name in names.values() if name in used or name not in groups)


def _is_panoptic(file: JsonFile) -> bool:
    first = next(file.items("annotations"), None)
    return isinstance(first, dict) and "segments_info" in first


def _has_annotations_elsewhere(file: JsonFile) -> bool:
    """Whether images have lists of their own, as other formats with `images` have them, and there is no list of all."""
    first = next(file.items("images"), None)
    if file.has("annotations"):
        is_empty = file.is_whole and file.value("annotations") is None
        return not is_empty and not file.has_list("annotations")
    if not isinstance(first, dict):
        return False
    return any(isinstance(value, list) and value and isinstance(value[0], dict) for value in first.values())


def _is_shape(row: object) -> bool:
    return isinstance(row, dict) and any(key in row for key in SHAPE_KEYS)


def _is_of_labels(file: JsonFile) -> bool:
    """Whether annotations give images categories and no places, as iNaturalist and others of its kind do."""
    return all(isinstance(row, dict) and _says_no_place(row) for row in islice(file.items("annotations"), SAMPLE_ROWS))


def _says_no_place(row: dict) -> bool:
    has_lists = any(isinstance(value, (list, dict)) for value in row.values())
    return not has_lists and not row.keys() & {"bbox", "segmentation"}


def _says_all_annotated(file: JsonFile) -> bool:
    info = file.value("info")
    return isinstance(info, dict) and info.get("description") == ALL_ANNOTATED


def _categories(collection: Collection, file: JsonFile) -> dict[str, str]:
    """Names by id, without ids that several categories have: nobody can know which of them an annotation means."""
    names: dict[str, str] = {}
    ambiguous: set[str] = set()
    for row in file.items("categories"):
        identifier = _key(row.get("id")) if isinstance(row, dict) else None
        name = row.get("name") if isinstance(row, dict) else None
        if identifier is None or not isinstance(name, (str, int, float)) or not str(name).strip():
            detail = f"A category has no id or no name: {str(row)[:80]}."
            collection.say("incomplete_annotation", detail, file.name)
            continue
        known = names.setdefault(identifier, str(name).strip())
        if known != str(name).strip():
            ambiguous.add(identifier)
            detail = (
                f"The category id {identifier} stands for {known!r} and {str(name)!r}: its annotations are left out."
            )
            collection.say("ambiguous_id", detail, file.name)
    return {identifier: name for identifier, name in names.items() if identifier not in ambiguous}


def _numbers(names: dict[str, str]) -> tuple[str, range] | None:
    """A key of the list of categories, and its ids, where they count from 1: others say nothing about a shift."""
    numbers = range(1, len(names) + 1)
    if len(names) < 2 or any(str(category) not in names for category in numbers):
        return None
    return "\n".join((GROUP, *(names[str(category)] for category in numbers))), numbers


def _images(collection: Collection, file: JsonFile, is_annotated: bool) -> dict[str, list[Claim]]:
    """Claims by id. Several images of one id are all kept: nobody can know which of them an annotation means."""
    split = split_of_filename(file.name)
    claims: dict[str, list[Claim]] = {}
    names: dict[str, set[str]] = {}
    for position, row in enumerate(file.items("images")):
        said = next((row[key] for key in NAMES if row.get(key)), None) if isinstance(row, dict) else None
        identifier = _key(row.get("id")) if isinstance(row, dict) else None
        if not isinstance(said, str) or not said.strip() or identifier is None:
            detail = f"Image {position} of the list has no id or no file_name."
            collection.say("incomplete_annotation", detail, file.name)
            continue
        assert isinstance(row, dict)
        if said in names.setdefault(identifier, set()):
            continue
        names[identifier].add(said)
        claim = collection.claim(
            GROUP,
            file.name,
            said,
            split=split,
            size=size_of(row.get("width"), row.get("height")),
            is_annotated=is_annotated,
        )
        claims.setdefault(identifier, []).append(claim)
    for identifier, same in claims.items():
        if len(same) > 1:
            listed = ", ".join(repr(claim.names[0]) for claim in same[:3])
            detail = (
                f"The image id {identifier} stands for {len(same)} images ({listed}): its annotations were left out."
            )
            for claim in same:
                collection.leave_out(claim, "ambiguous_id", detail)
    return claims


def _annotation(
    collection: Collection,
    source: str,
    position: int,
    row: dict,
    claims: dict[str, list[Claim]],
    names: dict[str, str],
    used: set[str],
    numbers: tuple[str, range] | None,
    reach: Reach | None,
) -> None:
    image, category = _key(row.get("image_id")), _key(row.get("category_id"))
    if image not in claims:
        detail = f"Annotation {position} is of the image {image}, which is not in the list."
        collection.say("unknown_image", detail, source, position + 1)
        return
    if len(claims[image]) > 1:
        return  # which was said
    (claim,) = claims[image]
    if numbers is not None and category is not None and category.isdecimal():
        collection.class_numbers.use(numbers[0], "the list of categories", numbers[1], int(category), claim)
    if category not in names:
        detail = f"Annotation {position} has the category {category}, which is not in the list."
        collection.leave_out(claim, "unknown_label", detail, position + 1)
        return
    if row.get("iscrowd") in (1, True, "1"):
        detail = f"Annotation {position} marks a crowd, not one object; it is left out."
        collection.ignore(claim, "crowd", detail, position + 1)
        return
    if reach is None and _says_no_place(row):
        used.add(names[category])
        collection.add(claim, names[category], None, position + 1)
        return
    box = _box(row.get("bbox"))
    if box is None and (box := _outline(row.get("segmentation"))) is not None:
        collection.say_outline(claim, f"Annotation {position} has an outline and no box", position + 1)
    if box is None:
        detail = f"Annotation {position} has no box; it is left out."
        collection.leave_out(claim, "incomplete_annotation", detail, position + 1)
        return
    if _is_of_corners(row, box):
        box = box[0], box[1], box[2] - box[0], box[3] - box[1]
        detail = f"The box of annotation {position} is not x, y, width, height but two corners, as the rest of it says."
        collection.say("boxes_as_corners", detail, claim, position + 1)
    box, is_turned = turned_as_said(box, row.get("attributes"))
    if is_turned:
        collection.say_outline(claim, f"Annotation {position} has a turned box", position + 1)
    if reach is not None:
        if row.get("segmentation") or is_turned:
            reach.are_corners = False  # what their boxes are has been said
        else:
            reach.add(claim.size, box)
    used.add(names[category])
    collection.add(claim, names[category], box, position + 1)


def _box(value: object) -> Box | None:
    if not isinstance(value, (list, tuple)) or len(value) != 4:
        return None
    x, y, width, height = map(number, value)
    return None if width == 0 and height == 0 else (x, y, x + width, y + height)


def _is_of_corners(row: dict, box: Box) -> bool:
    """Whether `bbox` has two corners instead of a corner and a size: its mode, its outline or its area says so."""
    if row.get("bbox_mode") in CORNER_MODES:
        return True
    x, y, x_max, y_max = box
    right, bottom = x_max - x, y_max - y
    if not (x > 0 or y > 0) or not (right > x and bottom > y):
        return False
    segmentation = row.get("segmentation")
    if isinstance(segmentation, list) and segmentation:
        first = segmentation[0] if isinstance(segmentation[0], list) else segmentation
        if len(first) < 2 or not (number(first[0]) <= right + NEAR and number(first[1]) <= bottom + NEAR):
            return False  # the most frequent case, at little cost
        outline = _outline(segmentation)
        return outline is not None and _is_near(outline, (x, y, right, bottom)) and not _is_near(outline, box)
    area, between = number(row.get("area")), (right - x) * (bottom - y)
    return not segmentation and abs(area - between) <= between / 1000 and abs(area - right * bottom) > area / 100


def _is_near(first: Box, second: Box) -> bool:
    return all(abs(edge - other) <= NEAR for edge, other in zip(first, second, strict=True))


def _outline(segmentation: object) -> Box | None:
    if isinstance(segmentation, dict):
        return around_mask(segmentation)
    if not isinstance(segmentation, list):
        return None
    parts = segmentation if segmentation and isinstance(segmentation[0], list) else [segmentation]
    outlines = [around_pairs(part) for part in parts if part]
    boxes = [box for box in outlines if box is not None]
    if not boxes or len(boxes) < len(outlines):
        return None  # the part that cannot be read may reach beyond the others
    x_min, y_min, x_max, y_max = zip(*boxes, strict=True)
    return min(x_min), min(y_min), max(x_max), max(y_max)


def _key(value: object) -> str | None:
    """An id by its meaning: 1, 1.0 and "1" are the same."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, float):
        return str(int(value)) if math.isfinite(value) and value.is_integer() else str(value)
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str) or not value.strip():
        return None
    text = value.strip()
    whole = text[:-2] if text.endswith(".0") else text
    return whole if whole.isdigit() and str(int(whole)) == whole else text


class CocoWriter:
    """A folder a split with its images and `_annotations.coco.json`."""

    def __init__(self, labels: list[str]) -> None:
        self._ids = {label: identifier for identifier, label in enumerate(labels, start=1)}
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
        categories = [{"id": identifier, "name": name} for name, identifier in self._ids.items()]
        for split in self._images or {None: []}:
            document = {
                "info": {"description": ALL_ANNOTATED},
                "images": self._images.get(split, []),
                "annotations": self._annotations.get(split, []),
                "categories": categories,
            }
            text = json.dumps(document, ensure_ascii=False)
            yield f"{SPLIT_FOLDERS[split]}/_annotations.coco.json", text.encode()
