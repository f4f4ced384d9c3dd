"""Files that `supervision` writes, read by us, and our exports, read by it: the same images, labels and boxes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.other_tools import (
    LABELS,
    Boxes,
    Scene,
    assert_same,
    expected,
    exported_folder,
    in_order,
    placed,
    read_folder,
    save_images,
    scenes,
    splits_of,
)

supervision = pytest.importorskip("supervision", reason="a tool to compare with, of requirements-dev.txt")
# It reads Pascal VOC as the development kit counts: pixels from 1, and the last one belongs to the box.
FROM_ONE = (-1, -1, 0, 0)


@pytest.fixture(autouse=True)
def work_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def dataset_of(made: list[Scene], images: Path):
    """Their dataset of our scenes."""
    save_images(made, images)
    annotations = {
        str(images / scene.filename): supervision.Detections(
            xyxy=np.array([box for _, box in scene.boxes], np.float64),
            class_id=np.array([LABELS.index(label) for label, _ in scene.boxes]),
        )
        for scene in made
    }
    return supervision.DetectionDataset(LABELS, list(annotations), annotations)


def boxes_of(dataset) -> Boxes:
    """Stem → boxes of their dataset."""
    return {
        Path(path).stem: in_order(
            [
                (dataset.classes[number], list(map(float, box)))
                for number, box in zip(one.class_id, one.xyxy, strict=True)
            ]
        )
        for path, one in dataset.annotations.items()
    }


def write_coco(dataset, folder: Path) -> None:
    dataset.as_coco(str(folder), str(folder / "_annotations.coco.json"))


def write_voc(dataset, folder: Path) -> None:
    dataset.as_pascal_voc(str(folder / "images"), str(folder / "annotations"))


def write_yolo(dataset, folder: Path) -> None:
    dataset.as_yolo(str(folder / "images"), str(folder / "labels"), str(folder / "data.yaml"))


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("write", "format"), [(write_coco, "coco"), (write_voc, "voc"), (write_yolo, "yolo")])
def test_what_it_writes_is_read(tmp_path, write, format, seed):
    made = scenes(seed)
    write(dataset_of(made, tmp_path / "made"), tmp_path / "out")
    result = read_folder(tmp_path / "out")
    assert result.format == format and not result.unread
    assert_same(placed(result, made), expected(made))


@pytest.mark.parametrize("write", [write_coco, write_yolo])
def test_folders_of_splits(tmp_path, write):
    """As Roboflow packs them: `train`, `valid` and `test`, each with its own files."""
    made = scenes(3, 9)
    names = {0: ("train", "train"), 1: ("valid", "validation"), 2: ("test", "test")}
    for number, (folder, _) in names.items():
        write(dataset_of(made[number::3], tmp_path / f"made-{number}"), tmp_path / "out" / folder)
    result = read_folder(tmp_path / "out")
    assert_same(placed(result, made), expected(made))
    assert splits_of(result) == {scene.stem: names[position % 3][1] for position, scene in enumerate(made)}


def test_a_box_of_one_pixel_in_its_voc(tmp_path):
    made = [Scene("a.png", 60, 40, None, [("bolt", [10, 10, 11, 30])])]
    write_voc(dataset_of(made, tmp_path / "made"), tmp_path / "out")
    assert_same(placed(read_folder(tmp_path / "out"), made), expected(made))


@pytest.mark.parametrize("format", ["coco", "voc", "yolo"])
def test_it_reads_what_we_write(tmp_path, format):
    made = scenes(4, splits=("train",))
    folder = exported_folder(format, made, tmp_path / "out")
    shift = (0, 0, 0, 0)
    if format == "coco":
        theirs = supervision.DetectionDataset.from_coco(
            str(folder / "train"), str(folder / "train" / "_annotations.coco.json")
        )
    elif format == "voc":
        theirs = supervision.DetectionDataset.from_pascal_voc(str(folder / "JPEGImages"), str(folder / "Annotations"))
        shift = FROM_ONE
    else:
        theirs = supervision.DetectionDataset.from_yolo(
            str(folder / "train" / "images"), str(folder / "train" / "labels"), str(folder / "data.yaml")
        )
    assert_same(boxes_of(theirs), expected(made), shift)
