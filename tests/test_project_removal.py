"""Deleting projects: nothing is left of one, and a large one holds up nobody."""

from __future__ import annotations

import pytest
from django.db import transaction

from datasets.models import Annotation, AnnotationChange, Dataset, Image
from jobs import work
from jobs.models import Job, WorkEvent, WorkState
from projects import removal
from projects.models import Membership, Project
from storage.deleting import delete_in_chunks
from tests.conftest import upload
from tests.pictures import jpeg
from training.models import TrainingRun

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_trash")]


@pytest.fixture
def full(api, project, dataset, labels, owner) -> Project:
    images = upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(7)], label="good")["created"]
    api.put(f"/api/v1/images/{images[0]['id']}/annotations/", [{"label": "bad"}])
    snapshot = api.post(f"/api/v1/datasets/{dataset['id']}/snapshots/", {}).json()
    run = TrainingRun.objects.create(project=project, snapshot_id=snapshot["id"], created_by=owner, configuration={})
    job = Job.objects.create(project=project, created_by=owner, kind="export")
    for pk in (run.pk, job.pk):
        WorkEvent.objects.create(work=pk, kind="log", content={"line": "x"})
    Project.objects.filter(pk=project.pk).update(image_count=7)
    return project


def nothing_left() -> bool:
    rows = (Project, Dataset, Image, Annotation, AnnotationChange, Job, TrainingRun, WorkEvent)
    return not any(model.objects.exists() for model in rows)


def test_a_small_one_leaves_no_events(api, full):
    assert api.delete(f"/api/v1/projects/{full.pk}/?force=true").status_code == 204
    assert nothing_left()


def test_a_deleted_dataset_leaves_the_events_of_its_trainings(full):
    """They are part of the record that outlives it."""
    Dataset.objects.all().delete()
    assert set(WorkEvent.objects.values_list("work", flat=True)) == {Job.objects.get().pk, TrainingRun.objects.get().pk}


def test_events_that_were_left_before_are_swept(full):
    WorkEvent.objects.create(work=full.pk, kind="log", content={})
    assert work.delete_lost_events() == 1 and WorkEvent.objects.count() == 2


def test_a_large_one_disappears_at_once_and_goes_in_the_background(api, full, monkeypatch):
    monkeypatch.setattr(removal, "MOST_AT_ONCE", 5)
    sent = []
    monkeypatch.setattr("jobs.messages.send", lambda task, queue: sent.append(task))
    monkeypatch.setattr(transaction, "on_commit", lambda function: function())
    assert api.delete(f"/api/v1/projects/{full.pk}/?force=true").status_code == 204
    assert sent == [removal.TASK] and Image.objects.count() == 7
    for path in ("projects/", "datasets/", "images/", "jobs/", "trainings/", "snapshots/"):
        answer = api.get(f"/api/v1/{path}")
        assert answer.status_code in (200, 404) and not answer.json().get("results"), path
    assert api.get(f"/api/v1/projects/{full.pk}/").status_code == 404
    assert not Membership.objects.exists()
    assert {Job.objects.get().state, TrainingRun.objects.get().state} == {WorkState.CANCELLED}
    assert removal.remove_projects() == 1 and nothing_left() and removal.remove_projects() == 0


def test_every_transaction_is_small(full, monkeypatch):
    sizes = []
    from storage import deleting

    real = deleting._delete

    def counted(model, pks):
        sizes.append(len(pks))
        return real(model, pks)

    monkeypatch.setattr(deleting, "_delete", counted)
    monkeypatch.setattr(deleting, "PAUSE_SECONDS", 0)
    assert delete_in_chunks(Project.objects.all(), size=3) == 1
    assert max(sizes) <= 3 and nothing_left()


def test_one_that_is_being_removed_does_not_count_against_its_user(api, full, monkeypatch, settings):
    monkeypatch.setattr(removal, "MOST_AT_ONCE", 5)
    settings.MAX_PROJECTS = 1
    assert api.post("/api/v1/projects/", {"name": "n"}).status_code == 403
    api.delete(f"/api/v1/projects/{full.pk}/?force=true")
    assert api.post("/api/v1/projects/", {"name": "n"}).status_code == 201
