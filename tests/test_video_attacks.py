"""Many who ask for frames and versions of videos at one moment."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings as project_settings
from django.db import close_old_connections, connection

from datasets import playing
from datasets.models import Video
from jobs.models import Job
from tests.conftest import client_of
from tests.made_videos import made_video
from tests.test_video_pages import frame
from tests.test_videos import add

pytestmark = pytest.mark.django_db(transaction=True, available_apps=project_settings.INSTALLED_APPS)


def test_who_waits_for_a_frame_leaves_threads_to_others(api, dataset, owner, monkeypatch):
    """Not all threads of the web server: the rest is sent away at once, without a wait."""
    video = add(api, dataset, made_video(5))
    room = max(1, project_settings.WEB_THREADS // 4)
    is_over, codes = threading.Event(), []

    def slow(*args, **kwargs):
        is_over.wait(30)
        raise playing.VideoProblem("no_such_frame", "none")

    def ask() -> None:
        try:
            codes.append(frame(client_of(owner), video, index=1).status_code)
        finally:
            connection.close()
        if codes.count(503) == 4:
            is_over.set()

    monkeypatch.setattr(playing, "frame_at", slow)
    monkeypatch.setattr(playing, "FRAME_WAIT_SECONDS", 60)
    asking = [threading.Thread(target=ask) for _ in range(playing.FRAMES_AT_ONCE + room + 4)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(20)
    is_over.set()
    assert sorted(codes) == [404] * (playing.FRAMES_AT_ONCE + room) + [503] * 4


def test_two_who_ask_for_a_version_at_one_moment_get_one(api, dataset, owner):
    video = Video.objects.get(pk=add(api, dataset, made_video(5))["id"])
    start = threading.Barrier(4)

    def ask(_) -> str:
        start.wait(10)
        try:
            return str(playing.start_proxy(video=Video.objects.get(pk=video.pk), user=owner).pk)
        finally:
            close_old_connections()
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(ask, range(4)))) == 1
    assert Job.objects.filter(kind="video_proxy").count() == 1
