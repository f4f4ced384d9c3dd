"""Datasets as those who publish them send them: read right, or named as not read with their images left open."""

from __future__ import annotations

import json

import pytest

from datasets.models import Annotation, Image
from tests.archives import read_files
from tests.pictures import jpeg, make_zip
from tests.test_boxes import new_dataset
from tests.test_import_kinds import make_tar
from tests.test_imports import report_of, run_import

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("what archives say")]
BNDBOX = "<bndbox><xmin>5</xmin><ymin>6</ymin><xmax>25</xmax><ymax>26</ymax></bndbox>"
PEOPLE = json.dumps({"ID": "a", "gtboxes": [{"tag": "person", "fbox": [5, 6, 9, 9]}]})
LISTED = "0\t1\tp/a.jpg\n1\t2\tp/b.jpg\n"
ATTRIBUTES = "2\nBeard Young\na.jpg -1  1\nb.jpg  1 -1\n"


@pytest.fixture
def boxes(owner):
    return new_dataset(owner, "boxes")


def found(dataset: dict) -> dict[str, list[tuple[str, list[float] | None]] | None]:
    """Label and box of each annotation; None of an image that waits for some."""
    images = Image.objects.filter(dataset=dataset["id"]).prefetch_related("annotations__label")
    return {
        image.filename: [(one.label.name, one.box) for one in image.annotations.all()] if image.reviewed else None
        for image in images
    }


@pytest.mark.parametrize(
    "files",
    [
        {"annotation_train.odgt": PEOPLE},
        {"list_attr_celeba.txt": ATTRIBUTES},
        {"train.lst": LISTED},
        {"labels.xlsm": "PK\x03\x04"},
    ],
    ids=["CrowdHuman", "CelebA", "MXNet", "a spreadsheet with macros"],
)
def test_texts_of_unknown_endings_about_images_are_named_and_folders_are_no_labels(api, dataset, files):
    job = run_import(api, dataset, make_zip({"p/a.jpg": jpeg(1), "p/b.jpg": jpeg(2), **files}))
    assert found(dataset) == {"a.jpg": None, "b.jpg": None} and not Annotation.objects.exists()
    assert job["result"]["unread"] == list(files) and job["result"]["remarks_by_code"]["folders_ignored"]


def test_other_files_beside_folders_of_labels_change_nothing(api, dataset):
    files = {
        "cat/a.jpg": jpeg(1),
        "dog/b.jpg": jpeg(2),
        "model.onnx": b"\x08\x00a.jpg b.jpg",
        "setup.toml": "size = 3\n",
        "config": "[core]\nsize = 3\n",
    }
    job = run_import(api, dataset, make_zip(files))
    assert [found(dataset)[name][0][0] for name in ("a.jpg", "b.jpg")] == ["cat", "dog"]
    assert not job["result"]["remarks_by_code"]


@pytest.mark.parametrize("packed", [make_zip, make_tar])
def test_annotation_files_without_an_ending_are_known_by_their_content(api, boxes, packed):
    text = f"<annotation><filename>%s</filename><object><name>spaniel</name>{BNDBOX}</object></annotation>"
    coco = {
        "images": [{"id": 1, "file_name": "b.jpg"}],
        "categories": [{"id": 1, "name": "pug"}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [5, 6, 20, 20]}],
        "note": "x" * 5000,
    }
    files = {
        "Images/n1/a.jpg": jpeg(1),
        "Images/n1/b.jpg": jpeg(2),
        "Annotation/n1/a": text.encode() + b" " * 5000,
        "coco": json.dumps(coco).encode(),
    }
    job = run_import(api, boxes, packed(files))
    assert found(boxes) == {"a.jpg": [("spaniel", [5, 6, 25, 26])], "b.jpg": [("pug", [5, 6, 25, 26])]}
    assert not job["result"]["rejected"]


def test_a_list_of_boxes_below_names_of_images_is_no_label_file(api, boxes):
    text = "0--Parade/a.jpg\n1\n5 6 20 20 0 0 0 0 0 0\n"
    job = run_import(api, boxes, make_zip({"images/0--Parade/a.jpg": jpeg(1), "train_bbx_gt.txt": text}))
    assert found(boxes) == {"a.jpg": None} and job["result"]["unread"] == ["train_bbx_gt.txt"]


SPECIES = {
    "images": [{"id": 0, "file_name": "a.jpg"}, {"id": 1, "file_name": "b.jpg"}],
    "annotations": [{"id": 1, "image_id": 0, "category_id": 7}, {"id": 2, "image_id": 1, "category_id": 8}],
    "categories": [{"id": 7, "name": "wren"}, {"id": 8, "name": "crow"}],
}


def test_categories_without_places_are_labels_of_images(api, owner, dataset, boxes):
    files = {"Aves/7/a.jpg": jpeg(1), "Aves/8/b.jpg": jpeg(2), "train.json": json.dumps(SPECIES)}
    run_import(api, dataset, make_zip(files))
    assert found(dataset) == {"a.jpg": [("wren", None)], "b.jpg": [("crow", None)]}
    job = run_import(api, boxes, make_zip(files))
    assert found(boxes) == {"a.jpg": None, "b.jpg": None} and job["result"]["remarks_by_code"]["labels_without_boxes"]


@pytest.mark.parametrize("place", [{"box": [1, 2, 3, 4]}, {"bbox": None}, {"keypoints": [1, 2, 2]}])
def test_places_that_are_not_understood_make_no_label_of_an_image(place):
    rows = [row | place for row in SPECIES["annotations"]]
    result = read_files({"a.jpg": b"", "b.jpg": b"", "c.json": json.dumps({**SPECIES, "annotations": rows})})
    assert result.is_open("a.jpg") and result.is_open("b.jpg") and "incomplete_annotation" in result.codes()


@pytest.mark.parametrize(
    "labels",
    [{"a.jpg": "cat", "b.jpg": "dog"}, {"a": 0, "b": 1}, {"cat": ["a.jpg"], "dog": ["b.jpg"]}],
    ids=["a label an image", "names without endings", "images of a label"],
)
def test_labels_in_an_object_of_json_are_named_and_folders_are_none(api, dataset, labels):
    files = {"pool/a.jpg": jpeg(1), "pool/b.jpg": jpeg(2), "labels.json": json.dumps(labels)}
    job = run_import(api, dataset, make_zip(files))
    assert found(dataset) == {"a.jpg": None, "b.jpg": None} and job["result"]["unread"] == ["labels.json"]


def test_a_list_of_classes_by_number_is_about_no_images():
    classes = json.dumps({"0": "cat", "1": "dog"})
    result = read_files({"cat/0.jpg": b"", "dog/1.jpg": b"", "class_indices.json": classes})
    assert result.boxes("cat/0.jpg") == [("cat", [])] and not result.codes()


@pytest.mark.parametrize("side", [{"cat": 0, "dog": 1}, {"0": "cat"}, {"cat": ["cat/a", "a.jpg"], "dog": ["dog/b"]}])
def test_lists_of_labels_and_of_images_in_their_folders_leave_no_trace(side):
    result = read_files({"cat/a.jpg": b"", "dog/b.jpg": b"", "meta/train.json": json.dumps(side)})
    assert result.boxes("cat/a.jpg") == [("cat", [])] and not result.codes()


def test_masks_among_images_alone_are_no_images(api, dataset):
    names = ["train/good/000.png", "test/broken/001.png", "ground_truth/broken/001_mask.png"]
    job = run_import(api, dataset, make_zip({name: jpeg(seed) for seed, name in enumerate(names)}))
    assert set(found(dataset)) == {"000.png", "001.png"} and job["result"]["remarks_by_code"]["masks_left_out"] == 1


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("train/a_01.jpg", "train_masks/a_01_mask.gif"),
        ("x/val/1.png", "x/val_labels/1_L.png"),
        ("a.jpg", "a_seg.png"),
        ("d/img/1.jpg", "d/img_annotations/1.png"),
    ],
    ids=["Carvana", "CamVid", "in one folder", "annotations"],
)
def test_masks_in_a_folder_that_is_called_like_that_of_the_images(api, dataset, image, mask):
    job = run_import(api, dataset, make_zip({image: jpeg(1), mask: jpeg(2)}))
    assert set(found(dataset)) == {image.rpartition("/")[2]} and job["result"]["remarks_by_code"]["masks_left_out"] == 1


def test_labels_that_are_called_like_masks(api, dataset):
    files = ["with_mask/1.png", "without_mask/1.png", "warning_labels/1.png", "hair_L/1.png"]
    run_import(api, dataset, make_zip({name: jpeg(seed) for seed, name in enumerate(files)}))
    labels = Annotation.objects.values_list("label__name", flat=True)
    assert sorted(labels) == sorted(name.partition("/")[0] for name in files)


def test_masks_of_cityscapes_are_no_images():
    masks = [f"gtFine/train/ulm/ulm_0_1_gtFine_{kind}.png" for kind in ("labelIds", "color", "instanceIds")]
    image = "leftImg8bit/train/ulm/ulm_0_1_leftImg8bit.png"
    result = read_files({image: b"", **dict.fromkeys(masks, b"")})
    assert list(result.records) == [image] and "masks_left_out" in result.codes()
    assert len(read_files(dict.fromkeys(masks, b"")).records) == 3  # without their image they are all that there is


def test_what_the_task_of_a_project_has_no_place_for_is_said(api, dataset, boxes):
    text = (
        "<annotations><meta/><image id='0' name='a.jpg' width='48' height='32'><box label='bolt' xtl='5' "
        "ytl='6' xbr='25' ybr='26'/><tag label='good'/></image></annotations>"
    )
    content = make_zip({"a.jpg": jpeg(1), "annotations.xml": text})
    job = run_import(api, boxes, content)
    assert found(boxes) == {"a.jpg": [("bolt", [5, 6, 25, 26])]}
    (row,) = report_of(api, job)
    assert row["code"] == "labels_without_boxes" and "(1)" in row["detail"]
    job = run_import(api, dataset, content)
    assert found(dataset) == {"a.jpg": [("good", None)]}
    assert job["result"]["remarks_by_code"] == {"boxes_in_classification": 1}
