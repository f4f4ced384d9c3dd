"""Jobs wait for the trouble of a machine that passes, as trainings do, and go on where they were."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, OperationalError

from datasets import import_batches
from datasets.models import Image
from jobs import services as jobs
from jobs.errors import WorkFailed
from jobs.models import Job, WorkEvent
from mlstudio.counts import correct_counts
from storage.errors import BlobMissing, InsufficientStorage
from tests.conftest import upload
from tests.made_videos import made_video
from tests.pictures import jpeg, make_zip
from tests.test_imports import start
from tests.test_videos import add

pytestmark = pytest.mark.django_db


def deadlock() -> OperationalError:
    error = OperationalError("deadlock detected")
    error.__cause__ = DatabaseError("deadlock detected")
    error.__cause__.sqlstate = "40P01"
    return error


FULL = [
    InsufficientStorage(),
    OSError(28, "No space left on device"),
    OperationalError("database or disk is full"),
    WorkFailed("disk_full", "The disk is full."),
]


def seen(api, job) -> dict:
    return api.get(f"/api/v1/jobs/{job}/").json()


def do_now(job) -> None:
    """Its time has come."""
    Job.objects.filter(pk=job).update(retry_at=None)
    jobs.run_job(str(job))


def fails_once(monkeypatch, where: str, error: Exception, call: int = 1) -> None:
    """The function raises the error at one of its calls, when it has done its work."""
    module, _, name = where.rpartition(".")
    from importlib import import_module

    owner = import_module(module)
    real, calls = getattr(owner, name), []

    def failing(*arguments, **options):
        calls.append(1)
        result = real(*arguments, **options)
        if len(calls) == call:
            raise error
        return result

    monkeypatch.setattr(owner, name, failing)


@pytest.mark.parametrize("error", FULL, ids=lambda error: type(error).__name__)
def test_an_import_waits_for_space_and_goes_on(api, dataset, monkeypatch, error):
    monkeypatch.setattr(import_batches, "BATCH", 3)
    fails_once(monkeypatch, "datasets.import_batches.add_images", error, call=2)
    job = start(api, dataset, make_zip({f"crack/{n}.jpg": jpeg(n) for n in range(8)})).json()["id"]
    jobs.run_job(job)
    waiting = seen(api, job)
    assert (waiting["state"], waiting["error"], waiting["waiting"]["code"]) == ("queued", None, "disk_full")
    assert "goes on by itself" in waiting["waiting"]["detail"] and Image.objects.count() == 3
    jobs.run_job(job)
    assert seen(api, job)["state"] == "queued"  # its time has not come
    do_now(job)
    done = seen(api, job)
    assert (done["state"], done["result"]["created"], done["result"]["duplicates"]) == ("succeeded", 8, 0)
    assert Job.objects.get().attempts == 1 and Image.objects.count() == 8 and correct_counts() == 0


@pytest.mark.parametrize("error", FULL, ids=lambda error: type(error).__name__)
def test_an_export_waits_for_space(api, dataset, monkeypatch, error):
    upload(api, dataset, [("a.jpg", jpeg(1))])
    fails_once(monkeypatch, "datasets.exports._write", error)
    job = api.post(f"/api/v1/datasets/{dataset['id']}/exports/", {"format": "folder"}).json()["id"]
    jobs.run_job(job)
    assert seen(api, job)["waiting"]["code"] == "disk_full"
    do_now(job)
    assert seen(api, job)["state"] == "succeeded" and Job.objects.get().attempts == 1


def test_frames_wait_for_space(api, dataset, monkeypatch):
    video = add(api, dataset, made_video(6))
    fails_once(monkeypatch, "datasets.videos.add_images", OSError(28, "No space left on device"))
    job = api.post(f"/api/v1/videos/{video['id']}/frames/", {"every_frames": 2}).json()["id"]
    jobs.run_job(job)
    assert seen(api, job)["waiting"]["code"] == "disk_full"
    do_now(job)
    assert seen(api, job)["state"] == "succeeded" and Image.objects.count() == 3


def test_a_store_that_is_away_is_waited_for(api, dataset, monkeypatch):
    upload(api, dataset, [("a.jpg", jpeg(1))])
    away = BlobMissing("The store does not answer.", code="store_unavailable")
    fails_once(monkeypatch, "datasets.exports._exported", away)
    job = api.post(f"/api/v1/datasets/{dataset['id']}/exports/", {"format": "folder"}).json()["id"]
    jobs.run_job(job)
    assert seen(api, job)["waiting"]["code"] == "store_unavailable"
    do_now(job)
    assert seen(api, job)["state"] == "succeeded"


def test_a_file_that_is_nowhere_ends_the_job(api, dataset, monkeypatch):
    upload(api, dataset, [("a.jpg", jpeg(1))])
    fails_once(monkeypatch, "datasets.exports._exported", BlobMissing())
    job = api.post(f"/api/v1/datasets/{dataset['id']}/exports/", {"format": "folder"}).json()["id"]
    jobs.run_job(job)
    assert seen(api, job)["error"]["code"] == "file_unavailable"


def test_a_job_that_waits_for_space_can_be_cancelled(api, dataset, settings):
    job = start(api, dataset, make_zip({"c/a.jpg": jpeg(1)})).json()["id"]
    settings.MIN_FREE_BYTES = 1 << 62
    jobs.run_job(job)
    assert api.post(f"/api/v1/jobs/{job}/cancel/").json()["state"] == "cancelled"


def test_each_batch_of_an_import_may_meet_another_transaction(api, dataset, monkeypatch, settings):
    """However many do: they are no attempts, of which there are ten."""
    settings.MAX_ATTEMPTS = 2
    monkeypatch.setattr(jobs, "COLLISION_SECONDS", 3600.0)  # a slow machine looks late
    monkeypatch.setattr(import_batches, "BATCH", 2)
    job = start(api, dataset, make_zip({f"crack/{n}.jpg": jpeg(n) for n in range(8)})).json()["id"]
    for number in range(4):
        with monkeypatch.context() as patch:
            fails_once(patch, "datasets.import_batches.add_images", deadlock(), call=2)
            do_now(job)
        state = seen(api, job)
        if number < 3:
            assert (state["state"], state["waiting"]["code"]) == ("queued", "database_busy")
            assert Image.objects.count() == 2 * (number + 1)
    assert seen(api, job)["state"] == "succeeded" and Image.objects.count() == 8 and correct_counts() == 0
    assert Job.objects.get().attempts == 1


def test_a_label_merge_that_meets_another_transaction_is_done_again(api, project, dataset, labels, monkeypatch, owner):
    upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(3)], label="good")
    monkeypatch.setattr("storage.database.PAUSES", (0.0,))
    # A test is a transaction, in which nothing is done again.
    monkeypatch.setattr("storage.database.connection", _Outside())
    fails_once(monkeypatch, "datasets.label_removal._relabel", deadlock())
    path = f"/api/v1/projects/{project.pk}/labels/{labels['good']['id']}/merge/"
    answer = api.post(path, {"into": labels["bad"]["id"]})
    assert answer.status_code == 200, answer.content
    names = {one["annotations"][0]["label"] for one in api.get("/api/v1/images/").json()["results"]}
    assert names == {"bad"} and correct_counts() == 0


class _Outside:
    in_atomic_block = False

    def close_if_unusable_or_obsolete(self) -> None:
        pass


def test_a_collision_that_stays_is_an_answer_with_a_code(api, project, dataset, labels, monkeypatch):
    def collides(*arguments):
        raise deadlock()

    monkeypatch.setattr("datasets.label_removal._lock_labels", collides)
    answer = api.delete(f"/api/v1/projects/{project.pk}/labels/{labels['good']['id']}/")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, "database_busy")


def test_the_log_says_what_it_waits_for(api, dataset, settings):
    job = start(api, dataset, make_zip({"c/a.jpg": jpeg(1)})).json()["id"]
    settings.MIN_FREE_BYTES = 1 << 62
    jobs.run_job(job)
    lines = [event.content["line"] for event in WorkEvent.objects.filter(work=job, kind="log")]
    assert any("disk is full" in line for line in lines)
