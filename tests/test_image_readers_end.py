"""However an import ends, no process that looked at its images is left, and no folder of one."""

from __future__ import annotations

import os
import signal
import threading
import uuid
from pathlib import Path

import pytest
from django.conf import settings

from datasets import image_readers
from datasets.image_readers import ImageReader
from datasets.models import Image
from jobs import services as jobs
from jobs import work
from jobs.models import Job, WorkState
from tests.pictures import jpeg, make_zip
from tests.test_imports import start

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("processes and folders")]


@pytest.fixture
def readers(monkeypatch) -> list[ImageReader]:
    """Those that were started; also small imports use them."""
    monkeypatch.setattr(image_readers, "MANY", 4)
    started: list[ImageReader] = []

    class Seen(ImageReader):
        def __init__(self, folder):
            super().__init__(folder)
            started.append(self)

    monkeypatch.setattr(image_readers, "ImageReader", Seen)
    return started


@pytest.fixture
def job(api, dataset) -> str:
    return start(api, dataset, make_zip({f"crack/{n}.jpg": jpeg(n) for n in range(12)})).json()["id"]


def assert_nothing_is_left(readers: list[ImageReader], job: str) -> None:
    assert readers and all(one._process.poll() is not None for one in readers)
    assert not list((settings.WORK_DIR / "jobs").glob(f"{job}*.readers"))
    assert not [one for one in readers if Path(one._folder.name).exists()]


def test_their_folders_are_the_job_s(readers, job, monkeypatch):
    """So that those of a worker that was killed are found and removed like its other files."""
    places = []
    look_at = ImageReader.look_at
    monkeypatch.setattr(
        ImageReader, "look_at", lambda one, contents: places.append(one._folder.name) or look_at(one, contents)
    )
    jobs.run_job(job)
    folder = str(settings.WORK_DIR / "jobs" / job)
    assert places and all(place.startswith(folder) and ".readers/" in place for place in places)
    assert Image.objects.count() == 12
    assert_nothing_is_left(readers, job)


@pytest.mark.parametrize("how", ["cancel", "shutdown"])
def test_an_import_that_is_stopped(api, readers, job, monkeypatch, how):
    """In the middle: after the first images, while others wait to be looked at."""
    monkeypatch.setattr("datasets.import_source.GROUP", 2)
    look_at = ImageReader.look_at

    def stopped(reader, contents):
        if how == "cancel":
            stop.set()
        else:
            work.shutting_down.set()
        return look_at(reader, contents)

    stop = threading.Event()
    monkeypatch.setattr(ImageReader, "look_at", stopped)
    renew = work.renew

    def renewed(row, **changes):
        if stop.is_set():
            Job.objects.filter(pk=job).update(cancel_requested=True)
        return renew(row, **changes)

    monkeypatch.setattr(work, "renew", renewed)
    try:
        jobs.run_job(job)
    finally:
        work.shutting_down.clear()
    expected = WorkState.CANCELLED if how == "cancel" else WorkState.QUEUED
    assert Job.objects.get(pk=job).state == expected
    assert_nothing_is_left(readers, job)


def test_a_reader_that_is_killed_in_the_middle_costs_no_image(api, readers, job, monkeypatch):
    look_at, killed = ImageReader.look_at, []

    def dies(reader, contents):
        if not killed:
            killed.append(os.kill(reader._process.pid, signal.SIGKILL))
        return look_at(reader, contents)

    monkeypatch.setattr(ImageReader, "look_at", dies)
    jobs.run_job(job)
    result = Job.objects.get(pk=job).result
    assert Job.objects.get(pk=job).state == WorkState.SUCCEEDED and Image.objects.count() == 12, result
    assert_nothing_is_left(readers, job)


def test_what_a_killed_worker_left_is_removed_by_the_next_attempt(readers, job):
    left = settings.WORK_DIR / "jobs" / f"{job}-{uuid.uuid4()}.readers"
    (left / "mlstudio-images-x" / ".sandbox").mkdir(parents=True)
    jobs.run_job(job)
    assert not left.exists() and Image.objects.count() == 12
