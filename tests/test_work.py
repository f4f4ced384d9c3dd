"""The life cycle shared by jobs and trainings."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from jobs import queues, work
from jobs import services as jobs
from jobs.errors import LeaseLost, WorkCancelled, WorkHasEnded, WorkInterrupted
from jobs.models import Job, WorkEvent, WorkState

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(project, owner) -> Job:
    return Job.objects.create(project=project, created_by=owner, kind="import")


def expire(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))


def test_work_is_claimed_once(job):
    claimed = work.claim(Job, job.pk)
    assert claimed.state == WorkState.RUNNING and claimed.attempts == 1
    assert work.claim(Job, job.pk) is None


def test_an_expired_lease_is_taken_over_and_the_first_holder_writes_nothing_more(job):
    first = work.claim(Job, job.pk)
    expire(job)
    second = work.claim(Job, job.pk)
    assert second.attempts == 2
    with pytest.raises(LeaseLost):
        work.renew(first, progress={"done": 1})
    with pytest.raises(LeaseLost):
        work.finish(first, WorkState.SUCCEEDED)
    work.release(first)
    work.finish(second, WorkState.SUCCEEDED, result={"ok": True})
    job.refresh_from_db()
    assert job.state == WorkState.SUCCEEDED and job.result == {"ok": True} and job.lease is None


def test_a_lease_from_before_the_clock_was_put_back_keeps_nobody_waiting(job):
    work.claim(Job, job.pk)
    # The clock of another machine.
    Job.objects.filter(pk=job.pk).update(lease_expires_at=timezone.now() + timedelta(minutes=4))
    assert work.claim(Job, job.pk) is None
    Job.objects.filter(pk=job.pk).update(lease_expires_at=timezone.now() + timedelta(hours=1))
    assert queues.claim_next(Job, job.queue).attempts == 2


@pytest.mark.parametrize("state", [WorkState.SUCCEEDED, WorkState.FAILED, WorkState.CANCELLED])
def test_nothing_leaves_an_ended_state(job, state):
    work.finish(work.claim(Job, job.pk), state)
    assert work.claim(Job, job.pk) is None
    with pytest.raises(WorkHasEnded):
        work.request_cancel(job)


def test_cancelling_running_work_reaches_it_at_the_next_renewal(job):
    claimed = work.claim(Job, job.pk)
    work.request_cancel(job)
    with pytest.raises(WorkCancelled):
        work.renew(claimed)


def test_released_work_is_free_for_another_process(job):
    work.release(work.claim(Job, job.pk))
    assert work.claim(Job, job.pk).attempts == 1


def test_shutdown_interrupts(monkeypatch):
    work.check_shutdown()
    work.shutting_down.set()
    try:
        with pytest.raises(WorkInterrupted):
            work.check_shutdown()
    finally:
        work.shutting_down.clear()


def test_workers_are_told_again_of_what_waits_or_was_left(job, monkeypatch):
    told = []
    monkeypatch.setattr("jobs.messages.send", lambda task, queue: told.append(queue))
    assert jobs.reap_jobs() == 1 and told == ["quick"]
    work.claim(Job, job.pk)
    assert jobs.reap_jobs() == 0
    expire(job)
    assert jobs.reap_jobs() == 1 and told == ["quick", "quick"]


def test_without_a_broker_work_waits_and_nothing_breaks(job):
    jobs.dispatch(job.queue)
    jobs.reap_jobs()
    assert Job.objects.get().state == WorkState.QUEUED


def test_a_job_that_kills_its_worker_again_and_again_ends(job, settings):
    Job.objects.update(attempts=settings.MAX_ATTEMPTS)
    jobs.run_job(str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.error_code) == (WorkState.FAILED, "worker_lost")


def test_old_jobs_are_forgotten_with_their_events(job):
    work.finish(work.claim(Job, job.pk), WorkState.SUCCEEDED)
    assert jobs.delete_old_jobs() == 0
    Job.objects.update(finished_at=timezone.now() - timedelta(days=100))
    assert jobs.delete_old_jobs() == 1 and not WorkEvent.objects.exists()


def test_what_ended_jobs_left_in_the_work_folders_is_removed(job, owner, project):
    ended = Job.objects.create(project=project, created_by=owner, kind="import", state=WorkState.FAILED)
    hour_ago = time.time() - 2 * jobs.LEFTOVER_SECONDS
    left, kept = [], []
    for pk, names in ((job.pk, kept), (ended.pk, left), (uuid.uuid4(), left)):
        for folder in jobs.WORK_FOLDERS:
            path = settings.WORK_DIR / folder / str(pk)
            path.mkdir(parents=True)
            os.utime(path, (hour_ago, hour_ago))
            names.append(path)
        lines = settings.WORK_DIR / "jobs" / f"{pk}.jsonl"
        lines.touch()
        os.utime(lines, (hour_ago, hour_ago))
        names.append(lines)
    fresh = settings.WORK_DIR / "jobs" / f"{ended.pk}.listing"
    fresh.touch()
    assert jobs.sweep_job_files() >= len(left)
    assert all(path.exists() for path in [*kept, fresh]) and not any(path.exists() for path in left)


@pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS)
class TestEventStream:
    def read(self, api, job, **headers) -> list[str]:
        answer = api.get(f"/api/v1/jobs/{job.pk}/events/", **headers)
        assert answer["Content-Type"] == "text/event-stream"
        return b"".join(answer).decode().split("\n\n")

    def test_a_client_that_comes_back_misses_nothing(self, api, job):
        claimed = work.claim(Job, job.pk)
        for done in range(5):
            work.record_event(claimed, "progress", {"done": done})
        work.finish(claimed, WorkState.SUCCEEDED)
        blocks = [block for block in self.read(api, job) if block.startswith("id:")]
        assert len(blocks) == 8 and '"state": "succeeded"' in blocks[-1]
        third = blocks[2].split("\n")[0].removeprefix("id: ")
        later = [block for block in self.read(api, job, HTTP_LAST_EVENT_ID=third) if block.startswith("id:")]
        assert later == blocks[3:]

    def test_the_stream_ends_with_a_word(self, api, job):
        work.finish(work.claim(Job, job.pk), WorkState.FAILED, error_code="x", error_detail="y")
        assert "event: end\ndata: {}" in self.read(api, job)

    def test_a_wrong_last_event_id_starts_from_the_beginning(self, api, job):
        work.finish(work.claim(Job, job.pk), WorkState.SUCCEEDED)
        assert len(self.read(api, job, HTTP_LAST_EVENT_ID="nonsense")) == len(self.read(api, job))

    def test_who_loses_the_right_to_see_loses_the_stream(self, api, job, monkeypatch):
        monkeypatch.setattr(
            "projects.job_views.jobs_of", lambda user: Job.objects.none() if calls else Job.objects.all()
        )
        monkeypatch.setattr("projects.event_hub.CHECK_SECONDS", 0)
        calls: list[int] = []
        answer = api.get(f"/api/v1/jobs/{job.pk}/events/")
        calls.append(1)
        assert b"id:" not in b"".join(answer)


def test_a_holder_that_lost_its_lease_leaves_the_files_of_the_next_one(project):
    """Seen after a locked database: the first one tidied up while the second one was writing."""
    from inference.serving.batches import work_folder
    from jobs.context import JobContext

    job = Job.objects.create(project=project, kind="prediction")
    first = JobContext(work.claim(Job, job.pk))
    with work_folder(first) as left:
        Job.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        second = JobContext(work.claim(Job, job.pk))
        with work_folder(second) as folder:
            (folder / "predictions.json").write_text("[]")
            shutil.rmtree(left)  # the first one ends
            assert (folder / "predictions.json").exists()
    for kind in ("jobs", "model-imports", "model-exports", "engine-runs", "preflight"):
        assert first.work_path(kind) != second.work_path(kind)
