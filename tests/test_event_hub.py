"""Event streams: one poller a process tells them all, in order, and no more than a user may have."""

from __future__ import annotations

import asyncio

import pytest
from django.conf import settings

from jobs import work
from jobs.models import Job, WorkEvent, WorkState
from projects import event_hub
from projects.event_hub import EventHub, Subscription
from projects.selectors import jobs_of

pytestmark = pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS)


@pytest.fixture
def job(project, owner) -> Job:
    return Job.objects.create(project=project, created_by=owner, kind="import")


def listen(hub: EventHub, user, jobs: list[Job], until, seconds: float = 20, is_valid=lambda: True) -> list[list]:
    """What streams, one for each of the jobs, are told until `until` says that it is enough."""

    async def run() -> list[list]:
        streams = [Subscription(user, Job, job.pk, 0, jobs_of, "login", is_valid) for job in jobs]
        told: list[list] = [[] for _ in streams]
        for stream in streams:
            hub.add(stream)

        async def read(stream: Subscription, into: list) -> None:
            while True:
                into.append(await stream.news.get())

        readers = [asyncio.create_task(read(*pair)) for pair in zip(streams, told, strict=True)]
        async with asyncio.timeout(seconds):
            while not until(told):
                await asyncio.sleep(0.01)
        for reader in readers:
            reader.cancel()
        for stream in streams:
            hub.remove(stream)
        return told

    return asyncio.run(run())


def test_many_events_come_in_order_and_once(owner, job, monkeypatch):
    monkeypatch.setattr(event_hub, "BATCH", 7)
    WorkEvent.objects.bulk_create(WorkEvent(work=job.pk, kind="log", content={"n": n}) for n in range(50))
    work.finish(work.claim(Job, job.pk), WorkState.SUCCEEDED)
    (told,) = listen(EventHub(), owner, [job], lambda told: any(news.has_ended for news in told[0]))
    numbers = [event.content["n"] for news in told for event in news.events if event.kind == "log"]
    assert numbers == list(range(50))


def test_six_hundred_idle_streams_cost_one_query_a_tick(owner, job, django_assert_num_queries):
    hub = EventHub()
    hub._checked = float("inf")  # who may see what is asked every few seconds only

    async def subscribe() -> list[Subscription]:
        return [Subscription(owner, Job, job.pk, 0, jobs_of, "login", lambda: True) for _ in range(600)]

    streams = asyncio.run(subscribe())
    hub._tick(streams)
    with django_assert_num_queries(1):
        hub._tick(streams)


def test_all_streams_of_one_piece_of_work_are_told(owner, job):
    work.record_event(job, "log", {"line": "x"})
    told = listen(EventHub(), owner, [job] * 50, lambda told: all(told))
    assert all(news[0].events[0].content == {"line": "x"} for news in told)


def test_who_is_no_member_any_more_is_refused(outsider, job):
    (told,) = listen(EventHub(), outsider, [job], lambda told: bool(told[0]))
    assert told[0].is_refused and not told[0].events


def test_a_login_that_has_ended_ends_its_streams(owner, job):
    (told,) = listen(EventHub(), owner, [job], lambda told: bool(told[0]), is_valid=lambda: False)
    assert told[0].is_refused


def test_a_token_that_is_revoked_ends_its_streams_and_no_others(owner, job, monkeypatch):
    """Through the front door, with two tokens of one user."""
    from rest_framework.test import APIClient

    from accounts.services import issue_login_token

    monkeypatch.setattr(event_hub, "CHECK_SECONDS", 0)
    (revoked, secret), (_, kept) = issue_login_token(user=owner), issue_login_token(user=owner)

    def open_stream(secret: str):
        return APIClient(HTTP_AUTHORIZATION=f"Token {secret}").get(f"/api/v1/jobs/{job.pk}/events/")

    first, second = open_stream(secret), open_stream(kept)
    revoked.delete()
    assert b"".join(first) == b"retry: 2000\n\n"
    work.finish(work.claim(Job, job.pk), WorkState.SUCCEEDED)
    assert b"event: end" in b"".join(second)


def test_deleted_work_ends_its_streams(owner, job):
    pk = job.pk
    job.delete()
    job.pk = pk
    (told,) = listen(EventHub(), owner, [job], lambda told: any(news.is_refused for news in told[0]))
    assert told


def test_a_stream_too_many_is_refused(api, owner, job, settings):
    settings.MAX_EVENT_STREAMS = 1

    async def run() -> None:
        subscription = Subscription(owner, Job, job.pk, 0, jobs_of, "login", lambda: True)
        event_hub.hub.add(subscription)

    asyncio.run(run())
    answer = api.get(f"/api/v1/jobs/{job.pk}/events/")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (429, "too_many_event_streams")
    event_hub.hub._subscriptions.clear()
    assert api.get(f"/api/v1/jobs/{job.pk}/events/").status_code == 200


def test_the_thread_ends_with_the_last_stream(owner, job):
    hub = EventHub()
    work.record_event(job, "log", {"line": "x"})
    listen(hub, owner, [job], lambda told: bool(told[0]))
    thread = hub._thread
    if thread is not None:
        thread.join(10)
    assert hub._thread is None and hub.count(owner) == 0
