"""Queues go round between users and projects, keep their places apart, and say where waiting work stands."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from datasets.imports import ImportParameters
from datasets.models import Dataset, Snapshot
from jobs import messages, queues, work
from jobs import services as jobs
from jobs.contracts import PARAMETERS, JobResult
from jobs.errors import WorkInterrupted
from jobs.lanes import Lane
from jobs.models import Job, Queue, WorkEvent, WorkState
from projects.services import create_project
from tests.conftest import client_of, make_user
from tests.studio import wait_for
from training.models import TrainingRun
from training.supervisor import Supervisor

pytestmark = pytest.mark.django_db


def waiting(user, project, count: int, **fields) -> list[Job]:
    return [Job.objects.create(project=project, created_by=user, kind="import", **fields) for _ in range(count)]


def claimed(count: int, queue: str = "quick") -> list[Job]:
    return [queues.claim_next(Job, queue) for _ in range(count)]


class TestTurns:
    def test_forty_jobs_of_one_user_do_not_stand_before_the_first_of_another(self, owner, outsider, project, settings):
        settings.QUEUE_SLOTS = {**settings.QUEUE_SLOTS, "quick": 100}
        flood = waiting(owner, project, 40)
        (single,) = waiting(outsider, create_project(user=outsider, name="mine"), 1)
        assert claimed(3) == [flood[0], single, flood[1]]

    def test_users_take_turns(self, owner, outsider, project, settings):
        settings.QUEUE_SLOTS = {**settings.QUEUE_SLOTS, "quick": 100}
        first = waiting(owner, project, 3)
        second = waiting(outsider, create_project(user=outsider, name="mine"), 3)
        assert claimed(6) == [first[0], second[0], first[1], second[1], first[2], second[2]]

    def test_projects_of_one_user_take_turns(self, owner, project, settings):
        settings.QUEUE_SLOTS = {**settings.QUEUE_SLOTS, "quick": 100}
        many = waiting(owner, project, 3)
        (single,) = waiting(owner, create_project(user=owner, name="other"), 1)
        assert claimed(4) == [many[0], single, many[1], many[2]]

    def test_who_was_served_longest_ago_is_next(self, owner, outsider, project):
        other = create_project(user=outsider, name="mine")
        work.finish(work.claim(Job, waiting(owner, project, 1)[0].pk), WorkState.SUCCEEDED)
        waiting(owner, project, 1)
        (single,) = waiting(outsider, other, 1)
        assert claimed(1) == [single]

    def test_work_of_a_dead_worker_goes_on_first(self, owner, project):
        dead = waiting(owner, project, 1)[0]
        work.claim(Job, dead.pk)
        Job.objects.filter(pk=dead.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        waiting(owner, project, 1)
        assert claimed(1) == [dead]

    def test_one_user_leaves_a_place_free(self, owner, outsider, project, settings):
        settings.QUEUE_SLOTS = {**settings.QUEUE_SLOTS, "quick": 3}
        flood = waiting(owner, project, 5)
        assert claimed(3) == [flood[0], flood[1], None]
        (single,) = waiting(outsider, create_project(user=outsider, name="mine"), 1)
        assert claimed(2) == [single, None]

    def test_a_queue_takes_nothing_of_another(self, owner, project):
        (heavy,) = waiting(owner, project, 1, queue=Queue.HEAVY)
        (quick,) = waiting(owner, project, 1)
        assert claimed(2, "heavy") == [heavy, None] and claimed(1) == [quick]

    def test_work_whose_user_was_deleted_has_its_turn(self, owner, project):
        (job,) = waiting(None, project, 1)
        assert claimed(1) == [job]


class TestQueues:
    def test_kinds_wait_where_they_belong(self):
        queue_of = {kind: parameters.queue for kind, parameters in PARAMETERS.items()}
        assert {queue_of[kind] for kind in ("model_import", "model_export", "video_frames")} == {Queue.HEAVY}
        assert queue_of["preflight"] == Queue.PREFLIGHT
        assert {queue_of[kind] for kind in ("import", "export", "evaluation", "suggestions")} == {Queue.QUICK}

    def test_large_work_waits_with_the_long_jobs(self):
        assert queues.queue_for(images=300) == queues.queue_for(size_bytes=10 << 20) == Queue.QUICK
        assert queues.queue_for(images=100_000) == queues.queue_for(size_bytes=20 << 30) == Queue.HEAVY

    def test_every_queue_has_places_and_a_task_that_a_worker_takes(self, settings):
        from celery import current_app

        from mlstudio.launcher.studio import WORKER_QUEUES

        current_app.loader.import_default_modules()
        for queue in Queue:
            assert settings.QUEUE_SLOTS[queue] >= 1 and jobs.TASKS[queue] in current_app.tasks
            assert queue in WORKER_QUEUES or queue == Queue.TRAINING
        for task in settings.CELERY_BEAT_SCHEDULE.values():
            route = settings.CELERY_TASK_ROUTES.get(task["task"], {"queue": settings.CELERY_TASK_DEFAULT_QUEUE})
            assert route["queue"] in WORKER_QUEUES


class TestLane:
    def test_a_message_that_finds_no_place_is_remembered(self):
        lane = Lane(1)
        began, may_end, calls = threading.Event(), threading.Event(), []

        def step() -> bool:
            calls.append(1)
            began.set()
            may_end.wait(10)
            return False

        holder = threading.Thread(target=lane.run, args=(step,))
        holder.start()
        assert began.wait(10)
        lane.run(lambda: pytest.fail("there was no place"))
        may_end.set()
        holder.join(10)
        assert len(calls) == 2  # the holder looked once more for what the message was about

    def test_work_goes_on_until_nothing_is_left(self):
        left = [True, True, False]
        Lane(1).run(lambda: left.pop(0))
        assert not left

    def test_an_error_gives_the_place_back(self):
        lane = Lane(1)
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                lane.run(lambda: 1 / 0)

    def test_nothing_is_begun_while_the_process_ends(self):
        work.shutting_down.set()
        try:
            Lane(1).run(lambda: pytest.fail("began work"))
        finally:
            work.shutting_down.clear()


class TestPlace:
    def test_a_waiting_job_says_its_position_and_why(self, api, owner, outsider, project):
        first, second = waiting(owner, project, 2)
        answer = api.get(f"/api/v1/jobs/{second.pk}/").json()["waiting"]
        assert (answer["position"], answer["ahead"], answer["code"]) == (2, 1, "queue")
        assert answer["detail"].startswith("1 job comes first")
        assert api.get(f"/api/v1/jobs/{first.pk}/").json()["waiting"]["code"] == "starting"
        work.claim(Job, first.pk)
        assert api.get(f"/api/v1/jobs/{first.pk}/").json()["waiting"] is None

    def test_a_place_tells_nothing_of_other_users_work(self, outsider, owner, project):
        waiting(owner, project, 2)
        (mine,) = waiting(outsider, create_project(user=outsider, name="mine"), 1)
        answer = client_of(outsider).get(f"/api/v1/jobs/{mine.pk}/").json()["waiting"]
        assert set(answer) == {"queue", "position", "ahead", "running", "code", "detail"}

    def test_own_work_that_fills_the_places_is_named(self, api, owner, project, settings):
        settings.QUEUE_SLOTS = {**settings.QUEUE_SLOTS, "quick": 2}
        first, second = waiting(owner, project, 2)
        work.claim(Job, first.pk)
        assert api.get(f"/api/v1/jobs/{second.pk}/").json()["waiting"]["code"] == "own_work"

    def test_a_missing_worker_is_named(self, api, owner, project):
        (job,) = waiting(owner, project, 1)
        Job.objects.update(enqueued_at=timezone.now() - timedelta(minutes=5))
        answer = api.get(f"/api/v1/jobs/{job.pk}/").json()["waiting"]
        assert answer["code"] == "no_worker" and "worker" in answer["detail"]

    def test_lists_read_a_queue_once(self, api, owner, project, django_assert_max_num_queries):
        waiting(owner, project, 30)
        with django_assert_max_num_queries(12):
            rows = api.get("/api/v1/jobs/").json()["results"]
        assert sorted(row["waiting"]["position"] for row in rows) == list(range(1, 31))


@pytest.fixture
def snapshot(project) -> Snapshot:
    dataset = Dataset.objects.create(project=project, name="d")
    return Snapshot.objects.create(
        project=project, dataset=dataset, number=1, digest="x", class_names=["a"], counts={}, fractions={}, seed=1
    )


class TestTrainingTurns:
    """A long training lets go at its checkpoint when somebody else has nothing but trainings that wait."""

    def run_of(self, user, project, snapshot) -> TrainingRun:
        return TrainingRun.objects.create(project=project, snapshot=snapshot, created_by=user, configuration={})

    def supervisor(self, run: TrainingRun, settings, minutes: int) -> Supervisor:
        settings.TRAINING_TURN_MINUTES = minutes
        supervisor = Supervisor(work.claim(TrainingRun, run.pk))
        supervisor._turn_ends -= 60 * 60
        return supervisor

    def test_it_pauses_for_another_user(self, owner, outsider, project, snapshot, settings):
        supervisor = self.supervisor(self.run_of(owner, project, snapshot), settings, 20)
        self.run_of(owner, project, snapshot)
        supervisor._check_turn()  # one's own trainings wait
        other = self.run_of(outsider, project, snapshot)
        supervisor._turn_ends = 0
        with pytest.raises(WorkInterrupted):
            supervisor._check_turn()
        assert "pauses" in WorkEvent.objects.filter(kind="log").last().content["line"]
        work.release(supervisor.run)
        assert queues.claim_next(TrainingRun, "training") == other

    def test_it_does_not_pause_when_that_is_switched_off_or_the_other_trains(
        self, owner, outsider, project, snapshot, settings
    ):
        supervisor = self.supervisor(self.run_of(owner, project, snapshot), settings, 0)
        other = self.run_of(outsider, project, snapshot)
        supervisor._check_turn()
        settings.TRAINING_TURN_MINUTES = 20
        work.claim(TrainingRun, other.pk)
        self.run_of(outsider, project, snapshot)
        supervisor._check_turn()


class TestQuickJobsThatAreLong:
    def run(self, owner, project, settings, monkeypatch) -> Job:
        settings.QUICK_JOB_SECONDS = 60
        (job,) = waiting(owner, project, 1)

        def handler(context) -> JobResult:
            context._turn_ends = 0
            context.report(1, 2)
            return JobResult()

        monkeypatch.setitem(jobs.HANDLERS, ImportParameters, handler)
        jobs.run_job(str(job.pk))
        job.refresh_from_db()
        return job

    def test_one_goes_on_among_the_long_jobs_when_others_wait(self, owner, outsider, project, settings, monkeypatch):
        waiting(outsider, create_project(user=outsider, name="mine"), 1)
        told = []
        monkeypatch.setattr("jobs.messages.send", lambda task, queue: told.append(queue))
        job = self.run(owner, project, settings, monkeypatch)
        assert (job.state, job.queue, job.attempts) == (WorkState.QUEUED, Queue.HEAVY, 0) and told == ["heavy"]
        jobs.run_job(str(job.pk))
        job.refresh_from_db()
        assert job.state == WorkState.SUCCEEDED

    def test_it_stays_when_nobody_else_waits(self, owner, project, settings, monkeypatch):
        waiting(owner, project, 1)
        assert self.run(owner, project, settings, monkeypatch).state == WorkState.SUCCEEDED


class TestMessages:
    """A broker that hangs holds up nobody, and many messages about one queue are one."""

    def test_a_hanging_broker_does_not_hold_up_who_makes_work(self, monkeypatch):
        began, may_go_on, sent = threading.Event(), threading.Event(), []

        def publish(task: str, queue: str) -> None:
            began.set()
            may_go_on.wait(10)
            sent.append(queue)

        monkeypatch.setattr(messages, "_publish", publish)
        messenger = messages.Messenger()
        messenger.send("t", "quick")
        assert began.wait(10)
        for _ in range(40):
            messenger.send("t", "quick")
            messenger.send("t", "heavy")
        may_go_on.set()
        wait_for(lambda: len(sent) == 3, 10)
        assert sent == ["quick", "quick", "heavy"]

    def test_a_broker_that_is_away_is_no_error(self, monkeypatch):
        def away(*args, **kwargs):
            raise ConnectionRefusedError

        monkeypatch.setattr("celery.current_app.send_task", away)
        messages._publish("projects.tasks.work_on", "quick")


def test_a_slow_periodic_task_runs_once_at_a_time():
    from celery import Celery

    from mlstudio.celery import StudioTask

    calls: list[str] = []
    app = Celery("test", task_cls=StudioTask, set_as_current=False)

    @app.task(bind=True)
    def slow(task) -> None:
        calls.append(task.request.delivery_info["routing_key"])
        if len(calls) < 3:
            task()  # the message comes again while it runs

    for queue, expected in (("periodic", 1), ("quick", 3)):
        calls.clear()
        slow.push_request(delivery_info={"routing_key": queue})
        slow()
        slow.pop_request()
        assert len(calls) == expected


def test_a_second_user_is_served_by_a_worker_that_one_user_floods(owner, outsider, project, monkeypatch):
    """Through the worker's own door: one thread of the lane does the flood's job and then the other user's."""
    done = []

    def handler(context) -> JobResult:
        done.append(context.job.created_by)
        return JobResult()

    monkeypatch.setitem(jobs.HANDLERS, ImportParameters, handler)
    waiting(owner, project, 4)
    waiting(outsider, create_project(user=outsider, name="mine"), 1)
    jobs.work_on("quick")
    assert done[:2] == [owner, outsider] and len(done) == 5
    assert make_user("third") not in done
