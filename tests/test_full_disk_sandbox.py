"""A disk that is full while a file is read in the sandbox says nothing about the file."""

from __future__ import annotations

import pytest

from datasets.models import Image, Video
from jobs import services as jobs
from jobs.models import Job
from tests.made_videos import made_video
from tests.pictures import jpeg, make_zip
from tests.test_imports import start
from tests.test_videos import send
from vision.sandbox import process

pytestmark = [pytest.mark.django_db, pytest.mark.sandbox, pytest.mark.any_database("a full disk in the sandbox")]


@pytest.fixture
def full_disk(monkeypatch):
    """For processes in the sandbox: the rest of the studio has some space left."""
    return lambda patched: patched.setattr(process, "_exceeded", lambda *arguments: "disk")


def waits(job: Job) -> bool:
    return (job.state, job.error_code) == ("queued", "disk_full")


def test_a_video_is_not_called_damaged(api, dataset, full_disk, monkeypatch):
    with monkeypatch.context() as patched:
        full_disk(patched)
        answer = send(api, dataset, made_video(12))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (507, "disk_full")
    assert send(api, dataset, made_video(12)).status_code == 201


def test_a_video_is_read_through_when_there_is_space(api, dataset, full_disk, monkeypatch):
    assert send(api, dataset, made_video(13)).status_code == 201
    with monkeypatch.context() as patched:
        full_disk(patched)
        jobs.run_job(Job.objects.get().pk)
    assert waits(Job.objects.get())
    Job.objects.update(retry_at=None)
    jobs.run_job(Job.objects.get().pk)
    assert Job.objects.get().state == "succeeded" and Video.objects.get().is_surveyed


def test_an_import_goes_on_when_there_is_space(api, dataset, full_disk, monkeypatch):
    job = start(api, dataset, make_zip({"1.jpg": jpeg(1), "labels.csv": b"filename,label\n1.jpg,crack\n"})).json()["id"]
    with monkeypatch.context() as patched:
        full_disk(patched)
        jobs.run_job(job)
    assert waits(Job.objects.get())
    Job.objects.update(retry_at=None)
    jobs.run_job(job)
    ended = Job.objects.get()
    assert ended.state == "succeeded", (ended.error_code, ended.error_detail)
    assert Image.objects.count() == 1
