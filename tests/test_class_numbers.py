"""Class numbers that count from another number than their names give no image a label that is one off."""

from __future__ import annotations

import json

import pytest

from tests.archives import Read, read_files

CODE = "class_numbers_shifted"
YAML = "names: [bolt, nut, screw]"


@pytest.fixture(autouse=True)
def work_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def yolo(numbers: list[int], names: dict[str, str], **others: str) -> Read:
    files = {f"{at}.txt": f"{number} .5 .5 .2 .2" for at, number in enumerate(numbers)}
    return read_files({f"{at}.png": b"" for at in range(len(numbers))} | files | names | others)


@pytest.mark.parametrize("names", [{"data.yaml": YAML}, {"classes.txt": "bolt\nnut\nscrew\n"}])
def test_numbers_from_1_beside_names_from_0(names):
    result = yolo([1, 2, 3], names)
    assert all(result.is_open(f"{at}.png") for at in range(3)) and CODE in result.codes()
    (remark,) = [remark for remark in result.remarks if remark.code == CODE]
    assert "from 1 to 3" in remark.detail and "from 0 to 2" in remark.detail and next(iter(names)) in remark.detail


@pytest.mark.parametrize(
    "names", [{"data.yaml": "names: {1: bolt, 2: nut, 3: screw}"}, {"classes.txt": "\nbolt\nnut\nscrew\n"}]
)
def test_names_that_are_numbered_from_1(names):
    result = yolo([1, 2, 3], names)
    assert [result.boxes(f"{at}.png")[0][0] for at in range(3)] == ["bolt", "nut", "screw"] and not result.codes()


def test_an_image_without_boxes_is_still_empty():
    result = yolo([1, 3], {"data.yaml": YAML, "empty.png": b"", "empty.txt": "\n"})
    record = result.records["empty.png"]
    assert CODE in result.codes() and record.is_annotated and not record.left_out


@pytest.mark.parametrize("numbers", [[1, 2], [0, 1, 3], [1, 2, 3, 4], [0, 1, 2]])
def test_numbers_that_prove_nothing_stay_as_they_are(numbers):
    result = yolo(numbers, {"data.yaml": YAML})
    names = ["bolt", "nut", "screw"]
    for at, number in enumerate(numbers):
        assert [label for label, _ in result.boxes(f"{at}.png")] == names[number : number + 1]
    assert CODE not in result.codes()


def test_each_list_of_names_by_itself():
    files = {
        "a/1.png": b"",
        "a/1.txt": "0 .5 .5 .2 .2",
        "a/classes.txt": "bolt\nnut",
        "b/2.png": b"",
        "b/2.txt": "1 .5 .5 .2 .2\n2 .5 .5 .2 .2",
        "b/classes.txt": "cat\ndog",
    }
    result = read_files(files)
    assert result.boxes("a/1.png")[0][0] == "bolt" and result.is_open("b/2.png") and CODE in result.codes()


def datumaro(*numbers: int) -> str:
    labels = {"label": {"labels": [{"name": name} for name in ("bolt", "nut")]}}
    items = [
        {"id": str(number), "image": {"path": f"{number}.png"}, "annotations": [{"type": "label", "label_id": number}]}
        for number in numbers
    ]
    return json.dumps({"info": {}, "categories": labels, "items": items})


def test_datumaro_over_all_its_files():
    files = {"annotations/train.json": datumaro(1), "annotations/test.json": datumaro(2), "1.png": b"", "2.png": b""}
    result = read_files(files)
    assert result.is_open("1.png") and result.is_open("2.png") and CODE in result.codes()
    assert read_files({"annotations/train.json": datumaro(1), "1.png": b""}).boxes("1.png") == [("nut", [])]


def coco(categories: list[int], used: list[int]) -> Read:
    images = [{"id": at, "file_name": f"{at}.png"} for at in range(len(used))]
    rows = [{"id": at, "image_id": at, "category_id": one, "bbox": [1, 2, 9, 9]} for at, one in enumerate(used)]
    names = [{"id": one, "name": f"class {one}", "supercategory": "class 0"} for one in categories]
    document = {"images": images, "annotations": rows, "categories": names}
    return read_files({f"{at}.png": b"" for at in range(len(used))} | {"c.json": json.dumps(document)})


def test_numbers_from_0_beside_categories_from_1():
    result = coco([1, 2, 3], [0, 1, 2])
    assert all(map(result.is_open, result.records)) and CODE in result.codes()


@pytest.mark.parametrize(
    ("categories", "used"),
    [
        ([1, 2, 3], [1, 2, 3]),
        ([1, 2, 3], [1, 2]),
        ([0, 1, 2], [1, 2]),
        ([5, 7], [5, 7]),
        ([1, 2], [0, 2]),
        ([0, 1], [1, 2]),
    ],
)
def test_ids_of_categories_count_as_they_are_written(categories, used):
    result = coco(categories, used)
    for at, one in enumerate(used):
        assert [label for label, _ in result.boxes(f"{at}.png")] == ([f"class {one}"] if one in categories else [])
    assert CODE not in result.codes()


@pytest.mark.parametrize("names", ["1 bolt\n2 nut\n3 screw\n", "1: bolt\n2: nut\n3: screw"])
def test_a_list_that_has_its_own_numbers(names):
    result = yolo([1, 2, 3], {"classes.txt": names})
    assert [result.boxes(f"{at}.png")[0][0][-4:] for at in range(3)] == ["bolt", " nut", "crew"] and not result.codes()
    below = yolo([0, 1, 2], {"classes.txt": names})
    assert all(map(below.is_open, below.records)) and CODE in below.codes()


@pytest.mark.parametrize(
    "names", ["0 bolt\n1 nut\n2 screw", "1 euro\n2 euro\n3 euro", "1 bolt\nnut\n3 screw", "bolt\n2\n3 x"]
)
def test_names_with_numbers_that_are_no_list_from_1(names):
    assert yolo([0, 2], {"classes.txt": names}).boxes("0.png")[0][0] == names.split("\n")[0]
