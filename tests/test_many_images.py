"""What changes very many images does so a few hundred at a time: nobody else has to wait long to write."""

from __future__ import annotations

import pytest
from django.urls import resolve

from datasets import images as image_changes
from datasets import label_jobs
from datasets.models import Annotation, AnnotationChange, Image, Label, Origin
from datasets.services import create_dataset
from jobs import services as jobs
from jobs import work
from jobs.models import Job, WorkState
from mlstudio.counts import correct_counts
from mlstudio.idempotency import _is_one_transaction
from storage import deleting
from tests.conftest import client_of, upload
from tests.pictures import jpeg

pytestmark = pytest.mark.django_db
COUNT = 7


@pytest.fixture
def images(api, dataset, labels) -> list[dict]:
    return upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(COUNT)], label="good")["created"]


@pytest.fixture
def pauses(monkeypatch) -> list[int]:
    """One for each time that others could write, with three images a transaction."""
    seen: list[int] = []
    monkeypatch.setattr(deleting, "PART", 3)
    monkeypatch.setattr(image_changes, "LABELLED_AT_ONCE", 3)
    monkeypatch.setattr(deleting, "let_others_write", lambda: seen.append(1))
    return seen


@pytest.fixture
def many(monkeypatch) -> None:
    """Five images are many, and three are changed at a time."""
    monkeypatch.setattr(label_jobs, "MOST_AT_ONCE", 5)
    monkeypatch.setattr("datasets.label_removal.CHUNK", 3)


@pytest.mark.parametrize(
    ("action", "extra"),
    [
        ("label", {"label": "bad"}),
        ("unlabel", {}),
        ("split", {"split": "test"}),
        ("group", {"group": "line 3"}),
        ("confirm", {}),
        ("reject", {}),
        ("move", {}),
        ("delete", {}),
    ],
)
def test_bulk_actions_let_others_write(api, project, images, labels, pauses, action, extra):
    if action == "move":
        extra = {"dataset": str(create_dataset(project=project, name="other").pk)}
    if action in ("confirm", "reject"):
        Annotation.objects.update(confirmed=False, origin=Origin.MODEL)
    body = {"action": action, "images": [one["id"] for one in images], **extra}
    answer = api.post("/api/v1/images/bulk/", body)
    assert answer.json() == {"changed": COUNT, "unchanged": 0}, answer.content
    assert len(pauses) == 2 and correct_counts() == 0
    assert Image.objects.filter(dataset__project=project).count() == (0 if action == "delete" else COUNT)
    if action in ("label", "unlabel", "confirm", "reject"):
        assert AnnotationChange.objects.count() >= COUNT


def test_a_correction_that_does_not_fit_changes_nothing(api, images, labels, pauses):
    Annotation.objects.update(confirmed=False, origin=Origin.MODEL)
    pks = [str(pk) for pk in Annotation.objects.values_list("pk", flat=True)]
    body = {"confirm": pks[:-1], "correct": [{"id": pks[-1], "box": [0, 0, 4, 4]}]}
    assert api.post("/api/v1/annotations/review/", body).status_code == 400
    assert not Annotation.objects.filter(confirmed=True).exists() and not pauses


@pytest.mark.parametrize("path", ["images/bulk/", "annotations/review/", "projects/{}/labels/{}/merge/"])
def test_an_idempotency_key_makes_no_large_transaction_of_the_parts(project, labels, path):
    assert not _is_one_transaction(resolve(f"/api/v1/{path.format(project.pk, labels['good']['id'])}"))


def removal_of(api, project, label: dict, choice: str, other: dict):
    path = f"/api/v1/projects/{project.pk}/labels/{label['id']}/"
    if choice == "merge":
        return api.post(f"{path}merge/", {"into": other["id"]})
    return api.delete(f"{path}?images={choice}" + (f"&move_to={other['id']}" if choice == "move" else ""))


@pytest.mark.parametrize("choice", ["delete", "unlabel", "move", "merge"])
def test_a_label_on_many_images_goes_by_a_job(api, project, images, labels, many, choice):
    answer = removal_of(api, project, labels["good"], choice, labels["bad"])
    assert answer.status_code == 202, answer.content
    job = answer.json()
    assert job["kind"] == "label_removal" and answer["Location"].endswith(f"/jobs/{job['id']}/")
    assert Annotation.objects.count() == COUNT
    jobs.run_job(job["id"])
    job = api.get(f"/api/v1/jobs/{job['id']}/").json()
    assert (job["state"], job["result"]["images"], job["result"]["name"]) == ("succeeded", COUNT, "good"), job
    assert [label.name for label in Label.objects.all()] == ["bad"] and correct_counts() == 0
    assert Image.objects.filter(dataset__project=project).count() == (0 if choice == "delete" else COUNT)
    assert Annotation.objects.count() == (COUNT if choice in ("move", "merge") else 0)


def test_a_label_on_many_images_is_refused_as_before(api, project, images, labels, many, outsider):
    path = f"/api/v1/projects/{project.pk}/labels/{labels['good']['id']}/"
    answer = api.delete(path)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "label_in_use")
    assert api.post(f"{path}merge/", {"into": labels["good"]["id"]}).status_code == 400
    assert client_of(outsider).delete(f"{path}?images=delete").status_code == 404
    assert not Job.objects.exists()


def test_a_removal_that_was_broken_off_goes_on(api, project, images, labels, many, monkeypatch):
    pk = removal_of(api, project, labels["good"], "delete", labels["bad"]).json()["id"]
    work.shutting_down.set()
    try:
        jobs.run_job(pk)
    finally:
        work.shutting_down.clear()
    assert Job.objects.get().state == WorkState.QUEUED
    jobs.run_job(pk)
    job = Job.objects.get()
    assert (job.state, job.result["images"]) == (WorkState.SUCCEEDED, COUNT)


def test_the_second_of_two_removals_finds_it_done(api, project, images, labels, many):
    first, second = (removal_of(api, project, labels["good"], "delete", labels["bad"]).json()["id"] for _ in range(2))
    for pk in (first, second):
        jobs.run_job(pk)
    assert {job.state for job in Job.objects.all()} == {WorkState.SUCCEEDED}


def test_the_label_that_the_images_were_to_get_is_gone(api, project, images, labels, many):
    pk = removal_of(api, project, labels["good"], "merge", labels["bad"]).json()["id"]
    Label.objects.filter(pk=labels["bad"]["id"]).delete()
    jobs.run_job(pk)
    assert Job.objects.get().error_code == "label_deleted" and Annotation.objects.count() == COUNT
