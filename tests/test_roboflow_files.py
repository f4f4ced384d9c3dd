"""Roboflow's own test sets: one dataset in three formats gives the same boxes, and each file is read whole."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.archives import Read, read_content
from tests.real_data import FOLDER
from vision.formats.boxes import to_pixel_boxes

pytestmark = pytest.mark.real_data
FORMATS = FOLDER / "formats"
Box = tuple[str, np.ndarray]


@pytest.fixture(autouse=True)
def work_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def opened(name: str) -> tuple[Read, dict[str, tuple[int, int]]]:
    """What the readers say, and the size of each image."""
    content = (FORMATS / f"{name}.zip").read_bytes()
    result = read_content(content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sizes = {path: Image.open(io.BytesIO(archive.read(path))).size for path in result.records}
    return result, sizes


def photographs(name: str) -> dict[str, tuple[str | None, list[Box]]]:
    """Name before Roboflow's own ending → split, and boxes in fractions."""
    result, sizes = opened(name)
    found = {}
    for path, record in result.records.items():
        width, height = sizes[path]
        placed = to_pixel_boxes(record, width, height)
        assert not placed.left_out and record.is_annotated, (path, placed.remarks)
        scale = np.array([width, height, width, height])
        boxes = [(mark.label, np.array(mark.box) / scale) for mark in placed.marks]
        boxes.sort(key=lambda row: (row[0], np.round(row[1], 2).tolist()))
        found[Path(path).name.partition(".rf.")[0]] = record.split, boxes
    return found


@pytest.mark.parametrize("other", ["sharks-tiny-createml", "sharks-tiny-yolov9"])
def test_one_dataset_in_three_formats(other):
    coco, found = photographs("sharks-tiny-coco"), photographs(other)
    assert found.keys() == coco.keys() and sum(len(boxes) for _, boxes in coco.values()) > 0
    for name, (split, boxes) in coco.items():
        assert (found[name][0], [label for label, _ in found[name][1]]) == (split, [label for label, _ in boxes])
        for (_, ours), (_, theirs) in zip(found[name][1], boxes, strict=True):
            assert np.abs(ours - theirs).max() < 0.005, name


def test_its_voc_is_read_whole():
    result, sizes = opened("chess")
    for path, record in result.records.items():
        placed = to_pixel_boxes(record, *sizes[path])
        assert not placed.left_out and not placed.remarks
        assert bool(placed.marks) == record.is_annotated == (path != "5c1.jpg")  # of which no file speaks
    assert len(result.records) == 12 and result.format == "voc" and not result.unread


def test_its_folders_are_labels():
    result, _ = opened("corrosion-singlelabel-classification")
    assert set(result.labels) == {"Corrosion", "no-corrosion"}
    assert {record.split for record in result.records.values()} == {"train", "validation", "test"}
    assert all(record.marks[0].label == path.split("/")[1] for path, record in result.records.items())
