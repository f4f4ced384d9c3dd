"""Zip archives: good ones, strange ones, hostile ones."""

from __future__ import annotations

import io
import json
import struct
import uuid
import zipfile
import zlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from datasets import import_batches
from datasets.models import Dataset, Image
from jobs import services as jobs
from jobs import work
from jobs.errors import LeaseLost
from jobs.models import Job, WorkState
from storage.models import Blob
from storage.services import local_cache
from tests.conftest import client_of
from tests.pictures import jpeg, make_zip

pytestmark = pytest.mark.django_db


def start(api, dataset: dict, content: bytes, **fields):
    file = SimpleUploadedFile("photos.zip", content, "application/zip")
    return api.post(f"/api/v1/datasets/{dataset['id']}/imports/", {"file": file, **fields}, format="multipart")


def run_import(api, dataset: dict, content: bytes, **fields) -> dict:
    """Send an archive, do its job, answer with the job as its user sees it."""
    answer = start(api, dataset, content, **fields)
    assert answer.status_code == 202, answer.content
    jobs.run_job(answer.json()["id"])
    return api.get(answer["Location"]).json()


def report_of(api, job: dict) -> list[dict]:
    answer = api.get(f"/api/v1/jobs/{job['id']}/report/")
    return [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]


def labels_by_file(api) -> dict[str, str | None]:
    images = api.get("/api/v1/images/?page_size=500").json()["results"]
    return {one["filename"]: (one["annotations"] or [{"label": None}])[0]["label"] for one in images}


def test_folders_become_labels(api, dataset):
    content = make_zip({"cats/a.jpg": jpeg(1), "dogs/b.jpg": jpeg(2), "dogs/c.jpg": jpeg(3), "loose.jpg": jpeg(4)})
    job = run_import(api, dataset, content)
    assert job["state"] == "succeeded" and job["kind"] == "import"
    assert (job["result"]["created"], job["result"]["files"]) == (4, 4)
    assert labels_by_file(api) == {"a.jpg": "cats", "b.jpg": "dogs", "c.jpg": "dogs", "loose.jpg": None}
    assert api.get(f"/api/v1/datasets/{dataset['id']}/").json()["image_count"] == 4
    assert job["progress"] == {"done": 4, "total": 4, "eta_seconds": job["progress"]["eta_seconds"]}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["top/cats/a.jpg", "top/dogs/b.jpg"], ["cats", "dogs"]),
        (["a/b/cats/a.jpg", "a/b/dogs/b.jpg"], ["cats", "dogs"]),
        (["cats/a.jpg", "cats/b.jpg"], ["cats", "cats"]),
        (["top/train/cats/a.jpg", "top/test/dogs/b.jpg"], ["cats:train", "dogs:test"]),
        (["training/cats/a.jpg", "valid/cats/b.jpg"], ["cats:train", "cats:validation"]),
        (["猫/a.jpg", "собаки/b.jpg"], ["猫", "собаки"]),
        (["cats\\a.jpg", "dogs\\b.jpg"], ["cats", "dogs"]),
    ],
)
def test_where_labels_and_splits_are_found(api, dataset, names, expected):
    run_import(api, dataset, make_zip({name: jpeg(n) for n, name in enumerate(names)}))
    images = sorted(api.get("/api/v1/images/").json()["results"], key=lambda one: one["filename"])
    found = [one["annotations"][0]["label"] + (f":{one['split']}" if one["split"] else "") for one in images]
    assert found == expected


def test_labels_come_in_natural_order_whatever_the_order_of_the_files(api, dataset, monkeypatch):
    monkeypatch.setattr(import_batches, "BATCH", 1)
    content = make_zip({f"{name}/{number}.jpg": jpeg(number) for number, name in enumerate(["10", "2", "9", "1"])})
    assert run_import(api, dataset, content)["state"] == "succeeded"
    labels = api.get(f"/api/v1/projects/{dataset['project']}/labels/").json()["results"]
    assert [label["name"] for label in labels] == ["1", "2", "9", "10"]


def test_names_in_utf8_that_do_not_say_so(api, dataset):
    info = zipfile.ZipInfo("größe/schön.jpg".encode().decode("cp437"))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(info, jpeg(1))
    content = bytearray(target.getvalue())
    raw, wrong = "größe/schön.jpg".encode(), "größe/schön.jpg".encode().decode("cp437").encode()
    assert wrong in content
    plain = make_zip({"x" * len(raw): jpeg(1)}).replace(b"x" * len(raw), raw)
    run_import(api, dataset, plain)
    assert labels_by_file(api) == {"schön.jpg": "größe"}


def test_what_file_managers_leave_is_left_out(api, dataset):
    junk = {"__MACOSX/cats/._a.jpg": b"x", "cats/.DS_Store": b"x", "cats/Thumbs.db": b"x", ".git/a.jpg": jpeg(9)}
    job = run_import(api, dataset, make_zip({"cats/a.jpg": jpeg(1), **junk}))
    assert (job["result"]["files"], job["result"]["created"], job["result"]["rejected"]) == (1, 1, 0)


def test_every_file_has_its_outcome_in_the_report(api, dataset):
    content = make_zip(
        {
            "a/1.jpg": jpeg(1),
            "b/1.jpg": jpeg(1),
            "a/2.jpg": jpeg(2)[:-300],
            "a/3.txt": b"text",
            "a/4.jpg": b"",
            "a/5.jpg": jpeg(5),
        }
    )
    job = run_import(api, dataset, content)
    assert (job["result"]["created"], job["result"]["duplicates"], job["result"]["rejected"]) == (2, 1, 3)
    assert job["result"]["rejected_by_code"] == {"corrupted_image": 1, "not_an_image": 1, "empty_file": 1}
    rows = {row["filename"]: row for row in report_of(api, job)}
    assert rows["1.jpg"]["outcome"] == "duplicate" and "'a'" in rows["1.jpg"]["detail"]
    assert rows["a/2.jpg"]["code"] == "corrupted_image"
    again = run_import(api, dataset, content)
    assert (again["result"]["created"], again["result"]["duplicates"]) == (0, 3)


def linked(name: str, target: str) -> bytes:
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o120777 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(info, target)
        archive.writestr("cats/a.jpg", jpeg(1))
    return buffer.getvalue()


def encrypted_flags(content: bytes, only_first: bool = False) -> bytes:
    data = bytearray(content)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(signature)
        while at >= 0:
            data[at + offset] |= 1
            at = -1 if only_first else data.find(signature, at + 4)
    return bytes(data)


TWO = {"cats/b.jpg": jpeg(2), "cats/a.jpg": jpeg(1)}
HOSTILE_ENTRIES = [
    ("climbing path", make_zip({"../../x.jpg": jpeg(2), "cats/a.jpg": jpeg(1)}), "unsafe_path"),
    ("absolute path", make_zip({"/etc/x.jpg": jpeg(2), "cats/a.jpg": jpeg(1)}), "unsafe_path"),
    ("drive letter", make_zip({"C:/x.jpg": jpeg(2), "cats/a.jpg": jpeg(1)}), "unsafe_path"),
    ("link", linked("cats/b.jpg", "/etc/passwd"), "not_a_file"),
    ("one encrypted", encrypted_flags(make_zip(TWO), True), "encrypted_entry"),
    ("damaged bytes", make_zip(TWO | {"cats/b.jpg": b"Q" * 900}).replace(b"Q" * 900, b"R" * 900), "corrupted_entry"),
    ("truncated image", make_zip({"cats/b.jpg": jpeg(2)[:-200], "cats/a.jpg": jpeg(1)}), "corrupted_image"),
]


@pytest.mark.parametrize(("name", "content", "code"), HOSTILE_ENTRIES, ids=[one[0] for one in HOSTILE_ENTRIES])
@pytest.mark.any_database("what is in an archive")
def test_a_hostile_entry_is_rejected_and_the_others_stay(api, dataset, name, content, code):
    job = run_import(api, dataset, content)
    assert job["state"] == "succeeded"
    assert job["result"]["created"] == 1 and job["result"]["rejected_by_code"] == {code: 1}
    assert labels_by_file(api) == {"a.jpg": "cats"}


def zip_bomb(gigabytes: int) -> bytes:
    """An archive of a few megabytes that unpacks to many gigabytes of zeros."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    megabyte = bytes(1 << 20)
    body = b"".join(compressor.compress(megabyte) for _ in range(64))
    block = body + compressor.flush(zlib.Z_FULL_FLUSH)
    size = gigabytes << 30
    name = b"cats/bomb.jpg"
    fields = (20, 0, 8, 0, 0, 0)
    sizes = struct.pack("<LL", len(block), size & 0xFFFFFFFF if size < 1 << 32 else 0xFFFFFFFE)
    local = b"PK\x03\x04" + struct.pack("<HHHHHL", *fields) + sizes + struct.pack("<HH", len(name), 0) + name + block
    central = (
        b"PK\x01\x02"
        + struct.pack("<HHHHHHL", 20, *fields)
        + sizes
        + struct.pack("<HHHHHLL", len(name), 0, 0, 0, 0, 0, 0)
        + name
    )
    end = b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, 1, 1, len(central), len(local), 0)
    return local + central + end


def many_entries(count: int) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for number in range(count):
            archive.writestr(zipfile.ZipInfo(f"c/{number}.jpg"), b"")
    return target.getvalue()


def lying_count(count: int) -> bytes:
    content = bytearray(many_entries(200))
    at = content.rfind(b"PK\x05\x06")
    content[at + 8 : at + 12] = struct.pack("<HH", count, count)
    return bytes(content)


BAD_ARCHIVES = [
    ("no archive", lambda: b"this is no zip" * 50, "not_a_zip"),
    ("empty file", lambda: b"", "not_a_zip"),
    ("truncated", lambda: make_zip({f"c/{n}.jpg": jpeg(n) for n in range(5)})[:-30], "not_a_zip"),
    ("empty archive", lambda: make_zip({}), "empty_archive"),
    ("all encrypted", lambda: encrypted_flags(make_zip({"c/a.jpg": jpeg(1)})), "encrypted_archive"),
    ("10 GB bomb", lambda: zip_bomb(10), "archive_bomb"),
    ("too many entries", lambda: many_entries(201), "too_many_entries"),
    ("too many entries that lie", lambda: lying_count(5000), "too_many_entries"),
]


@pytest.mark.parametrize(("name", "content", "code"), BAD_ARCHIVES, ids=[one[0] for one in BAD_ARCHIVES])
@pytest.mark.any_database("what is in an archive")
def test_a_bad_archive_fails_with_a_code_and_a_sentence(api, dataset, settings, name, content, code):
    settings.MAX_ARCHIVE_ENTRIES = 200
    job = run_import(api, dataset, content())
    assert (job["state"], job["error"]["code"]) == ("failed", code)
    assert len(job["error"]["detail"]) > 20
    assert not Image.objects.exists()


def test_a_lying_bomb_stops_at_the_limit_of_one_image(api, dataset, settings):
    settings.MAX_IMAGE_BYTES = 1 << 20
    bomb = zip_bomb(1).replace(struct.pack("<L", 1 << 30), struct.pack("<L", 900_000))
    job = run_import(api, dataset, bomb)
    assert job["result"]["rejected"] == 1 and set(job["result"]["rejected_by_code"]) <= {
        "file_too_large",
        "corrupted_entry",
        "not_an_image",
    }


def test_an_import_needs_an_editor(dataset, viewer, outsider):
    assert start(client_of(viewer), dataset, make_zip({"a/a.jpg": jpeg(1)})).status_code == 403
    assert start(client_of(outsider), dataset, make_zip({"a/a.jpg": jpeg(1)})).status_code == 404
    assert not Blob.objects.exists() and not list(local_cache().incoming.glob("*"))


@pytest.mark.parametrize("fields", [{"format": "nope"}, {"strip_location": "perhaps"}])
def test_wrong_options_are_refused(api, dataset, fields):
    assert start(api, dataset, make_zip({"a/a.jpg": jpeg(1)}), **fields).status_code == 400


def test_a_json_body_cannot_carry_a_file(api, dataset):
    answer = api.post(f"/api/v1/datasets/{dataset['id']}/imports/", {"file": "x"})
    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "file")


class TestInterruption:
    """The position is written with each batch: a second worker goes on where the first one stopped."""

    def test_a_killed_import_goes_on_and_counts_right(self, api, dataset, monkeypatch):
        monkeypatch.setattr("datasets.import_batches.BATCH", 4)
        content = make_zip({f"c/{n}.jpg": jpeg(n) for n in range(10)} | {"c/bad.jpg": b"x", "d/0.jpg": jpeg(0)})
        job = start(api, dataset, content).json()

        real, calls = work.renew, []

        def dies_in_the_second_batch(item, **changes):
            calls.append(1)
            if len(calls) == 2:
                raise LeaseLost(str(item.pk))
            real(item, **changes)

        monkeypatch.setattr("jobs.services.work.renew", dies_in_the_second_batch)
        jobs.run_job(job["id"])
        assert Image.objects.count() == 4 and Job.objects.get().state == WorkState.RUNNING
        jobs.run_job(job["id"])  # the lease still runs: nothing happens
        assert Image.objects.count() == 4
        monkeypatch.setattr("jobs.services.work.renew", real)
        Job.objects.update(lease_expires_at="2020-01-01T00:00:00Z")
        jobs.run_job(job["id"])
        done = api.get(f"/api/v1/jobs/{job['id']}/").json()
        assert done["state"] == "succeeded", done
        assert (done["result"]["created"], done["result"]["duplicates"], done["result"]["rejected"]) == (10, 1, 1)
        assert Image.objects.count() == 10 and len(report_of(api, done)) == 2

    def test_a_cancelled_import_stops_and_keeps_what_it_had(self, api, dataset, monkeypatch):
        monkeypatch.setattr("datasets.import_batches.BATCH", 2)
        job = start(api, dataset, make_zip({f"c/{n}.jpg": jpeg(n) for n in range(6)})).json()
        real, calls = work.renew, []

        def cancels_after_the_first_batch(item, **changes):
            real(item, **changes)
            calls.append(1)
            if len(calls) == 1:
                assert api.post(f"/api/v1/jobs/{job['id']}/cancel/").status_code == 200

        monkeypatch.setattr("jobs.services.work.renew", cancels_after_the_first_batch)
        jobs.run_job(job["id"])
        assert api.get(f"/api/v1/jobs/{job['id']}/").json()["state"] == "cancelled"
        assert Image.objects.count() == 2

    def test_a_waiting_job_is_cancelled_at_once_and_never_runs(self, api, dataset):
        job = start(api, dataset, make_zip({"c/a.jpg": jpeg(1)})).json()
        assert api.post(f"/api/v1/jobs/{job['id']}/cancel/").json()["state"] == "cancelled"
        jobs.run_job(job["id"])
        assert not Image.objects.exists()
        again = api.post(f"/api/v1/jobs/{job['id']}/cancel/")
        assert (again.status_code, again.json()["errors"][0]["code"]) == (409, "already_ended")

    def test_an_unexpected_error_ends_the_job_with_a_code(self, api, dataset, monkeypatch):
        monkeypatch.setattr("datasets.containers.archives.open_archive", lambda file: 1 / 0)
        job = run_import(api, dataset, make_zip({"c/a.jpg": jpeg(1)}))
        assert (job["state"], job["error"]["code"]) == ("failed", "internal_error")

    def test_a_full_disk_is_waited_for(self, api, dataset, settings):
        job = start(api, dataset, make_zip({"c/a.jpg": jpeg(1)})).json()
        settings.MIN_FREE_BYTES = 1 << 62
        jobs.run_job(job["id"])
        assert api.get(f"/api/v1/jobs/{job['id']}/").json()["waiting"]["code"] == "disk_full"

    def test_a_deleted_dataset_ends_the_job_with_a_code(self, api, dataset):
        job = start(api, dataset, make_zip({"c/a.jpg": jpeg(1)})).json()
        Dataset.objects.get().delete()
        jobs.run_job(job["id"])
        assert api.get(f"/api/v1/jobs/{job['id']}/").json()["error"]["code"] == "dataset_deleted"

    def test_an_unknown_job_is_no_error(self):
        jobs.run_job(str(uuid.uuid4()))
