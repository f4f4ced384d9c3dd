"""Formats that are not read: they are named, their images stay open, and no folder of theirs becomes a label."""

from __future__ import annotations

import pytest

from tests.archives import read_files
from tests.pictures import jpeg, make_zip
from tests.test_imports import labels_by_file, run_import

pytestmark = pytest.mark.any_database("what archives say")
IMAGES = {"train/image_2/1.png": b"", "val/image_2/2.png": b""}
KITTI = "bolt 0 0 0 5 6 25 26 0 0 0 0 0 0 0\n"
CASES = {
    "kitti": {**IMAGES, "train/label_2/1.txt": KITTI, "val/label_2/2.txt": KITTI, "label_colors.txt": "1 2 3 bolt\n"},
    "a list of labels": {
        "img/1.png": b"",
        "img/2.png": b"",
        "train.txt": "1.png 1\n2.png 0\n",
        "synsets.txt": "bolt\n",
    },
    "tracks": {"img1/000001.png": b"", "gt/gt.txt": "1,-1,1.0,42.0,12.0,12.0,1,2,1.0\n", "gt/labels.txt": "bolt\n"},
    "tfrecord": {"image_2/1.png": b"", "train.tfrecord": b"\x01\x02", "label_map.pbtxt": "item {}"},
    "binary": {"images/train/1.png": b"", "images/test/2.png": b"", "annotations/train.datum": b"\x01\x02"},
    "one class a list": {"JPEGImages/1.png": b"", "ImageSets/Main/bolt_train.txt": "1 -1\n"},
    "a table of pixels": {"x/1.png": b"", "mnist.csv": "7" + ",0" * 784 + "\n"},
}


@pytest.fixture(autouse=True)
def work_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("files", CASES.values(), ids=CASES.keys())
def test_it_is_named_and_its_images_are_open(files):
    result = read_files(files)
    assert result.unread and "unknown_annotations" in result.codes()
    images = [name for name in files if name.endswith(".png")]
    if "mnist.csv" not in files:
        assert all(result.is_open(name) for name in images) and not result.labels
    assert all(len(remark.detail) < 1000 and len(remark.filename) < 1000 for remark in result.remarks)


CUB = {
    "CUB/images/001.Albatross/a.jpg": b"",
    "CUB/images/002.Crow/b.jpg": b"",
    "CUB/images.txt": "1 001.Albatross/a.jpg\n2 002.Crow/b.jpg\n",
    "CUB/classes.txt": "1 001.Albatross\n2 002.Crow\n",
    "CUB/image_class_labels.txt": "1 1\n2 2\n",
    "CUB/train_test_split.txt": "1 1\n2 0\n",
    "CUB/bounding_boxes.txt": "1 5.0 6.0 20.0 20.0\n2 1.0 2.0 9.0 9.0\n",
    "CUB/attributes/image_attribute_labels.txt": "1 1 0 3 27.7\n1 2 0 3 27.7\n",
}
DOTA = "imagesource:GoogleEarth\ngsd:0.1\n5 6 25 6 25 26 5 26 plane 0\n1 2 9 2 9 9 1 9 small-vehicle 1\n"
KNOWN = {
    "WIDER FACE": ({"faces/0--Parade/a.jpg": b"", "list.txt": "0--Parade/a.jpg\n1\n5 6 20 20 0 0 0 0 0 0 \n"}, "COCO"),
    "DOTA": ({"images/a.png": b"", "labelTxt/a.txt": DOTA}, "x1,y1,x2,y2,x3,y3,x4,y4"),
    "DOTA beside names of classes": ({"a.png": b"", "a.txt": DOTA, "classes.txt": "plane\n"}, "DOTA"),
    "ICDAR": ({"img_1.jpg": b"", "gt_img_1.txt": "5,6,25,6,25,26,5,26,HELLO, all\n1,2,9,2,9,9,1,9,###\n"}, "ICDAR"),
    "ICDAR beside its image": ({"a.jpg": b"", "a.txt": "5,6,25,6,25,26,5,26,HELLO\n", "classes.txt": "x\n"}, "ICDAR"),
    "KITTI": ({"images/a.png": b"", "labels/a.txt": KITTI}, "KITTI"),
}


@pytest.mark.parametrize(("files", "word"), KNOWN.values(), ids=KNOWN)
def test_a_format_that_is_known_and_not_read_is_named(files, word):
    result = read_files(files)
    (remark,) = [remark for remark in result.remarks if remark.code == "unknown_annotations"]
    assert word in remark.detail and result.is_open(next(iter(files))) and not result.labels


def test_lists_by_the_numbers_of_images():
    result = read_files(CUB)
    remarks = [remark for remark in result.remarks if remark.code == "unknown_annotations"]
    assert len(remarks) == 4
    assert all("CUB/images.txt" in remark.detail and "format=folder" in remark.detail for remark in remarks)
    assert result.codes() == {"unknown_annotations", "folders_ignored", "no_annotations"}
    assert all(path.endswith(".jpg") and result.is_open(path) for path in result.records)
    assert read_files(CUB, "folder").labels == ["001.Albatross", "002.Crow"]


@pytest.mark.django_db
def test_lists_by_number_are_named_and_folders_taken_when_that_is_asked_for(api, dataset):
    photos = {path: jpeg(number) for number, path in enumerate(path for path in CUB if path.endswith(".jpg"))}
    content = make_zip({**CUB, **photos})
    job = run_import(api, dataset, content)
    assert job["result"]["remarks_by_code"]["unknown_annotations"] == 4 and not job["result"]["rejected"]
    assert labels_by_file(api) == {"a.jpg": None, "b.jpg": None}
    run_import(api, dataset, content, format="folder")
    assert labels_by_file(api) == {"a.jpg": "001.Albatross", "b.jpg": "002.Crow"}


def test_boxes_of_other_images_make_no_label_of_a_folder():
    lines = "a b,902,0.1,0.2,0.5,0.6,bolt\n" * 3
    result = read_files({"frames/1.png": b"", "annotations/x.csv": lines})
    assert result.is_open("frames/1.png") and {"missing_image", "folders_ignored"} <= result.codes()


def test_an_odd_file_beside_folders_of_labels_changes_nothing():
    result = read_files({"cat/1.png": b"", "dog/2.png": b"", "metadata.json": '{"licenses": [{"name": "x"}]}'})
    assert result.boxes("cat/1.png") == [("cat", [])] and set(result.labels) == {"cat", "dog"}


def test_masks_of_defects_are_no_images():
    result = read_files({"ground_truth/1_mask.png": b"", "train/1.png": b"", "test/2.png": b""})
    assert set(result.records) == {"train/1.png", "test/2.png"} and "masks_left_out" in result.codes()
    assert result.labels == []


def test_lists_of_open_images_leave_no_trace():
    boxes = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax\nabc,x,bolt,1,0.1,0.3,0.2,0.5\n"
    listed = "ImageID,Subset,OriginalURL,License,Author,Title,OriginalSize,Rotation\nabc,train,,,,,,\n"
    files = {
        "train/abc.jpg": b"",
        "train-annotations-bbox.csv": boxes,
        "train-images-with-rotation.csv": listed,
        "class-descriptions.csv": "bolt,Hex bolt\n",
        "images.meta": "'abc' 48 64\n",
    }
    result = read_files(files)
    assert result.boxes("train/abc.jpg") == [("Hex bolt", [0.1, 0.2, 0.3, 0.5])]
    assert list(result.records) == ["train/abc.jpg"] and not result.unread and result.codes() <= {"splits_incomplete"}


@pytest.mark.parametrize(
    "files",
    [
        {"labels/0a1b2c3d-a_b.txt": "0 .5 .5 .2 .2", "classes.txt": "bolt"},
        {
            "0a1b2c3d-a_b.xml": "<annotation><object><name>bolt</name><bndbox><xmin>1</xmin><ymin>1</ymin>"
            "<xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>"
        },
        {
            "result.json": '{"images": [{"id": 0, "file_name": "images/0a1b2c3d__a_b.png"}], "annotations": '
            '[{"image_id": 0, "category_id": 0, "bbox": [1, 1, 8, 8]}], "categories": [{"id": 0, "name": "bolt"}]}'
        },
    ],
)
def test_names_of_uploads_mean_the_image_that_was_uploaded(files):
    result = read_files({"images/a b.png": b"", **files})
    assert [mark.label for mark in result.records["images/a b.png"].marks] == ["bolt"]


def test_two_uploads_of_one_name_mean_neither():
    files = {"labels/0a1b2c3d-a.txt": "0 .5 .5 .2 .2", "labels/1a1b2c3d-a.txt": "0 .1 .1 .2 .2", "classes.txt": "bolt"}
    result = read_files({"images/a.png": b"", **files})
    assert result.is_open("images/a.png") and "ambiguous_image" in result.codes()
