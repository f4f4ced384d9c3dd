"""What was trained is never thrown away: full disks, a database that is away, a second holder."""

from __future__ import annotations

import uuid
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import OperationalError
from django.utils import timezone

from inference.models import Model
from jobs import heartbeat, work
from jobs import services as jobs
from jobs.models import Job, Queue, WorkState
from storage.errors import InsufficientStorage
from tests.conftest import upload
from tests.handlers import handle_tested_jobs
from tests.pictures import shape_jpeg
from training import services
from training.engine_folder import work_folder
from training.models import TrainingRun

pytestmark = pytest.mark.django_db
TINY = {
    "architecture": "small_cnn",
    "image_size": 32,
    "epochs": 1,
    "batch_size": 8,
    "early_stopping": 0,
    "augmentation": "none",
}


@pytest.fixture
def run(api, project, dataset, labels) -> TrainingRun:
    for label, kind in (("good", "disc"), ("bad", "cross")):
        upload(api, dataset, [(f"{kind}{n}.jpg", shape_jpeg(n, kind)) for n in range(16)], label=label)
    answer = api.post("/api/v1/trainings/", {"project": str(project.pk), **TINY})
    return TrainingRun.objects.get(pk=answer.json()["id"])


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch) -> None:
    monkeypatch.setattr("storage.database.PAUSES", (0.0, 0.0))


def seen(api, run: TrainingRun) -> dict:
    return api.get(f"/api/v1/trainings/{run.pk}/").json()


def train_now(run: TrainingRun) -> None:
    TrainingRun.objects.filter(pk=run.pk).update(retry_at=None)
    services.run_training(str(run.pk))


def supervised(monkeypatch, supervise) -> None:
    monkeypatch.setattr("training.services.Supervisor.supervise", supervise)


@pytest.mark.slow
@pytest.mark.usefixtures("engine_in_process", "no_timing")
def test_a_disk_that_is_full_at_the_end_costs_nothing(api, run, monkeypatch):
    def full(*args, **options):
        raise InsufficientStorage()

    with monkeypatch.context() as patch:
        patch.setattr("inference.registry.staging.storage.stage_path", full, raising=False)
        patch.setattr("inference.registry.staging.storage.keep_path", full)
        services.run_training(str(run.pk))
    waiting = seen(api, run)
    assert (waiting["state"], waiting["error"], waiting["waiting"]["code"]) == ("queued", None, "disk_full")
    assert "Nothing that was trained is lost" in waiting["waiting"]["detail"]
    assert work_folder(run.pk).is_dir() and not Model.objects.exists()
    services.run_training(str(run.pk))
    assert seen(api, run)["state"] == "queued"  # its time has not come

    def started(*args, **options):
        raise AssertionError("trained again")

    monkeypatch.setattr("training.supervisor.EngineProcess", started)
    train_now(run)
    done = seen(api, run)
    assert (done["state"], done["error"], len(done["history"])) == ("succeeded", None, 1)
    assert Model.objects.count() == 1 and not work_folder(run.pk).exists()


@pytest.mark.parametrize(
    "error",
    [InsufficientStorage(), OSError(28, "No space left on device"), OperationalError("database or disk is full")],
)
def test_a_full_disk_is_waited_for(api, run, monkeypatch, error):
    def full(*args, **options):
        raise error

    monkeypatch.setattr("training.supervisor.prepare_folder", full)
    services.run_training(str(run.pk))
    assert (seen(api, run)["state"], seen(api, run)["waiting"]["code"]) == ("queued", "disk_full")
    run.refresh_from_db()
    assert run.attempts == 0 and run.retry_at > timezone.now()


def test_space_is_checked_before(api, run, settings):
    settings.MIN_FREE_BYTES = 1 << 60
    services.run_training(str(run.pk))
    assert seen(api, run)["waiting"]["code"] == "disk_full"


def test_an_engine_without_space_is_waited_for(api, run, monkeypatch):
    class Full:
        pid, exceeded = 0, "disk"

        def __init__(self, folder):
            pass

        def next_message(self, timeout):
            return None

        def kill(self):
            pass

    monkeypatch.setattr("training.supervisor.EngineProcess", Full)
    services.run_training(str(run.pk))
    assert seen(api, run)["waiting"]["code"] == "disk_full" and work_folder(run.pk).is_dir()


def test_a_database_that_is_away_leaves_the_run_to_go_on(api, run, monkeypatch):
    def away(self):
        raise OperationalError("database is locked")

    supervised(monkeypatch, away)
    services.run_training(str(run.pk))
    assert (seen(api, run)["state"], seen(api, run)["waiting"]["code"]) == ("queued", "database_busy")


def test_a_database_that_stays_away_leaves_the_run_to_the_reaper(api, run, monkeypatch):
    def away(*args, **options):
        raise OperationalError("the connection is closed")

    supervised(monkeypatch, away)
    with monkeypatch.context() as patch:
        patch.setattr("jobs.work.postpone", away)
        services.run_training(str(run.pk))
    assert seen(api, run)["state"] == "running"
    TrainingRun.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert services.reap_trainings() == 1


def test_an_unexpected_error_of_an_old_holder_leaves_the_new_holder_alone(run, monkeypatch):
    other = uuid.uuid4()

    def supervise(self):
        later = timezone.now() + timedelta(seconds=30)
        TrainingRun.objects.filter(pk=run.pk).update(lease=other, lease_expires_at=later)
        raise RuntimeError("something unexpected")

    supervised(monkeypatch, supervise)
    services.run_training(str(run.pk))
    run.refresh_from_db()
    assert (run.state, run.lease) == (WorkState.RUNNING, other)


def test_a_holder_that_was_replaced_before_it_began_touches_nothing(run, monkeypatch):
    other = uuid.uuid4()
    claimed = work.claim(TrainingRun, run.pk)
    TrainingRun.objects.filter(pk=run.pk).update(lease=other)
    supervised(monkeypatch, lambda self: pytest.fail("it is not ours"))
    services._train(claimed)
    run.refresh_from_db()
    assert (run.state, run.lease) == (WorkState.RUNNING, other)


def test_a_training_that_gets_on_is_not_given_up(run, monkeypatch):
    from training.supervisor import Supervisor

    TrainingRun.objects.update(attempts=8)
    claimed = work.claim(TrainingRun, run.pk)
    Supervisor(claimed)._take({"event": "checkpoint"})
    run.refresh_from_db()
    assert (claimed.attempts, run.attempts) == (1, 1)


class TestJobs:
    @pytest.fixture
    def job(self, project, owner) -> Job:
        return Job.objects.create(project=project, created_by=owner, kind="tested")

    def doing(self, monkeypatch, function) -> None:
        handle_tested_jobs(monkeypatch, function)

    def test_a_database_that_is_away_for_a_moment_is_not_noticed(self, job, monkeypatch):
        tries = []

        def once_locked(held, *args, **options):
            tries.append(1)
            if len(tries) == 1:
                raise OperationalError("database is locked")
            return real(held, *args, **options)

        real = work.renew.__wrapped__
        outside = SimpleNamespace(in_atomic_block=False, close_if_unusable_or_obsolete=lambda: None)
        monkeypatch.setattr("storage.database.connection", outside)
        from storage.database import again

        again(once_locked)(work.claim(Job, job.pk), progress={"done": 1})
        assert len(tries) == 2 and Job.objects.get().progress == {"done": 1}

    def test_one_that_stays_away_makes_the_job_wait(self, api, job, monkeypatch):
        def locked(context):
            raise OperationalError("database is locked")

        self.doing(monkeypatch, locked)
        jobs.run_job(str(job.pk))
        found = api.get(f"/api/v1/jobs/{job.pk}/").json()
        assert (found["state"], found["error"], found["waiting"]["code"]) == ("queued", None, "database_busy")
        assert jobs.reap_jobs() == 0
        Job.objects.update(retry_at=timezone.now() - timedelta(seconds=1))
        assert jobs.reap_jobs() == 1
        self.doing(monkeypatch, lambda context: {})
        jobs.run_job(str(job.pk))
        found = api.get(f"/api/v1/jobs/{job.pk}/").json()
        assert (found["state"], found["error"]) == ("succeeded", None)

    def test_what_fails_whenever_it_is_tried_ends(self, job, monkeypatch, settings):
        def locked(context):
            raise OperationalError("disk I/O error")

        self.doing(monkeypatch, locked)
        for _ in range(settings.MAX_ATTEMPTS + 1):
            Job.objects.update(retry_at=None)
            jobs.run_job(str(job.pk))
        assert Job.objects.get().state == WorkState.FAILED

    def test_what_waits_holds_up_nobody_and_can_be_cancelled(self, api, job, monkeypatch, project, owner):
        claimed = work.claim(Job, job.pk)
        work.postpone(claimed, code="disk_full", detail="full", seconds=600)
        other = Job.objects.create(project=project, created_by=owner, kind="tested")
        done = []
        self.doing(monkeypatch, lambda context: done.append(context.job.pk) or {})
        assert jobs.run_next(Queue.QUICK) and not jobs.run_next(Queue.QUICK)
        assert done == [other.pk]
        answer = api.post(f"/api/v1/jobs/{job.pk}/cancel/").json()
        assert (answer["state"], answer["error"], answer["waiting"]) == ("cancelled", None, None)

    def test_the_lease_is_kept_whatever_the_handler_does(self, job, monkeypatch):
        beating = heartbeat.Heartbeat()
        claimed = work.claim(Job, job.pk)
        monkeypatch.setattr("jobs.heartbeat.connection.close", lambda: None)
        monkeypatch.setattr("jobs.heartbeat.threading.Thread.start", lambda thread: None)
        with beating.keeping(claimed):
            Job.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
            beating.beat()
            assert work.claim(Job, job.pk) is None
        Job.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        beating.beat()
        assert work.claim(Job, job.pk) is not None

    def test_a_lost_lease_is_not_renewed(self, job, monkeypatch):
        beating = heartbeat.Heartbeat()
        claimed = work.claim(Job, job.pk)
        monkeypatch.setattr("jobs.heartbeat.connection.close", lambda: None)
        monkeypatch.setattr("jobs.heartbeat.threading.Thread.start", lambda thread: None)
        Job.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        second = work.claim(Job, job.pk)
        Job.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        with beating.keeping(claimed):
            beating.beat()
        assert Job.objects.filter(lease=second.lease, lease_expires_at__lt=timezone.now()).exists()

    def test_every_job_has_a_heartbeat(self, job, monkeypatch):
        held = []
        self.doing(monkeypatch, lambda context: held.append(len(heartbeat._heartbeat._held)) or {})
        jobs.run_job(str(job.pk))
        assert held == [1] and not heartbeat._heartbeat._held
