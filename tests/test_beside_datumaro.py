"""Files that `datumaro` exports, read by us, and our exports, read by it.

It needs other versions of Pillow and pandas than the studio, so it is in no list of requirements: an environment of its
own that sees the studio's packages runs these tests.
"""

from __future__ import annotations

from pathlib import Path

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
from vision.formats.base import SPLIT_FOLDERS

dm = pytest.importorskip("datumaro", reason="needs an older Pillow than the studio; see this file")
SUBSETS = {"train": "train", "validation": "val", "test": "test"}
BOXES = {
    "coco": "coco",
    "coco_instances": "coco",
    "voc": "voc",
    "voc_detection": "voc",
    "yolo": "yolo",
    "yolo_ultralytics": "yolo",
    "cvat": "cvat",
    "datumaro": "datumaro",
    "label_me": "voc",
    "open_images": "csv",
}
# Not read, or without what could be read: nobody may take anything for a label or for background.
OPEN = (
    "kitti",
    "kitti_detection",
    "wider_face",
    "dota",
    "datumaro_binary",
    "icdar_text_localization",
    "mvtec_detection",
    "coco_captions",
    "coco_image_info",
    "coco_panoptic",
)
IS_SILENT = ("icdar_text_localization", "mvtec_detection", "coco_captions", "coco_image_info", "coco_panoptic")


@pytest.fixture(autouse=True)
def work_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def boxes_of(scene: Scene) -> list:
    return [
        dm.Bbox(x, y, x_max - x, y_max - y, label=LABELS.index(label), id=number, group=number)
        for number, (label, (x, y, x_max, y_max)) in enumerate(scene.boxes, start=1)
    ]


def polygons_of(scene: Scene) -> list:
    return [
        dm.Polygon([x, y, x_max, y, x_max, y_max, x, y_max], label=LABELS.index(label), id=number, group=number)
        for number, (label, (x, y, x_max, y_max)) in enumerate(scene.boxes, start=1)
    ]


def label_of(scene: Scene) -> list:
    return [dm.Label(LABELS.index(scene.boxes[0][0]))]


def export(made: list[Scene], annotate, format: str, folder: Path) -> Path:
    save_images(made, folder / "made")
    items = [
        dm.DatasetItem(
            id=scene.stem,
            subset=SUBSETS[scene.split or "train"],
            media=dm.Image.from_file(path=str(folder / "made" / scene.filename)),
            annotations=annotate(scene),
        )
        for scene in made
    ]
    dataset = dm.Dataset.from_iterable(items, categories=LABELS, media_type=dm.Image)
    dataset.export(str(folder / "out"), format, save_media=True)
    return folder / "out"


def some_scenes() -> list[Scene]:
    return scenes(5, 6, ("train", "validation", "test"))


@pytest.mark.parametrize(("theirs", "ours"), BOXES.items())
def test_boxes_that_it_exports(tmp_path, theirs, ours):
    made = some_scenes()
    result = read_folder(export(made, boxes_of, theirs, tmp_path))
    assert result.format == ours and not result.unread
    assert_same(placed(result, made), expected(made))
    assert splits_of(result) == {scene.stem: scene.split for scene in made}


@pytest.mark.parametrize("theirs", ["coco_instances", "datumaro", "cvat", "label_me"])
def test_polygons_that_it_exports(tmp_path, theirs):
    made = some_scenes()
    assert_same(placed(read_folder(export(made, polygons_of, theirs, tmp_path)), made), expected(made))


@pytest.mark.parametrize("theirs", ["imagenet", "imagenet_with_subset_dirs", "datumaro", "cvat", "open_images"])
def test_labels_of_images_that_it_exports(tmp_path, theirs):
    made = some_scenes()
    result = read_folder(export(made, label_of, theirs, tmp_path))
    found = {Path(path).stem: [mark.label for mark in record.marks] for path, record in result.records.items()}
    assert found == {scene.stem: [scene.boxes[0][0]] for scene in made}


@pytest.mark.parametrize("theirs", OPEN)
def test_what_is_not_read_is_open_and_named(tmp_path, theirs):
    made = some_scenes()
    result = read_folder(export(made, boxes_of, theirs, tmp_path))
    images = [path for path in result.records if path.endswith(".png")]
    assert len(images) == len(made) and all(map(result.is_open, images))
    assert not result.labels or result.format == "coco"  # which lists its classes
    assert theirs in IS_SILENT or result.unread or "no_class_names" in result.codes()


def read_by_it(folder: Path, format: str) -> Boxes:
    dataset = dm.Dataset.import_from(str(folder), format)
    names = [label.name for label in dataset.categories()[dm.AnnotationType.label]]
    return {
        Path(item.id).name: in_order(
            [
                (names[one.label], [float(edge) for edge in (*one.get_bbox()[:2], one.x + one.w, one.y + one.h)])
                for one in item.annotations
                if one.type == dm.AnnotationType.bbox
            ]
        )
        for item in dataset
    }


@pytest.mark.parametrize("format", ["coco", "voc", "yolo", "datumaro"])
def test_it_reads_what_we_write(tmp_path, format):
    made = scenes(6, splits=("train",))
    folder = exported_folder(format, made, tmp_path / "out")
    split = folder / SPLIT_FOLDERS["train"]
    if format == "coco":
        # Its reader wants the layout of the published dataset.
        (folder / "annotations").mkdir()
        (split / "_annotations.coco.json").rename(folder / "annotations" / "instances_train.json")
        (folder / "images").mkdir()
        split.rename(folder / "images" / "train")
    if format == "yolo":
        (folder / "images").mkdir()
        (folder / "labels").mkdir()
        (split / "images").rename(folder / "images" / "train")
        (split / "labels").rename(folder / "labels" / "train")
        text = (folder / "data.yaml").read_text().replace("train: train/images", "train: images/train")
        (folder / "data.yaml").write_text(text)
    if format == "voc":
        # Without this list its reader knows the classes of the published dataset alone.
        (folder / "labelmap.txt").write_text("".join(f"{label}:::\n" for label in LABELS))
    theirs = {"coco": "coco_instances", "voc": "voc_detection"}.get(format, format)
    assert_same(read_by_it(folder, theirs), expected(made))
