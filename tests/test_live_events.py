"""One stream a user: everything in their projects, nothing of others', and nothing missed."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import OperationalError
from django.utils import timezone
from rest_framework.test import APIClient

from datasets.models import Image, Snapshot
from edge.devices import create_group
from jobs import work
from jobs.models import Job, WorkEvent, WorkState
from mlstudio.live_serializers import EVENTS as SERIALIZERS
from projects import event_hub, live_streams
from projects.event_hub import EventHub
from projects.live import announce, delete_old_events
from projects.live_streams import Position, UserSubscription
from projects.models import Membership, ProjectEvent
from projects.services import add_member, create_project, remove_member
from tests.conftest import client_of, make_user
from training.models import TrainingRun

pytestmark = pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS)
EVENTS = "/api/v1/events/"


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    monkeypatch.setattr(event_hub, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(live_streams, "may_come_late", lambda: False)  # else what was told is told once more


class Listener:
    """A stream of a hub that is ticked by the test, one step at a time."""

    def __init__(self, user, *, project=None, position: Position | None = None, is_valid=lambda: True) -> None:
        async def subscribe() -> UserSubscription:
            return UserSubscription(user, project, position, user.pk, is_valid, is_behind=position is not None)

        self.stream = asyncio.run(subscribe())
        self.stream._put = self._put  # type: ignore[method-assign]
        self.heard: list[dict] = []
        self.refused = False
        self.text = b""

    def _put(self, news) -> None:
        self.refused |= news.is_refused
        self.text += news.text
        self.heard += [json.loads(line[6:]) for line in news.text.splitlines() if line.startswith(b"data: ")]

    def kinds(self) -> list[str]:
        return [one["kind"] for one in self.heard]


def tick(hub: EventHub, *listeners: Listener, check: bool = False) -> None:
    if check:
        hub._checked = 0.0
    hub._tick([one.stream for one in listeners])


def listening(*users, **options) -> tuple[EventHub, list[Listener]]:
    hub, listeners = EventHub(), [Listener(user, **options) for user in users]
    tick(hub, *listeners, check=True)
    return hub, listeners


def make_run(project, user=None) -> TrainingRun:
    snapshot = Snapshot.objects.create(
        project=project, number=1, digest="", fractions={}, seed=1, class_names=[], counts={}
    )
    return TrainingRun.objects.create(project=project, snapshot=snapshot, configuration={}, created_by=user)


EPOCH = {
    "phase": "training",
    "epoch": 1,
    "loss": 0.5,
    "val_loss": 0.6,
    "learning_rate": 0.1,
    "seconds": 1.0,
    "images_per_second": 9.0,
}


class TestWhatIsTold:
    def test_a_job_from_its_start_to_its_end(self, api, owner, dataset):
        hub, (listener,) = listening(owner)
        made = api.post(f"/api/v1/datasets/{dataset['id']}/duplicates/", {}).json()
        tick(hub, listener)
        new = listener.heard[-1]
        assert (new["kind"], new["id"], new["state"], new["job_kind"]) == ("job", made["id"], "queued", made["kind"])
        assert new["created_by"] == "owner" and new["project"] == dataset["project"]
        job = work.claim(Job, made["id"])
        work.renew(job, progress={"done": 1, "total": 9, "eta_seconds": 2})
        work.record_event(job, "progress", job.progress)
        tick(hub, listener)
        assert (listener.heard[-1]["state"], listener.heard[-1]["progress"]["done"]) == ("running", 1)
        work.finish(job, WorkState.SUCCEEDED)
        tick(hub, listener)
        assert (listener.heard[-1]["state"], listener.heard[-1]["progress"]["done"]) == ("succeeded", 9)
        api.delete(f"/api/v1/jobs/{made['id']}/")
        tick(hub, listener)
        assert (listener.heard[-1]["id"], listener.heard[-1]["action"]) == (made["id"], "deleted")

    def test_a_failure_is_told_with_its_reason(self, owner, project):
        job = work.claim(Job, Job.objects.create(project=project, kind="import").pk)
        hub, (listener,) = listening(owner)
        work.finish(job, WorkState.FAILED, error_code="io_error", error_detail="No.")
        tick(hub, listener)
        assert listener.heard[-1]["error"] == {"code": "io_error", "detail": "No."}

    def test_every_epoch_of_a_training(self, owner, project):
        run = work.claim(TrainingRun, make_run(project, owner).pk)
        hub, (listener,) = listening(owner)
        for number in (1, 2, 3):
            work.record_event(run, "epoch", {**EPOCH, "epoch": number})
        work.record_event(run, "log", {"line": "x"})
        tick(hub, listener)
        (told,) = listener.heard[1:]
        assert told["kind"] == "training" and [one["epoch"] for one in told["epochs"]] == [1, 2, 3]

    def test_annotations_with_who_changed_them(self, api, owner, viewer, image, labels):
        hub, (listener,) = listening(viewer)
        label = labels["good"]["id"]
        api.put(f"/api/v1/images/{image['id']}/annotations/", [{"label": label}])
        tick(hub, listener)
        (told,) = [one for one in listener.heard if one["kind"] == "annotations"]
        revision = Image.objects.get().revision
        assert told["images"] == [{"id": image["id"], "revision": revision}] and told["by"] == "owner"

    def test_splits_and_names_of_images_and_that_they_were_put_back(self, api, owner, viewer, image, dataset):
        hub, (listener,) = listening(viewer)
        change = api.post(
            "/api/v1/images/bulk/", {"action": "split", "split": "test", "images": [image["id"]]}, format="json"
        )
        api.patch(f"/api/v1/images/{image['id']}/", {"filename": "other.jpg"})
        api.patch(f"/api/v1/images/{image['id']}/", {"filename": "other.jpg"})  # it changes nothing
        api.post(f"/api/v1/changes/{change.headers['X-Change']}/undo/")
        tick(hub, listener)
        told = [one for one in listener.heard if one["kind"] == "images"]
        assert [one["changed"] for one in told] == [["split"], ["filename"], ["split"]]
        assert {(one["dataset"], one["count"]) for one in told} == {(dataset["id"], 1)}

    def test_images_that_came_and_went(self, api, owner, dataset, image):
        hub, (listener,) = listening(owner)
        api.delete(f"/api/v1/images/{image['id']}/")
        tick(hub, listener)
        told, trash = listener.heard[-2:]
        assert (told["kind"], told["id"], told["images"]) == ("dataset", dataset["id"], -1)
        assert (trash["kind"], trash["action"]) == ("trash", "changed")

    def test_labels_datasets_projects_and_members(self, api, owner, project, dataset, labels):
        hub, (listener,) = listening(owner)
        api.patch(f"/api/v1/projects/{project.pk}/labels/{labels['good']['id']}/", {"name": "fine"})
        api.patch(f"/api/v1/datasets/{dataset['id']}/", {"name": "other"})
        api.patch(f"/api/v1/projects/{project.pk}/", {"name": "Nails"})
        add_member(project=project, user=make_user("new"), role="viewer")
        create_group(project=project, name="g")
        tick(hub, listener)
        told = {one["kind"]: one for one in listener.heard[1:]}
        assert told["label"]["name"] == "fine" and told["dataset"]["name"] == "other"
        assert told["device_group"]["name"] == "g"
        assert told["project"]["name"] == "Nails" and told["member"]["username"] == "new"

    def test_each_message_is_as_the_schema_has_it(self, api, owner, project, dataset, image, labels):
        hub, (listener,) = listening(owner)
        run = work.claim(TrainingRun, make_run(project, owner).pk)
        work.record_event(run, "epoch", EPOCH)
        api.patch(f"/api/v1/images/{image['id']}/", {"split": "test"})
        api.delete(f"/api/v1/images/{image['id']}/")
        api.patch(f"/api/v1/datasets/{dataset['id']}/", {"name": "other"})
        add_member(project=project, user=make_user("new"), role="viewer")
        work.finish(run, WorkState.CANCELLED)
        tick(hub, listener, check=True)
        assert {"ready", "training", "dataset", "member", "snapshot", "images"} <= set(listener.kinds())
        for message in listener.heard:
            fields = SERIALIZERS[message["kind"]]().fields
            assert set(message) <= set(fields), message
            assert {name for name, field in fields.items() if field.required} <= set(message), message


class TestWhoIsTold:
    def test_members_alone(self, owner, outsider, project):
        hub, (mine, theirs) = listening(owner, outsider)
        announce(project=project.pk, kind="label", id=project.pk, action="changed", name="x")
        tick(hub, mine, theirs)
        assert mine.kinds() == ["ready", "label"] and theirs.kinds() == ["ready"]

    def test_one_project_of_several(self, owner, project):
        other = create_project(user=owner, name="Other", task="classification")
        hub, (listener,) = listening(owner, project=other.pk)
        for one in (project, other):
            announce(project=one.pk, kind="label", id=one.pk, action="changed", name="x")
        tick(hub, listener)
        assert [one.get("project") for one in listener.heard] == [None, str(other.pk)]

    def test_who_is_no_member_any_more_hears_that_and_nothing_else(self, owner, viewer, project):
        hub, (listener, narrow) = listening(viewer, viewer)
        narrow.stream.project = project.pk
        remove_member(membership=Membership.objects.get(user=viewer))
        announce(project=project.pk, kind="label", id=project.pk, action="changed", name="x")
        tick(hub, listener, narrow)
        assert listener.heard[1:] == [{"kind": "access", "project": str(project.pk), "role": None}]
        assert narrow.refused and not listener.refused

    def test_who_becomes_a_member_is_told(self, outsider, project):
        hub, (listener,) = listening(outsider)
        add_member(project=project, user=outsider, role="viewer")
        tick(hub, listener)
        assert {"kind": "access", "project": str(project.pk), "role": "viewer"} in listener.heard

    def test_a_login_that_has_ended_ends_the_stream(self, owner):
        _, (listener,) = listening(owner, is_valid=lambda: False)
        assert listener.refused


class TestNothingIsMissed:
    def test_it_goes_on_where_it_was_cut_off(self, owner, project):
        hub, (first,) = listening(owner)
        position = first.stream.position
        run = make_run(project, owner)
        work.record_event(run, "epoch", EPOCH)
        announce(project=project.pk, kind="label", id=project.pk, action="changed", name="x")
        later = Listener(owner, position=position)
        tick(hub, first, later)
        assert set(later.kinds()) == {"training", "label", "snapshot"} and "ready" not in later.kinds()
        assert f"id: {later.stream.position}".encode() in later.text
        again = Listener(owner, position=later.stream.position)
        tick(hub, again)
        assert again.heard == []

    def test_too_much_is_not_told_again(self, owner, project, monkeypatch):
        monkeypatch.setattr(live_streams, "MOST_MISSED", 3)
        hub, (first,) = listening(owner)
        position = first.stream.position
        for number in range(4):
            announce(project=project.pk, kind="label", id=project.pk, action="changed", name=str(number))
        later = Listener(owner, position=position)
        tick(hub, later)
        assert later.kinds() == ["reset"]

    def test_what_is_not_kept_any_more_is_not_told(self, owner, project):
        for number in range(3):
            announce(project=project.pk, kind="label", id=project.pk, action="changed", name=str(number))
        last = ProjectEvent.objects.latest("pk").pk
        ProjectEvent.objects.update(created_at=timezone.now() - timedelta(days=2))
        assert delete_old_events() >= 2
        hub, (late, present) = EventHub(), [Listener(owner, position=Position(0, n)) for n in (last - 2, last)]
        tick(hub, late, present, check=True)
        assert late.kinds() == ["reset"] and present.kinds() == []

    def test_a_position_of_another_database_is_not_believed(self, owner):
        _, (listener,) = listening(owner, position=Position(10**9, 10**9))
        assert listener.kinds() == ["reset"]

    def test_a_slow_reader_is_read_for_later(self, owner, project, monkeypatch):
        hub, (listener,) = listening(owner)
        monkeypatch.setattr(live_streams, "MOST_WAITING", 0)
        announce(project=project.pk, kind="label", id=project.pk, action="changed", name="x")
        tick(hub, listener)
        assert listener.kinds() == ["ready"]
        monkeypatch.setattr(live_streams, "MOST_WAITING", 20)
        tick(hub, listener)
        assert listener.kinds() == ["ready", "label"]

    def test_a_database_that_was_away_for_a_moment_loses_nothing(self, owner, project, monkeypatch):
        hub, (listener,) = listening(owner)

        def away(*_):
            raise OperationalError("away")

        announce(project=project.pk, kind="label", id=project.pk, action="changed", name="x")
        with monkeypatch.context() as patch:
            patch.setattr(live_streams, "compose", away)
            with pytest.raises(OperationalError):
                tick(hub, listener)
        tick(hub, listener)
        tick(hub, listener)
        assert listener.kinds() == ["ready", "label"]

    def test_an_event_that_is_seen_late_is_told(self, owner, project):
        """A transaction with a lower number ends after one with a higher number."""
        hub, (listener,) = listening(owner)
        announce(project=project.pk, kind="label", id=project.pk, action="changed", name="x")
        early = ProjectEvent.objects.latest("pk")
        pk = early.pk
        early.delete()
        announce(project=project.pk, kind="label", id=project.pk, action="changed", name="second")
        tick(hub, listener)
        ProjectEvent.objects.create(pk=pk, project=project.pk, kind="label", content={"name": "first"})
        announce(project=project.pk, kind="label", id=project.pk, action="changed", name="third")
        tick(hub, listener)
        assert [one["name"] for one in listener.heard[1:]] == ["second", "first", "third"]

    def test_where_events_may_come_late_the_latest_are_told_once_more(self, owner, project, monkeypatch):
        monkeypatch.setattr(live_streams, "may_come_late", lambda: True)
        for name in ("old", "new"):
            announce(project=project.pk, kind="label", id=project.pk, action="changed", name=name)
        new = ProjectEvent.objects.latest("pk")
        ProjectEvent.objects.exclude(pk=new.pk).update(created_at=timezone.now() - timedelta(minutes=1))
        _, (later,) = listening(owner, position=Position(0, new.pk))
        assert [one["name"] for one in later.heard] == ["new"]


class TestCost:
    def test_a_tick_without_news_costs_two_queries(self, owner, project, django_assert_num_queries):
        hub, listeners = listening(*[owner] * 300)
        with django_assert_num_queries(2):
            tick(hub, *listeners)

    def test_news_cost_the_same_for_many(self, owner, project, django_assert_max_num_queries):
        users = [make_user(f"u{number}") for number in range(30)]
        for user in users:
            add_member(project=project, user=user, role="viewer")
        hub, listeners = listening(*users)
        announce(project=project.pk, kind="label", id=project.pk, action="changed", name="x")
        with django_assert_max_num_queries(8):
            tick(hub, *listeners)
        assert all(one.kinds()[-1] == "label" for one in listeners)


class TestFrontDoor:
    def read(self, client: APIClient, path: str = EVENTS, **query) -> str:
        answer = client.get(path, query)
        assert answer.status_code == 200, answer.content
        return b"".join(answer).decode()

    def test_the_first_message_is_ready(self, api, project):
        text = self.read(api, seconds=1)
        assert text.startswith("retry: 2000\n\n") and 'data: {"kind": "ready"}' in text and "\nid: " in text

    def test_it_goes_on_after_a_message(self, api, project):
        first = self.read(api, seconds=1)
        last = first.rpartition("id: ")[2].split()[0]
        announce(project=project.pk, kind="label", id=project.pk, action="changed", name="x")
        assert '"kind": "label"' in self.read(api, seconds=1, after=last)

    def test_strangers_and_other_projects(self, api, outsider, project):
        assert APIClient().get(EVENTS).status_code == 401
        answer = client_of(outsider).get(EVENTS, {"project": str(project.pk)})
        assert answer.status_code == 404 and answer.json()["errors"][0]["code"] == "not_found"
        assert api.get(EVENTS, {"seconds": "x"}).status_code == 400
        assert api.get(EVENTS, {"projekt": str(project.pk)}).status_code == 400

    def test_a_stream_too_many_is_refused(self, api, owner, settings, monkeypatch):
        settings.MAX_EVENT_STREAMS = 1
        monkeypatch.setattr(event_hub.hub, "_subscriptions", {Listener(owner).stream})
        answer = api.get(EVENTS)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (429, "too_many_event_streams")

    def test_the_stream_of_ended_work_is_not_asked_for_again(self, api, project):
        job = Job.objects.create(project=project, kind="import")
        work.finish(work.claim(Job, job.pk), WorkState.SUCCEEDED)
        path = f"/api/v1/jobs/{job.pk}/events/"
        assert b"event: end" in b"".join(api.get(path))
        last = WorkEvent.objects.filter(work=job.pk).latest("pk").pk
        again = api.get(path, headers={"last-event-id": str(last)})
        assert again.status_code == 204 and not again.content
        assert api.get(path, headers={"last-event-id": str(last - 1)}).status_code == 200
