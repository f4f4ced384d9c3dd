"""Jobs whose objects went while they waited: each kind ends with a code and a sentence, and nothing is made of it."""

from __future__ import annotations

import dataclasses
import io
import tarfile
import uuid
import zipfile

import pytest
from django.contrib.auth.models import User

from datasets import imports
from datasets.models import Image, Snapshot
from inference.models import Evaluation, LabelIssue
from jobs import services as jobs
from jobs.contracts import PARAMETERS
from jobs.error_codes import WORK
from jobs.models import Job, WorkState
from projects.models import Change
from storage.models import Blob
from tests.conftest import upload
from tests.pictures import jpeg, make_zip
from tests.test_imports import run_import, start
from tests.test_registry import make_model

pytestmark = pytest.mark.django_db

# Kind → the code of a job whose objects are all gone.
ENDS = {
    "undo": "change_forgotten",
    "duplicates": "dataset_deleted",
    "export": "dataset_deleted",
    "import": "dataset_deleted",
    "video_survey": "video_deleted",
    "video_proxy": "video_deleted",
    "video_frames": "video_deleted",
    "snapshot": "dataset_deleted",
    "samples": "dataset_deleted",
    "evaluation": "evaluation_without_object",
    "comparison": "comparison_without_object",
    "prediction": "model_deleted",
    "explanation": "model_deleted",
    "suggestions": "dataset_deleted",
    "suspects": "dataset_deleted",
    "model_publish": "model_deleted",
    "model_export": "model_deleted",
    "preflight": "snapshot_deleted",
    "snapshot_and_training": "dataset_deleted",
    "snapshot_and_search": "dataset_deleted",
    "custom_vision_import": "source_key_wrong",  # what it copied from is forgotten, with the key
}
# An image or a label that is gone is none to change, or to be mapped; a file that is uploaded is the job's own.
WITHOUT_OBJECTS = {"images_bulk", "label_removal", "model_import", "feature_map"}
VALUES = {"dict": {}, "bool": False, "int": 1, "float": 0.1, "dict[str, float]": {}}
WANTED = {"format": "auto", "filename": "a.zip", "split": "test", "file_kind": "litert-float32", "source": ""}


def value_of(field: dataclasses.Field):
    if field.name in WANTED:
        return WANTED[field.name]
    if field.default is not dataclasses.MISSING and field.name not in ("snapshot", "dataset"):
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    if "list" in str(field.type):
        return [str(uuid.uuid4()), str(uuid.uuid4())]
    return VALUES.get(str(field.type), str(uuid.uuid4()))


def ended(project, user, kind: str, **parameters) -> Job:
    job = Job.objects.create(project=project, created_by=user, kind=kind, parameters=parameters)
    jobs.run_job(str(job.pk))
    job.refresh_from_db()
    return job


def assert_failed(job: Job, code: str) -> None:
    assert (job.state, job.error_code) == (WorkState.FAILED, code), job.error_detail
    assert code in WORK and job.error_detail.rstrip().endswith((".", "…"))
    assert job.result is None and job.lease is None and job.finished_at is not None


def test_every_kind_of_job_is_looked_at_here():
    assert set(ENDS) | WITHOUT_OBJECTS == set(PARAMETERS) - {"tested"}


@pytest.mark.parametrize("kind", ENDS)
def test_a_job_whose_objects_are_gone_says_which(project, owner, kind):
    given = {field.name: value_of(field) for field in dataclasses.fields(PARAMETERS[kind])}
    if kind == "preflight":
        given["dataset"] = None
    job = ended(project, owner, kind, **given)
    assert_failed(job, ENDS[kind])
    assert not Change.objects.exists() and not Snapshot.objects.exists()


def test_a_job_that_was_cancelled_by_a_forced_deletion_is_not_done_later(api, dataset):
    job = start(api, dataset, make_zip({"a.jpg": jpeg(1)})).json()
    refused = api.delete(f"/api/v1/datasets/{dataset['id']}/")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "dataset_in_use")
    assert api.delete(f"/api/v1/datasets/{dataset['id']}/?force=true").status_code == 204
    jobs.run_job(job["id"])
    assert Job.objects.get().state == WorkState.CANCELLED and not Image.objects.exists()


@pytest.mark.parametrize("role", ["viewer", "gone", None])
def test_who_may_not_change_any_more_imports_nothing(api, project, editor, dataset, role):
    job = Job.objects.get(pk=start(api, dataset, make_zip({"a.jpg": jpeg(1)})).json()["id"])
    Job.objects.filter(pk=job.pk).update(created_by=editor)
    members = project.memberships.filter(user=editor)
    if role == "viewer":
        members.update(role="viewer")
    elif role == "gone":
        members.delete()
    else:
        User.objects.filter(pk=editor.pk).delete()
    jobs.run_job(str(job.pk))
    job.refresh_from_db()
    assert_failed(job, "not_allowed_any_more")
    assert not Image.objects.exists()


def test_an_archive_that_is_no_longer_here_cannot_be_read_again(api, dataset):
    job = run_import(api, dataset, make_zip({"a.jpg": jpeg(1)}), dry_run=True)
    Job.objects.filter(pk=job["id"]).update(input_blob=None)
    answer = api.post(f"/api/v1/datasets/{dataset['id']}/imports/", {"job": job["id"]})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "archive_gone")


def test_an_import_of_another_project_is_none_to_read_again(api, dataset):
    job = run_import(api, dataset, make_zip({"a.jpg": jpeg(1)}), dry_run=True)
    other = api.post("/api/v1/projects/", {"name": "other"}).json()["id"]
    theirs = api.post("/api/v1/datasets/", {"project": other, "name": "d"}).json()
    answer = api.post(f"/api/v1/datasets/{theirs['id']}/imports/", {"job": job["id"]})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "does_not_exist")


# Archives that are none of those that are read


@pytest.mark.parametrize(
    ("head", "kind"),
    [(b"Rar!\x1a\x07\x01", "RAR"), (b"7z\xbc\xaf\x27\x1c", "7z"), (b"MSCF", "Cabinet"), (b"LZIP", "lzip")],
)
def test_archives_of_other_kinds_are_named(api, dataset, head, kind):
    job = run_import(api, dataset, head + bytes(600))
    assert job["error"]["code"] == "unsupported_archive" and f"a {kind} archive" in job["error"]["detail"]


def test_an_archive_of_another_kind_inside_of_one_is_a_file_that_is_no_image(api, dataset):
    job = run_import(api, dataset, make_zip({"a.jpg": jpeg(1), "more.zip": b"Rar!\x1a\x07" + bytes(600)}))
    assert (job["state"], job["result"]["created"]) == ("succeeded", 1)


def test_an_entry_that_cannot_be_unpacked_is_left_out_by_its_code(api, dataset):
    content = bytearray(make_zip({"a.jpg": jpeg(1), "b.jpg": jpeg(2)}))
    # The method of the second entry, in its own header and in the directory (APPNOTE 4.3.7, 4.3.12).
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = content.find(signature, content.find(signature) + 1)
        content[at + offset : at + offset + 2] = (97).to_bytes(2, "little")
    job = run_import(api, dataset, bytes(content))
    assert (job["state"], job["result"]["created"]) == ("succeeded", 1)
    assert job["result"]["rejected_by_code"] == {"unsupported_compression": 1}


@pytest.mark.parametrize("more", [0, 1])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_has_as_many_entries_as_allowed_and_no_more(api, dataset, settings, kind, more):
    settings.MAX_ARCHIVE_ENTRIES = 3
    files = {f"{number}.jpg": jpeg(number) for number in range(3 + more)}
    job = run_import(api, dataset, make_zip(files) if kind == "zip" else make_tar(files))
    if more:
        assert job["error"]["code"] == "too_many_entries" and not Image.objects.exists()
    else:
        assert job["result"]["created"] == 3


@pytest.mark.parametrize("more", [0, 1])
def test_an_archive_unpacks_to_as_many_bytes_as_allowed_and_no_more(api, dataset, settings, more):
    files = {"a.jpg": jpeg(1), "b.jpg": jpeg(2)}
    settings.MAX_ARCHIVE_BYTES = sum(map(len, files.values())) - more
    job = run_import(api, dataset, make_zip(files))
    if more:
        assert job["error"]["code"] == "archive_too_large" and not Image.objects.exists()
    else:
        assert job["result"]["created"] == 2


@pytest.mark.parametrize("more", [0, 1])
def test_an_archive_has_as_many_labels_as_a_project_may_have(api, dataset, monkeypatch, more):
    monkeypatch.setattr(imports, "MAX_LABELS", 2)
    job = run_import(api, dataset, make_zip({f"{number}/a.jpg": jpeg(number) for number in range(2 + more)}))
    if more:
        assert job["error"]["code"] == "too_many_labels" and "3 labels" in job["error"]["detail"]
    else:
        assert job["result"]["created"] == 2


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<!DOCTYPE html><p>Log in</p>", "not_an_archive"),
        (b"  <HTML>", "not_an_archive"),
        (b"\x1f\x8b\x08" + bytes(20), "damaged_archive"),
    ],
)
def test_pages_and_damaged_archives_are_failures_that_say_so(api, dataset, content, code):
    job = run_import(api, dataset, content)
    assert job["error"]["code"] == code and not Image.objects.exists()


def make_tar(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return target.getvalue()


def test_an_archive_of_folders_alone_has_no_files(api, dataset):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.mkdir("empty")
    assert run_import(api, dataset, target.getvalue())["error"]["code"] == "empty_archive"


# Models without what a job needs


@pytest.fixture
def snapshot(api, dataset, labels) -> Snapshot:
    for number, label in enumerate(("good", "bad", "good", "bad", "good", "bad")):
        upload(api, dataset, [(f"{number}.jpg", jpeg(number))], label=label)
    made = api.post(f"/api/v1/datasets/{dataset['id']}/snapshots/", {}).json()
    return Snapshot.objects.get(pk=made["id"])


def test_a_model_whose_file_is_gone_is_not_measured(project, owner, tmp_path, snapshot):
    model = make_model(project, owner, tmp_path)
    model.files.all().delete()
    job = ended(project, owner, "evaluation", model=str(model.pk), snapshot=str(snapshot.pk), split="train")
    assert_failed(job, "model_without_file")
    assert not Evaluation.objects.exists()


def test_a_model_whose_file_is_damaged_is_not_measured(project, owner, tmp_path, snapshot):
    model = make_model(project, owner, tmp_path)
    job = ended(project, owner, "evaluation", model=str(model.pk), snapshot=str(snapshot.pk), split="train")
    assert_failed(job, "model_file_broken")


def test_a_model_without_a_keras_file_cannot_be_exported(project, owner, tmp_path):
    model = make_model(project, owner, tmp_path)
    given = {"kinds": ["onnx"], "bundle_of": None, "snapshot": None, "largest_drop": 0.1}
    assert_failed(ended(project, owner, "model_export", model=str(model.pk), **given), "model_without_file")


def test_an_explanation_without_its_image_says_so(project, owner, tmp_path):
    model = make_model(project, owner, tmp_path)
    job = ended(project, owner, "explanation", model=str(model.pk), label=None, image=None)
    assert_failed(job, "missing_object")


def test_a_kind_of_file_that_is_gone_is_not_published(project, owner, tmp_path):
    model = make_model(project, owner, tmp_path)
    job = ended(project, owner, "model_publish", model=str(model.pk), kinds=["onnx"], seconds=60)
    assert_failed(job, "model_deleted")


@pytest.mark.slow
class TestAModelThatRuns:
    def test_one_label_alone_makes_no_suspects(self, api, classifier, dataset, owner):
        for number in range(20):
            upload(api, dataset, [(f"s{number}.jpg", jpeg(1000 + number))], label="cross")
        Image.objects.filter(annotations__label__name="disc").delete()
        job = ended(classifier.project, owner, "suspects", model=str(classifier.pk), dataset=dataset["id"])
        assert_failed(job, "one_label")
        assert not LabelIssue.objects.exists()

    def test_a_classifier_is_not_measured_on_labels_that_it_does_not_know(self, classifier, owner):
        snapshot = classifier.snapshot
        for row in snapshot.images.all():
            row.annotations = [{**one, "label": f"other {one['label']}"} for one in row.annotations]
            row.save()
        given = {"model": str(classifier.pk), "snapshot": str(snapshot.pk), "split": "test"}
        before = Evaluation.objects.count()
        assert_failed(ended(classifier.project, owner, "evaluation", **given), "nothing_to_measure")
        assert Evaluation.objects.count() == before


def test_a_file_that_a_failed_job_read_is_its_own_until_it_is_deleted(api, dataset):
    job = run_import(api, dataset, b"Rar!" + bytes(600))
    assert Blob.objects.filter(pk=Job.objects.get(pk=job["id"]).input_blob_id).exists()
    again = api.post(f"/api/v1/jobs/{job['id']}/retry/")
    assert again.status_code == 202
    jobs.run_job(again.json()["id"])
    assert api.get(again["Location"]).json()["error"]["code"] == "unsupported_archive"
    assert api.delete(f"/api/v1/jobs/{job['id']}/").status_code == 204
