"""What can be sent beside a zip: tars, archives in archives, annotations alone; dry runs, label maps, the report."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile

import pytest
import zstandard

from datasets.exports import FITTING
from datasets.models import Annotation, Image, Label
from jobs import services as jobs
from jobs.models import Job
from tests.pictures import jpeg, make_zip
from tests.test_boxes import GOOD, content_of, export, new_dataset, voc
from tests.test_imports import report_of, run_import, start

pytestmark = pytest.mark.django_db
FILES = {"cat/1.jpg": jpeg(1), "dog/2.jpg": jpeg(2)}
PACKERS = {
    "tar": lambda content: content,
    "tar.gz": gzip.compress,
    "tar.bz2": bz2.compress,
    "tar.xz": lzma.compress,
    "tar.zst": lambda content: zstandard.ZstdCompressor().compress(content),
}


@pytest.fixture
def boxes(owner) -> dict:
    return new_dataset(owner, "boxes")


def make_tar(files: dict[str, bytes], **member) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for key, value in member.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(content))
    return target.getvalue()


def labels_of(dataset: dict) -> list[str]:
    rows = Annotation.objects.filter(image__dataset=dataset["id"])
    return sorted(rows.values_list("label__name", flat=True))


@pytest.mark.any_database("what is in an archive")
class TestTars:
    @pytest.mark.parametrize("kind", PACKERS)
    def test_every_compression(self, api, dataset, kind):
        job = run_import(api, dataset, PACKERS[kind](make_tar(FILES)))
        assert job["state"] == "succeeded", job["error"]
        assert labels_of(dataset) == ["cat", "dog"]

    def test_annotations_in_a_tar(self, api, boxes):
        job = run_import(api, boxes, make_tar(GOOD["coco"]))
        assert (job["result"]["format"], job["result"]["boxes"]) == ("coco", 1)

    def test_links_and_paths_outside_are_refused(self, api, dataset):
        content = make_tar({"../../x.jpg": jpeg(1), "ok/a.jpg": jpeg(2)})
        job = run_import(api, dataset, content)
        assert job["result"]["rejected_by_code"] == {"unsafe_path": 1} and job["result"]["created"] == 1
        job = run_import(api, dataset, make_tar({"a/l.jpg": b""}, type=tarfile.SYMTYPE, linkname="/etc/passwd"))
        assert job["result"]["rejected_by_code"] == {"not_a_file": 1}

    def test_a_bomb_is_not_unpacked(self, api, dataset, settings, monkeypatch):
        monkeypatch.setattr("datasets.tars.RATIO_FREE_BYTES", 1 << 20)
        job = run_import(api, dataset, gzip.compress(make_tar({"a/x.jpg": bytes(20 << 20)})))
        assert (job["state"], job["error"]["code"]) == ("failed", "archive_bomb")
        assert not list(settings.WORK_DIR.glob(f"jobs/{job['id']}*.unpacked"))

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (gzip.compress(b"no tar" * 200), "not_an_archive"),
            (gzip.compress(make_tar(FILES))[:-40], "damaged_archive"),
            (b"\x1f\x8b" + b"x" * 600, "damaged_archive"),
        ],
        ids=["no tar", "cut", "nonsense"],
    )
    def test_damage_has_a_code(self, api, dataset, content, code):
        job = run_import(api, dataset, content)
        assert (job["state"], job["error"]["code"]) == ("failed", code) and len(job["error"]["detail"]) > 20

    def test_too_many_entries(self, api, dataset, settings):
        settings.MAX_ARCHIVE_ENTRIES = 3
        job = run_import(api, dataset, make_tar({f"a/{n}.jpg": b"x" for n in range(5)}))
        assert job["error"]["code"] == "too_many_entries"


@pytest.mark.any_database("what is in an archive")
class TestNested:
    def test_archives_in_an_archive(self, api, dataset):
        inner = {
            "train.zip": make_zip({"cat/1.jpg": jpeg(1), "dog/2.jpg": jpeg(2)}),
            "test.tar.gz": gzip.compress(make_tar({"cat/3.jpg": jpeg(3)})),
        }
        job = run_import(api, dataset, make_zip(inner))
        assert job["state"] == "succeeded", job["error"]
        assert labels_of(dataset) == ["cat", "cat", "dog"]
        assert sorted(Image.objects.values_list("split", flat=True)) == ["test", "train", "train"]

    def test_a_damaged_one_is_named_and_the_others_are_read(self, api, dataset):
        content = make_zip({"a.zip": make_zip({"cat/1.jpg": jpeg(1)}), "b.zip": b"PK\x03\x04 nothing"})
        job = run_import(api, dataset, content)
        assert job["result"]["created"] == 1 and "not_a_zip" in job["result"]["remarks_by_code"]

    def test_matryoshkas_end(self, api, dataset):
        content = make_zip({"cat/1.jpg": jpeg(1)})
        for _ in range(6):
            content = make_zip({"cat/2.jpg": jpeg(2), "inner.zip": content})
        job = run_import(api, dataset, content)
        assert job["state"] == "succeeded" and "nested_too_deep" in job["result"]["remarks_by_code"]


class TestAnnotationsAlone:
    def test_a_file_for_images_that_are_here(self, api, boxes):
        run_import(api, boxes, make_zip({"a.jpg": GOOD["coco"]["a.jpg"], "b.jpg": jpeg(2)}))
        (name,) = [name for name in GOOD["coco"] if name.endswith(".json")]
        job = run_import(api, boxes, GOOD["coco"][name])
        assert job["state"] == "succeeded", job["error"]
        assert (job["result"]["labelled"], job["result"]["boxes"], job["result"]["created"]) == (1, 1, 0)
        image = Image.objects.get(filename="a.jpg")
        assert image.reviewed and image.annotations.get().box == [10, 20, 50, 60]
        history = api.get(f"/api/v1/images/{image.pk}/history/").json()["results"]
        (mark,) = history[0]["after"]
        assert (mark["label"], mark["box"], mark["origin"]) == ("cat", [10.0, 20.0, 50.0, 60.0], "imported")
        again = run_import(api, boxes, GOOD["coco"][name])
        assert again["result"]["labelled"] == 0 and report_of(api, again)[0]["code"] == "already_annotated"

    def test_an_archive_of_annotations(self, api, boxes):
        run_import(api, boxes, make_zip({"a.jpg": jpeg(1), "b.jpg": jpeg(2)}))
        job = run_import(
            api, boxes, make_zip({"a.xml": voc(("x", 1, 2, 30, 30), width=48, height=32), "c.xml": voc(name="c.jpg")})
        )
        assert job["result"]["boxes"] == 1 and job["result"]["remarks_by_code"]["missing_image"] == 1

    def test_a_name_that_two_images_have_means_neither(self, api, boxes):
        run_import(api, boxes, make_zip({"x/a.jpg": jpeg(1), "y/a.jpg": jpeg(2)}))
        job = run_import(api, boxes, make_zip({"a.xml": voc(("x", 1, 2, 30, 30), width=48, height=32)}))
        assert job["result"]["boxes"] == 0 and job["result"]["remarks_by_code"]["ambiguous_image"] == 1

    def test_images_alone_say_what_comes_next(self, api, boxes):
        job = run_import(api, boxes, make_zip({"a.jpg": jpeg(1), "b.jpg": jpeg(2)}))
        assert job["result"]["note"].startswith("2 images have no annotations")

    def test_without_images_at_all(self, api, boxes):
        job = run_import(api, boxes, b'{"images": [], "annotations": []}')
        assert (job["state"], job["error"]["code"]) == ("failed", "no_images")


class TestAgain:
    """A better archive gives what the first one could not."""

    def test_images_whose_annotations_were_not_understood(self, api, boxes):
        broken = {"a.jpg": jpeg(1), "a.txt": b"0 .5 .5 .5 .5\n7 .2 .2 .1 .1", "classes.txt": b"bolt"}
        first = run_import(api, boxes, make_zip(broken))
        assert (first["result"]["to_review"], first["result"]["labelled"]) == (1, 0)
        image = Image.objects.get()
        assert not image.reviewed and [one.confirmed for one in image.annotations.all()] == [False]
        assert "suggestions" in first["result"]["note"]
        second = run_import(
            api, boxes, make_zip({**broken, "a.txt": b"0 .5 .5 .5 .5\n1 .2 .2 .2 .2", "classes.txt": b"bolt\nnut"})
        )
        assert second["result"]["labelled"] == 1
        image.refresh_from_db()
        assert image.reviewed and labels_of(boxes) == ["bolt", "nut"]
        assert all(one.confirmed for one in image.annotations.all())

    def test_what_somebody_has_labelled_stays(self, api, boxes):
        run_import(api, boxes, make_zip(GOOD["voc"]))
        image = Image.objects.get()
        api.put(f"/api/v1/images/{image.pk}/annotations/", [{"label": "cat", "box": [1, 2, 30, 40]}])
        run_import(api, boxes, make_zip(GOOD["voc"]))
        assert Annotation.objects.get().box == [1, 2, 30, 40]


class TestDryRuns:
    FILES = {
        "train/cat/1.jpg": jpeg(1),
        "train/Dog/2.jpg": jpeg(2),
        "test/cat/3.jpg": jpeg(3),
        "test/cat/4.jpg": jpeg(3),
        "test/cat/5.jpg": b"broken",
        "valid/cat/6.jpg": jpeg(6),
    }

    def test_everything_is_told_and_nothing_changed(self, api, dataset, owner):
        run_import(api, dataset, make_zip({"dog/x.jpg": jpeg(2)}))
        before = Image.objects.count(), Label.objects.count()
        job = run_import(api, dataset, make_zip(self.FILES), dry_run=True)
        result = job["result"]
        assert (Image.objects.count(), Label.objects.count()) == before
        assert (result["dry_run"], result["format"], result["images"], result["labelled"]) == (True, "folder", 5, 4)
        assert result["duplicates"] == {"in_archive": 1, "in_dataset": 1}
        assert result["splits"] == {"train": 2, "test": 1, "validation": 1}
        assert result["rejected_by_code"] == {"not_an_image": 1}
        labels = {row["name"]: row for row in result["labels"]}
        assert labels["Dog"]["similar"] == ["dog"] and labels["Dog"]["label"] is None
        assert labels["cat"]["images"] == 3

    def test_it_is_read_again_as_it_was_read_unless_something_else_is_said(self, api, dataset):
        dry = run_import(
            api, dataset, make_zip(self.FILES), dry_run=True, strip_location=True, format="folder", name_encoding="gbk"
        )
        address = f"/api/v1/datasets/{dataset['id']}/imports/"
        for said, expected in (({}, (True, "folder", "gbk")), ({"strip_location": False}, (False, "folder", "gbk"))):
            answer = api.post(address, {"job": dry["id"], **said}, format="json")
            parameters = Job.objects.get(pk=answer.json()["id"]).parameters
            assert (parameters["strip_location"], parameters["format"], parameters["name_encoding"]) == expected

    def test_the_archive_of_a_dry_run_is_imported_with_its_labels_mapped(self, api, dataset):
        run_import(api, dataset, make_zip({"dog/x.jpg": jpeg(9)}))
        dry = run_import(api, dataset, make_zip(self.FILES), dry_run=True)
        body = {"job": dry["id"], "label_map": {"Dog": "dog"}, "skip": ["cat"]}
        answer = api.post(f"/api/v1/datasets/{dataset['id']}/imports/", body, format="json")
        assert answer.status_code == 202, answer.content
        jobs.run_job(answer.json()["id"])
        assert labels_of(dataset) == ["dog", "dog"] and Label.objects.count() == 1
        assert Image.objects.filter(reviewed=False).count() == 3

    def test_boxes_of_a_label_that_is_left_out(self, api, boxes):
        files = {
            "a.jpg": jpeg(1, (100, 80)),
            "a.xml": voc(("cat", 10, 20, 50, 60), ("junk", 1, 1, 20, 20)),
            "b.jpg": jpeg(2, (100, 80)),
            "b.xml": voc(("junk", 1, 1, 20, 20)),
        }
        job = run_import(api, boxes, make_zip(files), label_map=json.dumps({"junk": None, "cat": "Cat"}))
        assert labels_of(boxes) == ["Cat"] and set(Label.objects.values_list("name", flat=True)) == {"Cat"}
        assert job["result"]["labelled"] == 1 and not Image.objects.get(filename="b.jpg").reviewed

    def test_a_label_that_is_not_there_is_named(self, api, dataset):
        job = run_import(api, dataset, make_zip(FILES), skip='["Cat"]')
        assert job["result"]["remarks_by_code"] == {"label_not_found": 1}
        assert "Did you mean 'cat'?" in report_of(api, job)[0]["detail"]

    @pytest.mark.parametrize(
        "fields",
        [
            {"label_map": "[]"},
            {"label_map": '{"a": 3}'},
            {"label_map": '{"a": ""}'},
            {"skip": '{"a": 1}'},
            {"skip": "[1]"},
            {"name_encoding": "nope"},
            {"name_encoding": "rot13"},
            {"job": "x"},
        ],
    )
    def test_wrong_options_are_refused(self, api, dataset, fields):
        assert start(api, dataset, make_zip(FILES), **fields).status_code == 400

    def test_the_archive_of_another_project_is_not_here(self, api, dataset, outsider, boxes):
        job = run_import(api, boxes, make_zip(GOOD["voc"]))
        answer = api.post(f"/api/v1/datasets/{dataset['id']}/imports/", {"job": job["id"]}, format="json")
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "does_not_exist")


class TestReport:
    def test_pages_and_filters(self, api, boxes):
        files = {f"{n}.jpg": jpeg(n) for n in range(4)} | {"bad.jpg": b"x", "classes.txt": b"bolt"}
        files |= {f"{n}.txt": b"7 .5 .5 .1 .1\n0 .5 .5 .5 .5" for n in range(4)}
        job = run_import(api, boxes, make_zip(files))
        path = f"/api/v1/jobs/{job['id']}/report/lines/"
        first = api.get(path, {"code": "unknown_label", "page_size": 3}).json()
        assert [row["code"] for row in first["results"]] == ["unknown_label"] * 3
        assert (first["results"][0]["source"], first["results"][0]["line"]) == ("0.txt", 1)
        second = api.get(first["next"]).json()
        assert len(second["results"]) == 1 and second["next"] in (None, *[second["next"]])
        rejected = api.get(path, {"outcome": "rejected"}).json()["results"]
        assert [row["filename"] for row in rejected] == ["bad.jpg"]
        assert api.get(path, {"cursor": "!!"}).status_code == 404
        assert api.get(path, {"page_size": 0}).status_code == 400

    def test_a_clean_import_has_no_lines(self, api, dataset):
        job = run_import(api, dataset, make_zip(FILES))
        assert api.get(f"/api/v1/jobs/{job['id']}/report/lines/").json() == {"next": None, "results": []}


def test_names_in_an_encoding_that_the_user_says(api, dataset):
    from tests.test_formats import _renamed

    content = _renamed(make_zip({"x.jpg": jpeg(1)}), b"x.jpg", "볼트".encode("cp949") + b"/1.jpg")
    run_import(api, dataset, content, name_encoding="cp949")
    assert labels_of(dataset) == ["볼트"]


@pytest.mark.parametrize(("task", "format"), [(task, format) for task in FITTING for format in FITTING[task]])
@pytest.mark.any_database("formats of archives")
def test_every_export_comes_back_as_it_was(api, owner, task, format):
    dataset = new_dataset(owner, "made", task)
    if task == "detection":
        marks = voc(("a/b", 10, 20, 50, 60), ("yes", 1, 1, 9.5, 9.25))
        files = {
            "train/a.jpg": jpeg(1, (100, 80)),
            "train/a.xml": marks,
            "test/b.jpg": jpeg(2, (100, 80)),
            "test/b.xml": voc(),
            "valid/c.jpg": jpeg(3, (100, 80)),
        }
    else:
        files = {"train/cat/a.jpg": jpeg(1), "test/dog/b.jpg": jpeg(2), "valid/cat/c.jpg": jpeg(3)}
    run_import(api, dataset, make_zip(files))
    for name, wanted in (("cat", ".."), ("dog", "classes.png")):
        Label.objects.filter(project=dataset["project"], name=name).update(name=wanted)
    copy = new_dataset(owner, "copy", task)
    job = run_import(api, copy, export(api, dataset, format))
    assert job["state"] == "succeeded", job["error"]
    assert content_of(copy) == content_of(dataset) and len(content_of(copy)) == 3
