"""The same image more than once in what is imported: one image, and nothing that only the order decided."""

from __future__ import annotations

import pytest

from datasets import import_batches
from datasets.copies import ImageAnnotations, join
from datasets.models import Annotation, Image
from jobs import services as jobs
from tests.pictures import jpeg, make_zip
from tests.test_boxes import new_dataset, voc
from tests.test_import_report import take_over
from tests.test_imports import report_of, run_import, start

pytestmark = pytest.mark.django_db
SAME = jpeg(1, (100, 80))


@pytest.fixture
def boxes(owner) -> dict:
    return new_dataset(owner, "boxes")


@pytest.fixture(params=[1, 256], ids=["batch by batch", "in one batch"])
def batch(request, monkeypatch) -> None:
    monkeypatch.setattr(import_batches, "BATCH", request.param)


def marks_of(dataset: dict) -> list[tuple]:
    rows = Annotation.objects.filter(image__dataset=dataset["id"]).select_related("label")
    return sorted((row.label.name, row.box, row.confirmed) for row in rows)


def both_ways(files: dict[str, bytes]) -> list[dict[str, bytes]]:
    return [files, dict(reversed(files.items()))]


CAT_AND_DOG = {"cat/1.jpg": SAME, "dog/1.jpg": SAME, "cat/2.jpg": jpeg(2)}


@pytest.mark.usefixtures("batch")
class TestClassification:
    @pytest.mark.parametrize("files", both_ways(CAT_AND_DOG))
    def test_two_labels_leave_it_open(self, api, dataset, files):
        job = run_import(api, dataset, make_zip(files))
        result = job["result"]
        assert (result["created"], result["duplicates"], result["labelled"]) == (2, 1, 1)
        assert result["remarks_by_code"] == {"several_labels": 1} and "several_labels" in result["note"]
        assert [row.filename for row in Image.objects.filter(reviewed=False)] == ["1.jpg"]
        assert marks_of(dataset) == [("cat", None, True)]
        (row,) = [row for row in report_of(api, job) if row["code"] == "several_labels"]
        assert "'cat', 'dog'" in row["detail"] and row["image"]
        dry = run_import(api, dataset, make_zip(files), dry_run=True)["result"]
        assert dry["remarks_by_code"] == {"several_labels": 1} and dry["labelled"] == 1

    def test_a_third_copy_decides_nothing(self, api, dataset):
        files = {"cat/1.jpg": SAME, "dog/1.jpg": SAME, "cat/3.jpg": SAME, "fox/4.jpg": SAME}
        job = run_import(api, dataset, make_zip(files))
        assert not marks_of(dataset) and job["result"]["labelled"] == 0
        assert job["result"]["remarks_by_code"]["several_labels"] >= 1

    @pytest.mark.parametrize("files", both_ways({"1.jpg": SAME, "cat/1.jpg": SAME, "dog/2.jpg": jpeg(2)}))
    def test_what_only_one_of_them_says_counts(self, api, dataset, files):
        job = run_import(api, dataset, make_zip(files))
        assert marks_of(dataset) == [("cat", None, True), ("dog", None, True)] and job["result"]["labelled"] == 2
        assert not job["result"]["remarks_by_code"]

    def test_labels_of_a_table(self, api, dataset):
        table = b"filename,label\na.jpg,cat\nb.jpg,dog\n"
        job = run_import(api, dataset, make_zip({"a.jpg": SAME, "b.jpg": SAME, "t.csv": table}))
        assert not marks_of(dataset) and job["result"]["remarks_by_code"] == {"several_labels": 1}

    def test_a_folder_and_a_table_that_disagree(self, api, dataset):
        table = b"filename,label\ncat/a.jpg,dog\ncat/b.jpg,cat\ndog/c.jpg,dog\nCAT/d.jpg,cat\nnew/e.jpg,cat\n"
        names = ("cat/a.jpg", "cat/b.jpg", "dog/c.jpg", "CAT/d.jpg", "new/e.jpg")
        files = {name: jpeg(number) for number, name in enumerate(names)}
        job = run_import(api, dataset, make_zip({**files, "t.csv": table}))
        assert [row.filename for row in Image.objects.filter(reviewed=False)] == ["a.jpg"]
        (row,) = [row for row in report_of(api, job) if row["code"] == "several_labels"]
        assert "'dog' (t.csv), 'cat' (the folder cat)" in row["detail"]
        again = run_import(
            api, dataset, make_zip({"a.jpg": files["cat/a.jpg"], "t.csv": b"filename,label\na.jpg,dog\n"})
        )
        assert again["result"]["labelled"] == 1 and not Image.objects.filter(reviewed=False)

    def test_an_image_that_was_here_without_a_label(self, api, dataset):
        run_import(api, dataset, make_zip({"1.jpg": SAME}))
        job = run_import(api, dataset, make_zip(CAT_AND_DOG))
        assert marks_of(dataset) == [("cat", None, True)] and set(job["result"]["remarks_by_code"]) == {
            "several_labels"
        }
        corrected = run_import(api, dataset, make_zip({"dog/1.jpg": SAME}))
        assert marks_of(dataset) == [("cat", None, True), ("dog", None, True)]
        assert corrected["result"]["duplicates_labelled"] == 1

    def test_an_image_that_had_a_label_keeps_it(self, api, dataset):
        run_import(api, dataset, make_zip({"dog/1.jpg": SAME}))
        job = run_import(api, dataset, make_zip({"cat/1.jpg": SAME, "dog/x.jpg": SAME}))
        assert marks_of(dataset) == [("dog", None, True)]
        assert job["result"]["remarks_by_code"] == {"already_annotated": 1}
        (row,) = [row for row in report_of(api, job) if row["code"] == "already_annotated"]
        assert "with 'dog' instead of 'cat'" in row["detail"]
        dry = run_import(api, dataset, make_zip({"cat/1.jpg": SAME}), dry_run=True)
        assert dry["result"]["remarks_by_code"] == {"already_annotated": 1}

    def test_a_split_that_another_copy_has(self, api, dataset):
        files = {
            "train/cat/1.jpg": SAME,
            "test/cat/1.jpg": SAME,
            "train/dog/2.jpg": jpeg(2),
            "valid/dog/3.jpg": jpeg(3),
        }
        job = run_import(api, dataset, make_zip(files))
        assert job["result"]["remarks_by_code"] == {"several_splits": 1} and len(marks_of(dataset)) == 3


def test_what_a_person_has_labelled_meanwhile_stays(api, dataset, monkeypatch):
    monkeypatch.setattr(import_batches, "BATCH", 1)
    add, calls = import_batches.add_images, []

    def labelled_in_between(**arguments):
        if calls:
            image = Image.objects.get()
            api.put(f"/api/v1/images/{image.pk}/annotations/", [{"label": "fox"}])
        calls.append(1)
        return add(**arguments)

    api.post(f"/api/v1/projects/{dataset['project']}/labels/", {"name": "fox"})
    monkeypatch.setattr(import_batches, "add_images", labelled_in_between)
    run_import(api, dataset, make_zip({"cat/1.jpg": SAME, "dog/1.jpg": SAME}))
    assert marks_of(dataset) == [("fox", None, True)]


def test_an_attempt_that_goes_on_knows_what_was_contradicted(api, dataset, monkeypatch):
    monkeypatch.setattr(import_batches, "BATCH", 1)
    files = {"cat/1.jpg": SAME, "dog/1.jpg": SAME, "cat/3.jpg": SAME}
    pk = start(api, dataset, make_zip(files)).json()["id"]
    add, calls = import_batches.add_images, []

    def killed(**arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return add(**arguments)

    monkeypatch.setattr(import_batches, "add_images", killed)
    with pytest.raises(KeyboardInterrupt):
        jobs.run_job(pk)
    monkeypatch.setattr(import_batches, "add_images", add)
    take_over(pk)
    take_over(pk)
    jobs.run_job(pk)
    assert not marks_of(dataset)


@pytest.mark.usefixtures("batch")
class TestDetection:
    def one(self, api, boxes, first: bytes | None, second: bytes | None) -> tuple[dict, Image]:
        files = {"x/a.jpg": SAME, "y/b.jpg": SAME}
        files |= {"x/a.xml": first} if first is not None else {}
        files |= {"y/b.xml": second} if second is not None else {}
        job = run_import(api, boxes, make_zip(files))
        dry = run_import(api, new_dataset_like(api, boxes), make_zip(files), dry_run=True)["result"]
        assert job["result"]["remarks_by_code"] == dry["remarks_by_code"]
        assert all(job["result"][key] == dry[key] for key in ("labelled", "boxes", "to_review"))
        return job, Image.objects.get(dataset=boxes["id"])

    def test_the_same_boxes_are_taken_once(self, api, boxes):
        same = voc(("cat", 10, 20, 50, 60))
        job, image = self.one(api, boxes, same, same)
        assert marks_of(boxes) == [("cat", [10, 20, 50, 60], True)] and image.reviewed
        assert not job["result"]["remarks_by_code"]

    @pytest.mark.parametrize("first", [None, voc(("cat", 10, 20, 50, 60))])
    def test_what_only_one_of_them_says_counts(self, api, boxes, first):
        second = voc(("cat", 10, 20, 50, 60)) if first is None else None
        job, image = self.one(api, boxes, first, second)
        assert marks_of(boxes) == [("cat", [10, 20, 50, 60], True)] and image.reviewed
        assert set(job["result"]["remarks_by_code"]) == {"no_annotations"}

    @pytest.mark.parametrize(
        "second", [voc(("cat", 10, 20, 50, 60), ("dog", 1, 1, 9, 9)), voc(("dog", 1, 1, 9, 9)), voc()]
    )
    def test_other_boxes_wait_as_suggestions(self, api, boxes, second):
        job, image = self.one(api, boxes, voc(("cat", 10, 20, 50, 60)), second)
        found = marks_of(boxes)
        assert ("cat", [10, 20, 50, 60], False) in found and len(found) == len({name for name, _, _ in found})
        assert (b"dog" in second) == (("dog", [1, 1, 9, 9], False) in found)
        assert not image.reviewed and job["result"]["remarks_by_code"] == {"boxes_differ": 1}
        assert (job["result"]["to_review"], job["result"]["labelled"], job["result"]["boxes"]) == (1, 0, 0)

    def test_copies_that_say_nothing_are_no_background(self, api, boxes):
        files = {"unsplit/a.jpg": SAME, "test/b.jpg": SAME, "train/c.jpg": jpeg(2, (100, 80)), "train/c.xml": voc()}
        run_import(api, boxes, make_zip(files))
        assert list(Image.objects.filter(reviewed=True).values_list("filename", flat=True)) == ["c.jpg"]

    def test_a_corrected_archive_replaces_them(self, api, boxes):
        self.one(api, boxes, voc(("cat", 10, 20, 50, 60)), voc(("dog", 1, 1, 9, 9)))
        run_import(api, boxes, make_zip({"a.jpg": SAME, "a.xml": voc(("dog", 1, 1, 9, 9))}))
        assert marks_of(boxes) == [("dog", [1, 1, 9, 9], True)] and Image.objects.get(dataset=boxes["id"]).reviewed

    def test_boxes_that_are_here_stay(self, api, boxes):
        run_import(api, boxes, make_zip({"a.jpg": SAME, "a.xml": voc(("dog", 1, 1, 9, 9))}))
        job = run_import(api, boxes, make_zip({"a.jpg": SAME, "a.xml": voc(("cat", 10, 20, 50, 60))}))
        assert marks_of(boxes) == [("dog", [1, 1, 9, 9], True)]
        assert job["result"]["remarks_by_code"] == {"already_annotated": 1}


def new_dataset_like(api, dataset: dict) -> dict:
    answer = api.post("/api/v1/datasets/", {"project": dataset["project"], "name": "other"})
    return answer.json()


def test_nothing_is_said_twice_of_silent_copies():
    assert join(ImageAnnotations(), ImageAnnotations(split="test")) == ImageAnnotations(split="test")
