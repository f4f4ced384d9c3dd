"""Annotated images in a folder, ready for the training of a detector."""

from __future__ import annotations

import random
from pathlib import Path

from vision.detection.samples import DetectionData, DetectionSample
from vision.formats.base import ImportWarning, Record
from vision.formats.boxes import to_pixel_boxes
from vision.formats.folders import FolderContents
from vision.formats.reading import read
from vision.imaging.orientation import stored_orientation, upright_size
from vision.imaging.preprocessing import ImageError, open_image
from vision.training.data import SPLITS

# Of images that no file puts into a split, when there is no split of this name.
SHARES = {"validation": 0.15, "test": 0.15}


def read_folder(folder: Path, *, seed: int = 42) -> tuple[DetectionData, list[ImportWarning]]:
    """The images of a folder with boxes in any format that `vision.formats` reads, and what was left out.

    The splits are those that folders, lists and files state. Where there is no test or validation split, 15 % of the
    training images become it, drawn with the seed. An image whose annotations were not all understood is left out.
    """
    contents = FolderContents(folder)
    parsed = read(contents)
    remarks, names = list(parsed.remarks), {name: number for number, name in enumerate(parsed.labels)}
    splits: dict[str, list[DetectionSample]] = {split: [] for split in SPLITS}
    for record in parsed.records:
        sample, said = _sample(contents, record, names)
        remarks += said
        if sample is not None:
            splits[record.split or "train"].append(sample)
    _draw_missing(splits, seed)
    return DetectionData(list(parsed.labels), splits), remarks


def _sample(
    contents: FolderContents, record: Record, names: dict[str, int]
) -> tuple[DetectionSample | None, list[ImportWarning]]:
    path = contents.path(record.path)
    try:
        with open_image(path) as image:
            (width, height), orientation = upright_size(image), stored_orientation(image)
    except (ImageError, OSError) as error:
        return None, [ImportWarning(record.path, getattr(error, "code", "unreadable_file"), str(error))]
    placed = to_pixel_boxes(record, width, height, orientation)
    if not record.is_annotated or placed.left_out:
        return None, placed.remarks
    boxes = [(mark.label, list(mark.box)) for mark in placed.marks if mark.box is not None]
    labels = [names.setdefault(label, len(names)) for label, _ in boxes]
    return DetectionSample(record.path, str(path), [box for _, box in boxes], labels), placed.remarks


def _draw_missing(splits: dict[str, list[DetectionSample]], seed: int) -> None:
    count = len(splits["train"])
    random.Random(seed).shuffle(splits["train"])
    for split, share in SHARES.items():
        if not splits[split]:
            size = round(count * share)
            splits[split], splits["train"] = splits["train"][:size], splits["train"][size:]
