"""Values that may mean two things: read where the file says which, else left out and said."""

from __future__ import annotations

import json

import pytest

from tests.archives import read_files
from tests.pictures import jpeg, make_zip
from tests.test_boxes import new_dataset
from tests.test_imports import run_import
from tests.test_published_datasets import found

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("what archives say")]
CORNERS = [[10 + step, 8 + step, 40 + step, 30 + step] for step in range(12)]


def coco(places: list[list[float]], **more) -> str:
    rows = [{"image_id": 1, "category_id": 1, "bbox": place, "segmentation": [], **more} for place in places]
    images = [{"id": 1, "file_name": "a.jpg", "width": 64, "height": 48}]
    return json.dumps({"images": images, "annotations": rows, "categories": [{"id": 1, "name": "bolt"}]})


class TestCornersInCoco:
    def read(self, text: str):
        return read_files({"a.jpg": b"", "c.json": text})

    def test_many_boxes_beyond_their_images_are_two_corners(self, api, owner):
        dataset = new_dataset(owner, "boxes")
        job = run_import(api, dataset, make_zip({"a.jpg": jpeg(1, size=(64, 48)), "c.json": coco(CORNERS)}))
        assert sorted(box for _, box in found(dataset)["a.jpg"]) == CORNERS
        assert job["result"]["remarks_by_code"] == {"boxes_as_corners": 1}

    def test_of_few_boxes_nobody_knows(self):
        result = self.read(coco(CORNERS[-4:]))
        assert result.is_open("a.jpg") and result.codes() == {"boxes_unclear"}

    @pytest.mark.parametrize(
        "places",
        [[[20, 20, 10, 10], *CORNERS], [[10, 8, 80, 30], *CORNERS], [[2, 2, 30, 30]] * 40 + CORNERS[-1:]],
        ids=["one is no pair of corners", "one is beyond the image as corners, too", "nearly all are inside"],
    )
    def test_a_corner_and_a_size_otherwise(self, places):
        x, y, width, height = places[0]
        result = self.read(coco(places))
        assert ("bolt", [x, y, x + width, y + height]) in result.boxes("a.jpg") and not result.codes()

    def test_outlines_say_what_the_boxes_are(self):
        rows = json.loads(coco(CORNERS))
        for row in rows["annotations"]:
            x, y, width, height = row["bbox"]
            row["segmentation"] = [[x, y, x + width, y, x + width, y + height]]
        result = self.read(json.dumps(rows))
        assert ("bolt", [10, 8, 50, 38]) in result.boxes("a.jpg")


class TestCornersInYolo:
    PLACES = [(0.5 + step / 100, 0.4, 0.8 + step / 100, 0.9) for step in range(10)]

    def files(self, places: list[tuple]) -> dict[str, str]:
        lines = ["0 {} {} {} {}\n".format(*place) for place in places]
        return {"classes.txt": "bolt\n", "a.txt": "".join(lines[:5]), "b.txt": "".join(lines[5:])}

    def test_boxes_beyond_their_images_in_all_files_are_two_corners(self, api, owner):
        dataset = new_dataset(owner, "boxes")
        images = {f"{name}.jpg": jpeg(number, size=(100, 100)) for number, name in enumerate("ab")}
        job = run_import(api, dataset, make_zip({**images, **self.files(self.PLACES)}))
        boxes = [box for marks in found(dataset).values() for _, box in marks or ()]
        assert sorted(boxes) == [[50 + step, 40, 80 + step, 90] for step in range(10)]
        assert job["result"]["remarks_by_code"] == {"boxes_as_corners": 1}

    def test_of_few_boxes_nobody_knows(self):
        result = read_files({"a.jpg": b"", "b.jpg": b"", **self.files(self.PLACES[:6])})
        assert result.is_open("a.jpg") and result.is_open("b.jpg") and result.codes() == {"boxes_unclear"}

    @pytest.mark.parametrize("other", [(0.5, 0.5, 0.2, 0.2), (0.5, 0.5, 1.1, 0.9), (0.1, 0.1, 0.2, 0.2, 0.3, 0.1)])
    def test_a_middle_and_a_size_otherwise(self, other):
        files = self.files(self.PLACES)
        files["b.txt"] += " ".join(["0", *map(str, other)])
        result = read_files({"a.jpg": b"", "b.jpg": b"", **files})
        assert ("bolt", [0.1, -0.05, 0.9, 0.85]) in result.boxes("a.jpg") and "boxes_as_corners" not in result.codes()


class TestDecimalCommas:
    @pytest.mark.parametrize(
        "table",
        [
            "filename,class,xmin,ymin,xmax,ymax\na.jpg,bolt,5,1,6,2,25,3,26,9\n",
            "filename,xmin,ymin,xmax,ymax,class\na.jpg,5,1,6,2,25,3,26,9,bolt\n",
        ],
    )
    def test_between_columns_that_commas_divide_they_are_no_part_of_a_label(self, api, owner, table):
        dataset = new_dataset(owner, "boxes")
        job = run_import(api, dataset, make_zip({"a.jpg": jpeg(1, size=(64, 48)), "t.csv": table}))
        assert found(dataset) == {"a.jpg": None} and job["result"]["remarks_by_code"] == {"incomplete_annotation": 1}

    def test_a_label_with_a_comma_is_one(self):
        table = "filename,class,xmin,ymin,xmax,ymax\na.jpg,tench, Tinca tinca,5,6,25,26\n"
        assert read_files({"a.jpg": b"", "t.csv": table}).boxes("a.jpg") == [("tench,Tinca tinca", [5, 6, 25, 26])]


class TestMissingLabels:
    @pytest.mark.parametrize("missing", ["", "NaN", "nan", "#N/A", "<NA>"])
    def test_what_pandas_and_spreadsheets_write_is_no_label(self, api, dataset, missing):
        files = {"p/a.jpg": jpeg(1), "p/b.jpg": jpeg(2), "t.csv": f"filename,label\na.jpg,{missing}\nb.jpg,none\n"}
        run_import(api, dataset, make_zip(files))
        assert found(dataset) == {"a.jpg": None, "b.jpg": [("none", None)]}

    def test_a_box_without_one_is_left_out(self):
        table = "filename,xmin,ymin,xmax,ymax,class\na.jpg,5,6,25,26,nan\nb.jpg,5,6,25,26,bolt\n"
        result = read_files({"a.jpg": b"", "b.jpg": b"", "t.csv": table})
        assert result.is_open("a.jpg") and result.codes() == {"incomplete_annotation"}

    def test_regions_as_json_are_none(self):
        result = read_files({"p/a.jpg": b"", "t.csv": 'image,label\na.jpg,"[{""x"": 1}]"\n'})
        assert result.is_open("p/a.jpg") and result.unread == ["t.csv"]


class TestSeveralLabelsInACell:
    def test_lists_of_numbers_are_none(self):
        result = read_files({"p/a.jpg": b"", "p/b.jpg": b"", "train.csv": "Id,Target\na,16 0\nb,7\n"})
        assert result.is_open("p/a.jpg") and result.is_open("p/b.jpg") and result.unread == ["train.csv"]

    @pytest.mark.parametrize("head", ["labels", "disease"])
    @pytest.mark.parametrize("cell", ["scab rust", "scab, rust", "rust|scab", "scab;mildew"])
    def test_labels_that_others_have_alone(self, api, dataset, head, cell):
        table = f'image,{head}\na.jpg,scab\nb.jpg,"{cell}"\nc.jpg,rust\n'
        files = {f"{name}.jpg": jpeg(number) for number, name in enumerate("abc")}
        job = run_import(api, dataset, make_zip({**files, "train.csv": table}))
        assert found(dataset) == {"a.jpg": [("scab", None)], "b.jpg": None, "c.jpg": [("rust", None)]}
        assert job["result"]["remarks_by_code"]["several_labels"] == 1

    def test_commas_without_quotes_divide_labels_that_others_have_alone(self, api, dataset):
        table = "image,label\na.jpg,scab,rust\nb.jpg,rust\nc.jpg,tench, Tinca tinca\n"
        files = {f"{name}.jpg": jpeg(number) for number, name in enumerate("abc")}
        job = run_import(api, dataset, make_zip({**files, "t.csv": table}))
        assert found(dataset) == {"a.jpg": None, "b.jpg": [("rust", None)], "c.jpg": [("tench,Tinca tinca", None)]}
        assert job["result"]["remarks_by_code"] == {"several_labels": 1}

    def test_a_second_label_after_many_lines_is_not_dropped_in_silence(self):
        names = [f"{number}.jpg" for number in range(60)]
        table = "".join(f"{name},cat\n" for name in names[:-1]) + f"{names[-1]},cat,dog\n"
        result = read_files(dict.fromkeys(names, b"") | {"t.csv": table})
        assert result.is_open(names[-1]) and result.codes() == {"incomplete_annotation"}

    @pytest.mark.parametrize("cell", ["leaf rust", "T-shirt/top", "tench, Tinca tinca"])
    def test_a_label_of_several_words(self, cell):
        table = f'image,labels\na.jpg,rust\nb.jpg,"{cell}"\nc.jpg,rust\n'
        result = read_files({"a.jpg": b"", "b.jpg": b"", "c.jpg": b"", "train.csv": table})
        assert result.boxes("b.jpg") == [(cell, [])]

    def test_a_list_of_classes_says_that_it_is_one(self):
        files = {
            "classes.csv": "scab,0\nrust,1\nscab rust,2\n",
            "t.csv": "image,labels\na.jpg,scab\nb.jpg,scab rust\nc.jpg,rust\n",
        }
        result = read_files({"a.jpg": b"", "b.jpg": b"", "c.jpg": b"", **files})
        assert result.boxes("b.jpg") == [("scab rust", [])]
