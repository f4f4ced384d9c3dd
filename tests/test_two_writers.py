"""Two writers at the same moment, for each counter, claim, delete, merge, import and upload.

One of them may be told that it came too late; none breaks, none waits for the other for ever, and counts stay true.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connections, transaction
from rest_framework.exceptions import NotFound

from common.errors import StudioError
from datasets.errors import LabelExists
from datasets.examining import stage_image
from datasets.images import label_images
from datasets.ingest import add_images
from datasets.label_removal import merge_labels
from datasets.labels import create_label, ensure_labels
from datasets.models import Annotation, AnnotationChange, Dataset, Image, Label
from inference.models import Model
from inference.registry.registration import register_model
from jobs import services as jobs
from jobs import work
from jobs.errors import WorkHasEnded
from jobs.models import Job, Queue, WorkState
from mlstudio.counts import correct_counts
from projects.models import Membership, Project, TrashEntry
from projects.permissions import ProjectPermission
from storage import services as storage
from storage.models import Blob
from tests.conftest import client_of, upload
from tests.handlers import handle_tested_jobs
from tests.pictures import jpeg, make_zip
from tests.test_imports import start

pytestmark = pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS)


def together(*calls: Callable) -> list:
    """What calls answer that begin at the same moment, each in a thread with a connection of its own."""
    barrier = threading.Barrier(len(calls))

    def run(call):
        barrier.wait(20)
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.fixture(autouse=True)
def counts_are_true():
    """Whatever a test did: the kept counts are those of the rows."""
    yield
    assert correct_counts() == 0


@pytest.fixture
def row(dataset) -> Dataset:
    return Dataset.objects.select_related("project").get(pk=dataset["id"])


def add(row: Dataset, *seeds: int) -> list[str]:
    items = [stage_image(jpeg(seed), f"{seed}.jpg") for seed in seeds]
    return [outcome.kind for outcome in add_images(dataset=row, items=items, source="upload")]


def test_an_import_and_an_upload_into_one_dataset(row):
    def an_import() -> None:
        for number in range(15):
            with transaction.atomic():
                ensure_labels(project=row.project, names=[f"new label {number}"])
                add(row, 1000 + number)

    def uploads() -> None:
        for number in range(15):
            add(row, number)

    together(an_import, uploads)
    row.refresh_from_db()
    assert row.image_count == 30 and Label.objects.count() == 15


def test_the_same_upload_twice(row):
    kinds = together(*[lambda: add(row, *range(5))] * 2)
    assert sorted(kinds[0] + kinds[1]) == ["created"] * 5 + ["duplicate"] * 5
    assert Image.objects.count() == Blob.objects.count() == 5
    assert all(storage.is_intact(storage.path_of(blob), blob.sha256) for blob in Blob.objects.all())


def test_uploads_into_two_datasets_of_a_project(row, project):
    other = Dataset.objects.create(project=project, name="other")
    Project.objects.filter(pk=project.pk).update(dataset_count=2)
    together(*[lambda into=into, n=n: add(into, *range(n, n + 3)) for n in (0, 10, 20) for into in (row, other)])
    assert Project.objects.get().image_count == 18


def test_images_moved_both_ways_and_deleted(api, owner, dataset, row, project):
    other = Dataset.objects.create(project=project, name="other")
    Project.objects.filter(pk=project.pk).update(dataset_count=2)
    here = [one["id"] for one in upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(6)])["created"]]
    there = [
        one["id"] for one in upload(api, {"id": other.pk}, [(f"{n}.jpg", jpeg(n)) for n in range(9, 15)])["created"]
    ]

    def bulk(**body) -> int:
        return client_of(owner).post("/api/v1/images/bulk/", body, format="json").status_code

    statuses = together(
        lambda: bulk(action="move", images=here, dataset=str(other.pk)),
        lambda: bulk(action="move", images=there, dataset=str(row.pk)),
        lambda: bulk(action="delete", images=here[:3] + there[:3]),
    )
    assert set(statuses) <= {200, 404} and 200 in statuses


def test_labels_of_the_same_name(project):
    def make() -> str:
        try:
            return create_label(project=project, name="crack").name
        except LabelExists:
            return "exists"

    assert sorted(together(*[make] * 4)) == ["crack", "exists", "exists", "exists"]


def test_a_merge_beside_labelling_and_an_upload(row, owner, labels):
    good, bad = (Label.objects.get(pk=labels[name]["id"]) for name in ("good", "bad"))
    add(row, *range(8))
    images = list(Image.objects.select_related("dataset__project"))
    key = good.pk  # a deleted object has none
    label_images(images=images[:4], label=good, user=owner)

    def labelled() -> str:
        try:
            label_images(images=images[4:], label=Label.objects.get(pk=key), user=owner)
        except StudioError as error:
            return error.code
        except Label.DoesNotExist:
            return "label_deleted"
        except IntegrityError:  # noticed at the end of the transaction: the API answers 409
            return "changed_meanwhile"
        return "ok"

    answers = together(lambda: merge_labels(label=good, into=bad, user=owner), labelled, lambda: add(row, 100))
    assert answers[1] in ("ok", "label_deleted", "changed_meanwhile")
    assert not Label.objects.filter(pk=key).exists()
    assert not Annotation.objects.exclude(label=bad).exists()
    changed = set(AnnotationChange.objects.values_list("image", flat=True))
    assert {image.pk for image in images[:4]} <= changed


def test_two_models_registered_at_once(project, owner, tmp_path):
    path = tmp_path / "labels.txt"
    path.write_text("a\nb\n")

    def register() -> int:
        return register_model(
            project=project,
            name="m",
            class_names=["a", "b"],
            architecture="small_cnn",
            input_size=(32, 32),
            parameters=1,
            files={"labels": path},
            user=owner,
        ).version

    assert sorted(together(*[register] * 4)) == [1, 2, 3, 4] and Model.objects.count() == 4


def test_one_of_two_claims_a_job(project, owner):
    job = Job.objects.create(project=project, created_by=owner, kind="tested")
    claims = together(*[lambda: work.claim(Job, job.pk)] * 4)
    assert sum(claim is not None for claim in claims) == 1 and Job.objects.get().attempts == 1


def test_a_queue_that_two_workers_empty_is_done_once(project, owner, monkeypatch):
    done = []
    handle_tested_jobs(monkeypatch, lambda context: done.append(context.job.pk))
    Job.objects.bulk_create(Job(project=project, created_by=owner, kind="tested") for _ in range(6))

    def empty() -> None:
        while jobs.run_next(Queue.QUICK):
            pass

    together(empty, empty)
    assert sorted(done) == sorted(Job.objects.values_list("pk", flat=True))
    assert set(Job.objects.values_list("state", flat=True)) == {WorkState.SUCCEEDED}


def test_cancelling_and_finishing_at_once(project, owner):
    for _ in range(4):
        job = Job.objects.create(project=project, created_by=owner, kind="tested")
        claimed = work.claim(Job, job.pk)

        def cancel(job=job) -> None:
            with contextlib.suppress(WorkHasEnded):
                work.request_cancel(job)

        together(cancel, lambda claimed=claimed: work.finish(claimed, WorkState.SUCCEEDED, result={}))
        assert Job.objects.get(pk=job.pk).state == WorkState.SUCCEEDED


def test_two_imports_of_the_same_archive(api, dataset, owner):
    content = make_zip({f"crack/{n}.jpg": jpeg(n) for n in range(6)})
    first, second = (start(api, dataset, content).json()["id"] for _ in range(2))
    together(lambda: jobs.run_job(first), lambda: jobs.run_job(second))
    assert set(Job.objects.values_list("state", "error_code")) == {("succeeded", "")}
    assert sum(job.result["created"] for job in Job.objects.all()) == Image.objects.count() == 6


def test_a_dataset_deleted_under_an_upload(owner, dataset):
    client = f"/api/v1/datasets/{dataset['id']}/"

    def sent() -> int:
        files = {"files": [SimpleUploadedFile(f"{n}.jpg", jpeg(n)) for n in range(4)]}
        return client_of(owner).post(f"{client}images/", files, format="multipart").status_code

    statuses = together(sent, lambda: client_of(owner).delete(client).status_code)
    assert statuses[0] in (201, 404, 409) and statuses[1] in (204, 404)
    (row,) = Dataset.objects.select_related("project")
    assert row.project.trashed_since is not None and correct_counts() == 0


def test_a_project_that_is_deleted_after_it_was_found_is_not_there(owner, project):
    request = SimpleNamespace(method="DELETE", user=owner)
    Membership.objects.all().delete()
    with pytest.raises(NotFound):
        ProjectPermission().has_object_permission(request, SimpleNamespace(), project)  # type: ignore[arg-type]


def test_a_project_deleted_twice(owner, project, dataset):
    address = f"/api/v1/projects/{project.pk}/"
    statuses = together(*[lambda: client_of(owner).delete(address).status_code] * 3)
    assert set(statuses) <= {204, 404} and 204 in statuses
    (entry,) = TrashEntry.objects.all()
    assert [member.user for member in entry.members.all()] == [owner] and not Membership.objects.exists()
