"""Numbers of classes beside `label_map.pbtxt`: its names where these are certain, else no label, which is said."""

from __future__ import annotations

import pytest

from tests.archives import Read, read_files
from tests.pictures import jpeg, make_zip
from tests.test_boxes import new_dataset
from tests.test_imports import run_import
from tests.test_published_datasets import found

pytestmark = pytest.mark.any_database("what archives say")
MAP = """# classes
item {
  id: 1
  name: 'bolt'
}
item {
    name: "nut \\"M8\\" {hex}",
    id: 2,
    display_name: "nut"
}
item { name: "/m/01g317" id: 3 display_name: "Schl\\303\\274ssel" }
"""
NUT, KEY = 'nut "M8" {hex}', "Schlüssel"
TABLE = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
OBJECT = "<object><name>{}</name><bndbox><xmin>5</xmin><ymin>6</ymin><xmax>25</xmax><ymax>26</ymax></bndbox></object>"


@pytest.fixture(autouse=True)
def work_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def read(labels: list[str], line: str = "{name},64,48,{label},5,6,25,26\n", head: str = TABLE, **maps: str) -> Read:
    names = [f"{at}.png" for at in range(len(labels))]
    lines = [line.format(name=name, label=label) for name, label in zip(names, labels, strict=True)]
    files = dict.fromkeys(names, b"") | {"t.csv": head + "".join(lines)}
    return read_files(files | (maps or {"x_label_map.pbtxt": MAP}))


def labels_of(result: Read) -> list[list[str]]:
    return [[label for label, _ in result.boxes(path)] for path in result.records if path.endswith(".png")]


@pytest.mark.parametrize(
    ("head", "line"),
    [
        (TABLE, "{name},64,48,{label},5,6,25,26\n"),
        ("", "{name},5,6,25,26,{label}\n"),
        ("", "{name},5,6,25,6,25,26,5,26,{label}\n"),
        ("filename,label\n", "{name},{label}\n"),
    ],
    ids=["names of columns", "keras-retinanet", "corners", "whole images"],
)
def test_numbers_in_tables(head, line):
    result = read(["1", "2.0", "3"], line, head)
    assert labels_of(result) == [["bolt"], [NUT], [KEY]] and result.codes() <= {"outline_as_box"}


@pytest.mark.django_db
def test_an_import_has_the_names(api, owner):
    dataset = new_dataset(owner, "label map")
    files = {f"{at}.jpg": jpeg(at, size=(64, 48)) for at in (1, 7)}
    rows = "1.jpg,64,48,1,5,6,25,26\n7.jpg,64,48,7,5,6,25,26\n"
    job = run_import(api, dataset, make_zip({**files, "t.csv": TABLE + rows, "label_map.pbtxt": MAP}))
    assert found(dataset) == {"1.jpg": [("bolt", [5, 6, 25, 26])], "7.jpg": None}
    assert job["result"]["remarks_by_code"] == {"unknown_label": 1} and not job["result"]["rejected"]


def test_numbers_in_voc():
    xml = {f"{at}.xml": f"<annotation>{OBJECT.format(at)}</annotation>" for at in (1, 2)}
    result = read_files({"1.png": b"", "2.png": b"", **xml, "train/label_map.pbtxt": MAP})
    assert labels_of(result) == [["bolt"], [NUT]] and not result.codes()


def test_names_stay_as_they_are():
    result = read(["bolt", "other", "1"])
    assert labels_of(result) == [["bolt"], ["other"], ["bolt"]] and not result.codes()


def test_a_number_that_the_map_does_not_have():
    result = read(["1", "7"])
    assert labels_of(result) == [["bolt"], []] and result.is_open("1.png") and result.codes() == {"unknown_label"}
    (remark,) = result.remarks
    assert "x_label_map.pbtxt" in remark.detail and remark.line == 3


def test_numbers_that_count_from_0_name_nothing():
    result = read(["0", "1", "2"])
    assert labels_of(result) == [[], [], []] and all(result.is_open(f"{at}.png") for at in range(3))
    assert result.codes() == {"unknown_label", "class_numbers_shifted"}


def test_names_that_are_numbers_of_others():
    digits = "".join(f'item {{ id: {at + 1} name: "{at}" }}\n' for at in range(3))
    result = read(["0", "1", "3"], **{"digits.pbtxt": digits})
    assert labels_of(result)[1] == [] and result.is_open("1.png") and "unknown_label" in result.codes()
    own = 'item { id: 1 name: "1" } item { id: 2 name: "2" }'
    assert labels_of(read(["1", "2"], **{"own.pbtxt": own})) == [["1"], ["2"]]


def test_label_files_of_yolo_have_other_numbers():
    result = read_files({"a.png": b"", "a.txt": "1 .5 .5 .2 .2\n", "label_map.pbtxt": MAP})
    (remark,) = result.remarks
    assert result.is_open("a.png") and remark.code == "no_class_names" and "label_map.pbtxt" in remark.detail


@pytest.mark.parametrize("source", ["classes.txt", "data.yaml"])
def test_lists_of_classes_beside_boxes(source):
    text = "bolt\nnut\n" if source == "classes.txt" else "names: [bolt, nut]\n"
    assert labels_of(read(["0", "1"], **{source: text})) == [["bolt"], ["nut"]]
    shifted = read(["1", "2"], **{source: text})
    assert labels_of(shifted) == [[], []] and "class_numbers_shifted" in shifted.codes()
    above = read(["0", "1"], **{f"old/{source}": text})
    assert labels_of(above) == [["0"], ["1"]] and not above.codes()


def test_a_list_of_classes_says_nothing_of_numbers_of_images():
    result = read(["0", "1"], "{name},{label}\n", "filename,label\n", **{"classes.txt": "bolt\nnut\n"})
    assert labels_of(result) == [["0"], ["1"]]
    example = read(["0", "1"], **{"predefined_classes.txt": "dog\nperson\n"})
    assert labels_of(example) == [["0"], ["1"]]


def test_two_maps_that_disagree():
    maps = {"a.pbtxt": 'item { id: 1 name: "bolt" }', "b.pbtxt": 'item { id: 1 name: "nut" }'}
    result = read(["1"], **maps)
    assert result.is_open("0.png") and result.codes() == {"unknown_label"}


@pytest.mark.parametrize("text", ["", "item {" * 5000, 'item { id: 1 name: "bolt', "model { ssd { num_classes: 1 } }"])
def test_other_texts_change_nothing(text):
    result = read(["bolt"], **{"pipeline.pbtxt": text})
    assert labels_of(result) == [["bolt"]] and not result.codes()


def test_classes_of_keras_retinanet_have_their_own_numbers():
    files = {"a.png": b"", "t.csv": "a.png,5,6,25,26,1\n", "classes.csv": "1,0\n", "label_map.pbtxt": MAP}
    assert read_files(files).boxes("a.png") == [("1", [5, 6, 25, 26])]
