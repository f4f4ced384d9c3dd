"""Tables with four corners of a box: the box around them where their order is certain, and a sentence where not."""

from __future__ import annotations

import pytest

from tests.archives import Read, read_files
from tests.pictures import jpeg, make_zip
from tests.test_boxes import new_dataset
from tests.test_imports import run_import
from tests.test_published_datasets import found

pytestmark = pytest.mark.any_database("what archives say")
TURNED = "15,2,30,12,20,26,5,16"  # a box that is turned: its first and third corner are no box
AROUND = [("bolt", [5, 2, 30, 26])]
UPRIGHT = "5,6,25,6,25,26,5,26"
BOX = [("bolt", [5, 6, 25, 26])]
NAMES = "x1,y1,x2,y2,x3,y3,x4,y4"


@pytest.fixture(autouse=True)
def work_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def read(*lines: str) -> Read:
    return read_files({"a.png": b"", "b.png": b"", "t.csv": "\n".join(lines) + "\n"})


@pytest.mark.parametrize("names", [NAMES, "x_1,y_1,x_2,y_2,x_3,y_3,x_4,y_4", "x0,y0,x1,y1,x2,y2,x3,y3"])
def test_columns_with_names(names):
    result = read(f"filename,{names},class", f"a.png,{TURNED},bolt", f"b.png,{UPRIGHT},bolt")
    assert result.boxes("a.png") == AROUND and result.boxes("b.png") == BOX
    assert result.codes() == {"outline_as_box"}


def test_names_in_any_order_and_more_than_four_corners():
    result = read("class,x1,x2,x3,x4,x5,y1,y2,y3,y4,y5,image", "bolt,5,25,25,15,,6,6,26,30,,a.png")
    assert result.boxes("a.png") == [("bolt", [5, 6, 25, 30])] and result.codes() == {
        "outline_as_box",
        "no_annotations",
    }


@pytest.mark.parametrize("line", ["{name},{corners},bolt", "{name},bolt,{corners}"])
def test_columns_without_names(line):
    result = read(line.format(name="a.png", corners=TURNED), line.format(name="b.png", corners=UPRIGHT))
    assert result.boxes("a.png") == AROUND and result.boxes("b.png") == BOX
    assert result.codes() == {"outline_as_box"}


@pytest.mark.django_db
def test_an_import_has_the_box_around_the_corners(api, owner):
    dataset = new_dataset(owner, "corners")
    files = {f"{name}.jpg": jpeg(number, size=(64, 48)) for number, name in enumerate("ab")}
    table = f"a.jpg,{TURNED},bolt\nb.jpg,{UPRIGHT},bolt\n"
    for dry_run in (True, False):
        job = run_import(api, dataset, make_zip({**files, "t.csv": table}), dry_run=dry_run)
        assert job["result"]["remarks_by_code"] == {"outline_as_box": 2} and job["result"]["boxes"] == 2
    assert found(dataset) == {"a.jpg": AROUND, "b.jpg": BOX}


def test_a_name_with_a_comma():
    result = read_files({"a,b.png": b"", "t.csv": f"a,b.png,{TURNED},bolt\n"})
    assert result.boxes("a,b.png") == AROUND


@pytest.mark.parametrize(
    "numbers",
    [
        "15,30,20,5,2,12,26,16",  # four x before four y
        "5,6,25,26,30,6,50,26",
        "1,2,3,4,5,6,7,8",
    ],
    ids=["halves", "two boxes", "no corners"],
)
def test_another_order_is_not_guessed(numbers):
    result = read(f"a.png,{numbers},bolt", f"b.png,{numbers},bolt")
    assert result.is_open("a.png") and result.is_open("b.png") and not result.labels
    assert {"columns_unclear", "unknown_annotations"} <= result.codes() and result.unread == ["t.csv"]


def test_a_line_that_does_not_go_around_leaves_its_image_open():
    others = [f"b.png,{TURNED},bolt"] * 9
    result = read(f"a.png,{UPRIGHT},bolt", *others, "a.png,5,6,25,26,25,6,5,26,bolt")
    assert result.records["a.png"].left_out and "incomplete_annotation" in result.codes()
    assert result.boxes("b.png")[0] == AROUND[0]


def test_corners_that_are_no_numbers_leave_the_image_open():
    result = read(f"filename,{NAMES},class", "a.png,5,6,25,x,25,26,5,26,bolt", f"b.png,{UPRIGHT},")
    assert result.is_open("a.png") and result.is_open("b.png") and result.codes() == {"incomplete_annotation"}
