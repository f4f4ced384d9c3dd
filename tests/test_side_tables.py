"""Tables that name images and give no labels: no label is made of their cells, and it is said."""

from __future__ import annotations

import pytest

from tests.archives import Read, read_files

UNKNOWN = {"unknown_annotations", "no_annotations"}


@pytest.fixture(autouse=True)
def work_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def read(table: str, name: str = "t.csv", **others: str) -> Read:
    return read_files({"a.png": b"", "b.png": b"", name: table, **others})


@pytest.mark.parametrize(
    "table",
    [
        "ImageId,EncodedPixels\na.png,264661 17 264429 33\nb.png,\n",
        "ImageId,PredictionString\na,n01 5 6 25 26 \nb,n02\n",
        "filename,label\na.png,5 6 25 26\nb.png,1 2 3 4\n",
        'filename,place\na.png,"[5, 6, 25, 26]"\nb.png,"[1, 2, 3, 4]"\n',
        "filename,xmin (px),ymin (px),class\na.png,5,6,bolt\n",
        "Path,Roi.X1,Roi.Y1,label\na.png,5,6,bolt\n",
        "filename,target\na.png,0\nb.png,1\n",
        "id_code,file,label_id\nx,a.png,0\ny,b.png,1\n",
        "filename,prediction\na.png,cat\nb.png,dog\n",
        "filename,age\na.png,31\nb.png,4\n",
        "filename,where\na.png,https://host/a\nb.png,https://host/b\n",
        "filename,said\na.png,a dog that runs over the grass\nb.png,two cats\n",
    ],
)
def test_places_numbers_and_sentences_are_no_labels(table):
    result = read(table)
    assert result.is_open("a.png") and result.is_open("b.png") and not result.labels
    assert result.unread == ["t.csv"] and result.codes() == UNKNOWN


def test_a_value_for_each_image_is_no_label():
    names = [f"{number}.png" for number in range(30)]
    files = dict.fromkeys(names, b"") | {"t.csv": "file,code\n" + "".join(f"{name},x{name[:-4]}y\n" for name in names)}
    assert not read_files(files).labels
    breeds = "id,breed\n" + "".join(f"{name[:-4]},{'beagle' if at % 2 else 'boxer'}\n" for at, name in enumerate(names))
    assert read_files(files | {"t.csv": breeds}).labels == ["boxer", "beagle"]


@pytest.mark.parametrize("head", ["url", "md5", "size", "date", "caption", "width,height", "url,license"])
def test_facts_change_nothing_and_are_named(head):
    cells = ",".join("x" for _ in head.split(","))
    table = f"filename,{head}\ncat/a.png,{cells}\ndog/b.png,{cells}\n"
    result = read_files({"cat/a.png": b"", "dog/b.png": b"", "t.csv": table})
    assert result.boxes("cat/a.png") == [("cat", [])] and result.codes() == {"no_column_of_labels"}


def test_a_table_of_splits_alone_beside_folders():
    table = "filename,split\ncat/a.png,train\ndog/b.png,test\n"
    result = read_files({"cat/a.png": b"", "dog/b.png": b"", "t.csv": table})
    assert result.boxes("dog/b.png") == [("dog", [])] and not result.codes()
    assert [record.split for record in result.records.values()] == ["train", "test"]


@pytest.mark.parametrize("name", ["sample_submission.csv", "data/sampleSubmission.csv"])
def test_examples_of_answers_are_no_labels(name):
    result = read("id,label\na,cat\n", **{name: "id,label\nb,cat\n"})
    assert result.boxes("a.png") == [("cat", [])] and result.is_open("b.png")
    assert "example_left_out" in result.codes()


@pytest.mark.parametrize("cell", ['"[""cat"", ""dog""]"', "\"['cat', 'dog']\""])
def test_lists_of_labels(cell):
    result = read(f'filename,labels\na.png,{cell}\nb.png,"[""cat""]"\n')
    assert result.boxes("a.png") == [("cat", []), ("dog", [])] and result.boxes("b.png") == [("cat", [])]
    assert read("filename,label\na.png,[x]\nb.png,[]\n").labels == ["[x]"]


def test_labels_and_ids_as_roboflow_calls_them():
    files = {"_annotations.csv": "a.png,5,6,25,26,bolt\nb.png,,,,,\n", "_classes.csv": "bolt,0\nnut,1\n"}
    result = read_files({"a.png": b"", "b.png": b"", **files})
    assert result.labels == ["bolt", "nut"] and not result.codes() and not result.is_open("a.png")


def test_the_column_of_images_without_a_class():
    result = read("filename,Unlabeled,cat\na.png,1,0\nb.png,0,1\n", "_classes.csv")
    assert result.is_open("a.png") and result.boxes("b.png") == [("cat", [])] and result.labels == ["cat"]


@pytest.mark.parametrize("row", ["{name},35,26,20,15,bolt\n", "{name},5,25,4,26,bolt\n"])
def test_columns_in_another_order_without_names(row):
    result = read("".join(row.format(name=name) for name in ("a.png", "b.png")) * 3)
    assert result.is_open("a.png") and result.codes() == UNKNOWN | {"columns_unclear"}
    few = "a.png,1,2,9,9,bolt\n" * 9 + "b.png,9,9,1,2,bolt\n"
    assert read(few).codes() == {"corners_swapped"}


def test_labels_that_nobody_has_verified():
    table = "ImageID,Source,LabelName,Confidence\na,machine,/m/1,0.3\nb,verification,/m/1,1\nb,machine,/m/2,0.9\n"
    result = read(table)
    assert result.is_open("a.png") and result.boxes("b.png") == [("/m/1", [])] and "not_verified" in result.codes()
