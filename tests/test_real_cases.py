"""Archives and images of the kinds that people really send: each is read right, or what was not taken is said."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from datasets.models import Annotation, Image
from tests.real_data import FOLDER
from tests.test_boxes import new_dataset
from tests.test_imports import report_of, run_import
from vision.imaging.orientation import upright_size
from vision.imaging.preprocessing import load_pixels, open_image

pytestmark = [pytest.mark.django_db, pytest.mark.real_data, pytest.mark.any_database("what archives and images say")]
CASES = FOLDER / "cases"
NOTHING: list = []


def one(*boxes, name="bolt", split=None):
    return split, True, [(name, list(box)) for box in boxes]


OPEN = (None, False, [])
# File → what each image has: (split, whether it counts as looked at, annotations); and codes that must be said.
BOXES: dict[str, tuple[dict[str, tuple], set[str]]] = {
    "coco-category-id-as-string": ({"a.png": one((5, 6, 25, 26))}, set()),
    "coco-ids-as-floats": ({"a.png": one((5, 6, 25, 26))}, set()),
    "coco-polygon-without-bbox": ({"a.png": one((5, 6, 25, 26))}, {"outline_as_box"}),
    "coco-bbox-null-or-empty": ({"a.png": one((5, 6, 25, 26), (5, 6, 25, 26))}, {"outline_as_box"}),
    "coco-file-name-nfd": ({"Größe_é.png": one((5, 6, 25, 26))}, set()),
    "coco-macos-names-decomposed-in-zip-and-json": ({"Größe_é.png": one((5, 6, 25, 26))}, set()),
    "coco-names-differ-by-case": ({"IMG.png": one((1, 1, 11, 11)), "img.png": one((30, 20, 50, 40))}, set()),
    "coco-duplicate-image-ids": ({"a.png": OPEN, "b.png": OPEN}, {"ambiguous_id"}),
    "coco-jfif-and-no-extension": (
        {"a.jfif": one((1, 1, 11, 11)), "b": one((1, 1, 11, 11)), "d.jpe": one((1, 1, 11, 11))}, set()),
    "coco-picture-missing-namesake-elsewhere": ({"0001.png": one((1, 1, 11, 11))}, {"missing_image"}),
    "coco-keypoints-before-instances": (
        {"000001.png": one((1, 1, 11, 11), name="person", split="validation"),
         "000002.png": one((5, 5, 15, 15), name="car", split="validation")}, {"joined", "splits_incomplete"}),
    "coco-official-captions-instances-keypoints": (
        {"000001.png": one((1, 1, 11, 11), name="person", split="validation"),
         "000002.png": one((5, 5, 15, 15), name="car", split="validation")}, {"joined", "splits_incomplete"}),
    "coco-image-info-test-without-annotations": (
        {"000001.png": one((1, 1, 11, 11), name="person", split="validation"), "000009.png": ("test", False, [])},
        {"splits_incomplete"}),
    "yolo-label-file-percent-encoded": ({"écran.png": one((28.8, 19.2, 35.2, 28.8))}, set()),
    "voc-names-differ-by-case": ({"IMG_1.png": one((1, 2, 10, 10)), "img_1.png": one((30, 30, 40, 40))}, set()),
    "yolo-pose-2x2": (
        {"a.png": ("train", True, [("tiger", [41.6, 31.2, 54.4, 40.8])])}, {"splits_incomplete"}),
    "yolo-pose-1x3": ({"a.png": one((41.6, 31.2, 54.4, 40.8), name="person")}, set()),
    "yolo-names-block-list-on-off": (
        {"a.png": (None, True, [("off", [16, 9.6, 22.4, 19.2]), ("on", [28.8, 19.2, 35.2, 28.8])])}, set()),
    "yolo-names-yes-and-on-merge": (
        {"a.png": (None, True, [("off", [41.6, 31.2, 48, 36]), ("on", [28.8, 19.2, 35.2, 28.8]),
                                ("yes", [9.6, 7.2, 16, 12])])}, set()),
    "voc-same-stem-filename-says-png": ({"image1.png": one((1, 2, 20, 30)), "image1.jpg": OPEN}, {"no_annotations"}),
    "yolo-cvat-1.1-train-valid-lists": (
        {"a.png": one((28.8, 19.2, 35.2, 28.8), split="train"),
         "b.png": one((28.8, 19.2, 35.2, 28.8), split="validation")}, {"splits_incomplete"}),
    "yolo-class-id-beyond-names": ({"a.png": OPEN}, {"unknown_label"}),
    "yolo-classes-txt-blank-line-shifts": ({"a.png": one((28.8, 19.2, 35.2, 28.8), name="nut")}, set()),
    "voc-gbk-encoding": ({"a.png": one((1, 2, 20, 30), name="螺栓")}, set()),
    "voc-swapped-corners": ({"a.png": one((10, 20, 30, 40))}, {"corners_swapped"}),
    "voc-polygon-no-bndbox": ({"a.png": one((1, 2, 30, 40))}, {"outline_as_box"}),
    "csv-empty-first-line": ({"a.png": one((1, 2, 20, 30))}, set()),
    "csv-first-image-name-with-comma-unquoted": ({"a,1.png": one((1, 2, 20, 30)), "b.png": one((1, 2, 20, 30))}, set()),
    "csv-spaces-after-commas": ({"a.png": one((1, 2, 20, 30))}, set()),
    "createml": ({"a.png": one((5, 6, 25, 26), split="train")}, {"splits_incomplete"}),
    "label-studio-json": ({"a.png": one((6.4, 4.8, 19.2, 14.4))}, set()),
    "cvat-images-1.1": ({"a.png": one((5, 6, 25, 26))}, set()),
    "exif-coco-size-says-unrotated": ({"a.jpg": one((35, 20, 55, 38))}, {"boxes_turned"}),
    "csv-picture-missing-namesake-elsewhere": ({"0001.png": one((1, 1, 10, 10))}, {"missing_image"}),
    "voc2012-with-masks-usual-order": (
        {"2007_1.jpg": one((1, 2, 20, 30), split="train")}, {"masks_left_out", "splits_incomplete"}),
    "voc-tiff-orientation-6": ({"a.tif": one((10, 50, 40, 78))}, set()),
    "yolo-classes-txt-and-yaml-disagree": ({"a.png": one((25.6, 19.2, 38.4, 28.8))}, {"names_disagree"}),
    "csv-six-column-metadata-beside-voc": ({"a.png": one((1, 2, 20, 30))}, {"unknown_annotations"}),
    "voc-another-xml-first": ({"a.png": one((1, 2, 20, 30))}, {"unknown_annotations"}),
}  # fmt: skip
LABELS = {
    "zip-gbk-folder-names": ({"猫": 1, "狗": 1}, {"names_guessed"}),
    "class-csv-filename-label": ({"cat": 1, "dog": 1}, set()),
    "folders-with-six-column-csv": ({"cat": 1, "dog": 1}, {"unknown_annotations"}),
    "nested": ({}, set()),
}


def rows_of(dataset: dict) -> dict[str, tuple]:
    rows = Image.objects.filter(dataset=dataset["id"]).prefetch_related("annotations__label")
    return {
        row.filename: (
            row.split,
            row.reviewed,
            sorted((one.label.name, one.box and [round(edge, 3) for edge in one.box]) for one in row.annotations.all()),
        )
        for row in rows
    }


@pytest.mark.parametrize("name", BOXES)
def test_an_archive_with_boxes(api, owner, name):
    dataset = new_dataset(owner, "boxes")
    job = run_import(api, dataset, (CASES / f"{name}.zip").read_bytes())
    assert job["state"] == "succeeded", job["error"]
    images, codes = BOXES[name]
    assert rows_of(dataset) == images, report_of(api, job)
    assert set(job["result"]["remarks_by_code"]) == codes, report_of(api, job)


@pytest.mark.parametrize("name", LABELS)
def test_an_archive_with_labels(api, dataset, name):
    job = run_import(api, dataset, (CASES / f"{name}.zip").read_bytes())
    assert job["state"] == "succeeded", job["error"]
    labels, codes = LABELS[name]
    found = Counter(Annotation.objects.filter(image__dataset=dataset["id"]).values_list("label__name", flat=True))
    assert dict(found) == labels or name == "nested"
    assert codes <= set(job["result"]["remarks_by_code"])
    assert job["result"]["created"] > 0


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("folders-train-and-test-without-valid", "classification"),
        ("2-classes-4-images", "classification"),
        ("folders-train-and-valid-without-test", "classification"),
        ("yolo-only-images-train-as-cvat-exports", "detection"),
    ],
)
def test_what_lacks_a_split_can_be_trained_all_the_same(api, owner, name, task):
    dataset = new_dataset(owner, "few", task)
    job = run_import(api, dataset, (CASES / f"{name}.zip").read_bytes())
    assert job["state"] == "succeeded", job["error"]
    counts = api.post(f"/api/v1/datasets/{dataset['id']}/snapshots/", {}).json()["counts"]
    assert set(counts["splits"]) == {"train", "validation", "test"}


class TestImages:
    def pixels(self, name: str) -> np.ndarray:
        return load_pixels(Path(CASES / name), (48, 64)).astype(int)

    def test_deep_grays_are_seen(self):
        for name in ("gray16-with-trns.png", "gray16-12bit-range.png", "bundle-differs-gray16-full.png"):
            pixels = self.pixels(name)
            assert pixels.max() - pixels.min() > 100, name

    def test_a_large_text_is_no_reason_to_refuse_an_image(self):
        assert self.pixels("png-large-ztxt.png").size

    def test_a_scan_that_lies_on_its_side_has_its_upright_size(self):
        with open_image(Path(CASES / "tiff-orientation-6.tif")) as image:
            assert upright_size(image) == (60, 80)
