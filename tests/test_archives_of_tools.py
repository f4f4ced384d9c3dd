"""More archives as tools make them: what has no label there has none here."""

from __future__ import annotations

import io
import json
import struct

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from jobs import services as jobs
from tests.archives import Read, read_files
from tests.pictures import jpeg, make_zip
from tests.test_imports import labels_by_file, report_of, run_import

pytestmark = pytest.mark.any_database("what archives say")


@pytest.fixture(autouse=True)
def work_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("folder", ["unlabeled", "Unlabelled", "no_label"])
def test_a_folder_of_images_without_a_label(folder):
    result = read_files({f"train/{folder}/a.png": b"", "train/cat/b.png": b""})
    assert result.is_open(f"train/{folder}/a.png") and result.labels == ["cat"]


def test_a_folder_that_is_called_like_an_ending():
    assert not read_files({"jpg/image_0001.jpg": b"", "jpg/files.txt": "image_0001.jpg\n"}).labels


def test_masks_beside_their_images():
    result = read_files({"train/a.jpg": b"", "train/a_mask.png": b"", "train/b_mask.png": b"", "train/c_mask.jpg": b""})
    assert set(result.records) == {"train/a.jpg", "train/b_mask.png", "train/c_mask.jpg"}
    assert "masks_left_out" in result.codes()


class TestLabelStudio:
    def tasks(self, *annotations: dict) -> Read:
        rows = [{"id": at, **one} for at, one in enumerate(annotations)]
        tasks = [{"id": 1, "data": {"image": "a.png"}, "annotations": rows}]
        return read_files({"a.png": b"", "t.json": json.dumps(tasks)})

    def choice(self, label: str, by: int | None, **more) -> dict:
        return {"result": [{"type": "choices", "value": {"choices": [label]}}], "completed_by": by, **more}

    def test_two_who_disagree_on_the_label_of_an_image(self):
        result = self.tasks(self.choice("cat", 1), self.choice("dog", 2))
        assert result.boxes("a.png") == [("cat", []), ("dog", [])] and "several_annotations" in result.codes()

    def test_two_who_agree_and_one_who_chose_again(self):
        result = self.tasks(self.choice("dog", 1), self.choice("cat", 1), self.choice("cat", 2))
        assert {label for label, _ in result.boxes("a.png")} == {"cat"}

    def test_what_is_marked_as_ground_truth_counts(self):
        result = self.tasks(self.choice("cat", 1, ground_truth=True), self.choice("dog", 2))
        assert result.boxes("a.png") == [("cat", [])]

    @pytest.mark.parametrize("result", [[], [{"type": "choices", "value": {"choices": ["cat"]}}]])
    def test_a_skipped_task_is_said_of_its_image(self, result):
        read = self.tasks({"result": result, "was_cancelled": True})
        (remark,) = read.remarks
        assert read.is_open("a.png") and (remark.code, remark.filename) == ("skipped_task", "a.png")
        assert ("drawn" in remark.detail) == bool(result) and (remark.source, remark.line) == ("t.json", 1)

    def test_of_a_task_that_one_has_skipped_the_other_annotation_counts(self):
        read = self.tasks({"result": [], "was_cancelled": True}, self.choice("cat", 2))
        assert read.boxes("a.png") == [("cat", [])] and not read.codes()

    def test_a_taxonomy_is_not_read_and_said(self):
        result = self.tasks({"result": [{"type": "taxonomy", "value": {"taxonomy": [["animal", "cat"]]}}]})
        assert result.is_open("a.png") and "incomplete_annotation" in result.codes()


LABELME = {
    "version": "5",
    "shapes": [{"label": "bolt", "points": [[5, 6], [25, 26]], "shape_type": "rectangle"}],
    "imagePath": "..\\a.png",
    "imageData": "iVBORw0KGgo=",
    "imageHeight": 48,
    "imageWidth": 64,
}


def test_images_inside_of_annotation_files_are_missing_and_said():
    result = read_files({"b.png": b"", "x/a.json": json.dumps(LABELME)})
    assert result.is_open("b.png") and {"image_inside_file", "missing_image"} <= result.codes()
    assert "image_inside_file" not in read_files({"a.png": b"", "x/a.json": json.dumps(LABELME)}).codes()


@pytest.mark.django_db
def test_an_archive_whose_images_are_inside_of_its_annotations(api, dataset):
    job = run_import(api, dataset, make_zip({"a.json": json.dumps(LABELME).encode()}))
    assert job["error"]["code"] == "no_images" and "(imageData)" in job["error"]["detail"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "table", [b"Path,Roi.X1,ClassId\ncat/a.jpg,1,3\n", b"bolt;cat/a.jpg;1;2;3\n", b"missing.jpg,1,2,9,9,bolt\n"]
)
def test_folders_beside_a_table_that_is_not_understood(api, dataset, table):
    content = make_zip({"cat/a.jpg": jpeg(1), "dog/b.jpg": jpeg(2), "t.csv": table})
    for dry_run in (True, False):
        job = run_import(api, dataset, content, dry_run=dry_run)
        (row,) = [row for row in report_of(api, job) if row["code"] == "folders_ignored"]
        assert job["result"]["labelled"] == 0 and row["source"] == "t.csv"
        assert "If the folders are the labels, import the archive again with format=folder" in row["detail"]
    assert labels_by_file(api) == {"a.jpg": None, "b.jpg": None}
    assert "format=folder" in job["result"]["note"]
    again = run_import(api, dataset, content, format="folder")
    assert again["result"]["labelled"] == 2 and labels_by_file(api) == {"a.jpg": "cat", "b.jpg": "dog"}


@pytest.mark.django_db
def test_images_without_endings_are_read_where_they_lie(api, dataset):
    """The process that reads annotations moves the position of the archive that both have open."""
    files = {"cat/a": jpeg(1), "dog/b": jpeg(2), "cat/readme": b"text"}
    job = run_import(api, dataset, make_zip(files))
    assert not job["result"]["rejected"], report_of(api, job)
    assert labels_by_file(api) == {"a": "cat", "b": "dog"}


class TestFolders:
    def test_a_folder_inside_of_a_label(self):
        result = read_files({"cat/1.jpg": b"", "cat/black/2.jpg": b"", "cat/images/3.jpg": b"", "dog/4.jpg": b""})
        assert result.labels == ["cat", "dog"] and result.boxes("cat/1.jpg") == [("cat", [])]
        assert result.is_open("cat/black/2.jpg") and result.is_open("cat/images/3.jpg")
        said = sorted(one.filename for one in result.remarks if one.code == "folder_in_folder")
        assert said == ["cat/black", "cat/images"]

    def test_labels_at_different_depths(self):
        result = read_files({"1.jpg": b"", "cat/2.jpg": b"", "animals/dog/3.jpg": b"", "animals/fox/4.jpg": b""})
        assert set(result.labels) == {"cat", "dog", "fox"} and not result.codes()

    def test_another_folder_beside_splits(self):
        files = ["train/cat/1.jpg", "test/dog/2.jpg", "valid/dog/3.jpg", "unsup/4.jpg", "extra/cat/5.jpg"]
        result = read_files(dict.fromkeys(files, b""))
        assert [record.split for record in result.records.values()] == ["train", "test", "validation", None, None]
        assert result.labels == ["cat", "dog"] and result.is_open("unsup/4.jpg")

    def test_labels_that_are_called_like_splits(self):
        files = ["train/1.jpg", "test/2.jpg", "bus/3.jpg"]
        assert set(read_files(dict.fromkeys(files, b"")).labels) == {"train", "test", "bus"}


def end_record(content: bytes, disk: int) -> bytes:
    at = content.rindex(b"PK\x05\x06")
    return content[: at + 4] + struct.pack("<HH", disk, disk) + content[at + 8 :]


WHOLE = make_zip({"cat/1.jpg": jpeg(1), "dog/2.jpg": jpeg(2)})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("data.z01", b"PK\x07\x08" + WHOLE[:400], "split_archive"),
        ("data.zip", end_record(WHOLE, 2), "split_archive"),
        ("data.zip.001", WHOLE[:400], "split_archive"),
        ("data.zip", b"<!DOCTYPE html><html>Sign in", "not_an_archive"),
        ("data.zip", make_zip({"data.zip": WHOLE[:200]}), "empty_archive"),
        ("x.zip", make_zip({"data.zip": WHOLE[:200], "a.txt": b"x"}), "no_images"),
    ],
    ids=["first part", "last part", "numbered part", "web page", "damaged inside", "and a note"],
)
def test_what_is_no_whole_archive_is_refused_in_words(api, dataset, name, content, code):
    file = SimpleUploadedFile(name, content, "application/zip")
    answer = api.post(f"/api/v1/datasets/{dataset['id']}/imports/", {"file": file}, format="multipart")
    jobs.run_job(answer.json()["id"])
    error = api.get(answer["Location"]).json()["error"]
    assert error["code"] == code and ("data.zip: " in error["detail"]) == (code in ("no_images", "empty_archive"))


@pytest.mark.django_db
def test_a_whole_archive_that_is_called_like_a_part(api, dataset):
    job = run_import(api, dataset, b"PK\x07\x08" + WHOLE)  # as some programs begin what fits into one part
    assert (job["state"], job["result"]["created"]) == ("succeeded", 2)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_several_images_in_a_file_the_first_is_taken_and_said(api, dataset, kind):
    frames = [Image.new("RGB", (64, 48), (40 * number, 0, 0)) for number in range(3)]
    several, single = io.BytesIO(), io.BytesIO()
    frames[0].save(several, kind, save_all=True, append_images=frames[1:])
    frames[1].save(single, kind)
    job = run_import(api, dataset, make_zip({"cat/a.bin": several.getvalue(), "dog/b.bin": single.getvalue()}))
    (row,) = report_of(api, job)
    assert (row["code"], row["filename"]) == ("first_frame", "cat/a.bin") and job["result"]["created"] == 2


ROTATED = {
    "coco": {
        "c.json": json.dumps({
            "images": [{"id": 1, "file_name": "a.png", "width": 64, "height": 48}],
            "categories": [{"id": 1, "name": "bolt"}],
            "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [20, 10, 20, 10],
                             "attributes": {"occluded": False, "rotation": 90.0}}],
        })
    },
    "voc": {
        "a.xml": "<annotation><object><name>bolt</name><bndbox><xmin>20</xmin><ymin>10</ymin><xmax>40</xmax><ymax>20"
        "</ymax></bndbox><attributes><attribute><name>rotation</name><value>90.0</value></attribute></attributes></object>"
        "</annotation>"
    },
    "datumaro": {
        "annotations/default.json": json.dumps({
            "info": {}, "categories": {"label": {"labels": [{"name": "bolt"}]}},
            "items": [{"id": "a", "image": {"path": "a.png", "size": [48, 64]},
                       "annotations": [{"type": "bbox", "label_id": 0, "bbox": [20, 10, 20, 10],
                                        "attributes": {"rotation": 90}}]}],
        })
    },
}  # fmt: skip


@pytest.mark.parametrize("format", ROTATED)
def test_turned_boxes_where_cvat_writes_the_angle_beside_them(format):
    result = read_files({"a.png": b"", **ROTATED[format]})
    assert result.boxes("a.png") == [("bolt", [25, 5, 35, 25])] and result.codes() == {"outline_as_box"}
    for upright in ("0", "180"):
        text = {name: text.replace("90", upright) for name, text in ROTATED[format].items()}
        assert read_files({"a.png": b"", **text}).boxes("a.png") == [("bolt", [20, 10, 40, 20])]
