"""What one user and one project may have: each limit has its own error, and `users/me/` shows all of them."""

from __future__ import annotations

import pytest

from jobs import work
from jobs.models import Job, WorkState
from projects import limits
from tests.conftest import client_of, make_user, upload
from tests.pictures import jpeg, shapes_zip
from tests.test_imports import run_import
from training.models import TrainingRun

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_counted_yet():
    yield
    for count in (limits.user_bytes, limits.project_bytes):
        count.clear()


def refused(answer, status: int, code: str) -> str:
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code), answer.content
    return answer.json()["errors"][0]["detail"]


def start_import(api, dataset):
    from django.core.files.uploadedfile import SimpleUploadedFile

    file = SimpleUploadedFile("a.zip", shapes_zip(2), "application/zip")
    return api.post(f"/api/v1/datasets/{dataset['id']}/imports/", {"file": file}, format="multipart")


def test_waiting_jobs_of_a_user(api, dataset, owner, settings):
    settings.MAX_QUEUED_JOBS = 2
    assert [start_import(api, dataset).status_code for _ in range(2)] == [202, 202]
    answer = start_import(api, dataset)
    assert "2 jobs" in refused(answer, 429, "too_many_queued_jobs")
    assert int(answer["Retry-After"]) > 0
    work.request_cancel(Job.objects.first())
    assert start_import(api, dataset).status_code == 202


def test_ended_jobs_do_not_count(api, dataset, owner, settings):
    settings.MAX_QUEUED_JOBS = 1
    start_import(api, dataset)
    work.finish(work.claim(Job, Job.objects.get().pk), WorkState.SUCCEEDED)
    assert start_import(api, dataset).status_code == 202


def test_waiting_jobs_of_a_project(api, editor, dataset, settings):
    settings.MAX_QUEUED_JOBS_PER_PROJECT = 1
    start_import(api, dataset)
    refused(start_import(client_of(editor), dataset), 429, "too_many_queued_jobs_in_project")


def test_a_refused_import_keeps_no_file(api, dataset, settings):
    from storage.models import Blob

    settings.MAX_QUEUED_JOBS = 1
    start_import(api, dataset)
    before = Blob.objects.count()
    start_import(api, dataset)
    assert Blob.objects.count() == before


def test_waiting_trainings(api, dataset, project, settings):
    run_import(api, dataset, shapes_zip(20))
    snapshot = api.post(f"/api/v1/datasets/{dataset['id']}/snapshots/", {}).json()["id"]
    settings.MAX_QUEUED_TRAININGS = 1
    body = {"project": str(project.pk), "snapshot": snapshot}
    assert api.post("/api/v1/trainings/", body).status_code == 201
    refused(api.post("/api/v1/trainings/", body), 429, "too_many_queued_trainings")
    refused(api.post("/api/v1/searches/", body), 429, "too_many_queued_trainings")
    assert TrainingRun.objects.count() == 1


def test_projects(api, project, settings):
    settings.MAX_PROJECTS = 2
    assert api.post("/api/v1/projects/", {"name": "b"}).status_code == 201
    refused(api.post("/api/v1/projects/", {"name": "c"}), 403, "too_many_projects")


@pytest.mark.any_database("sentences")
def test_a_limit_of_one_is_said_in_the_singular(api, dataset, project, settings):
    run_import(api, dataset, shapes_zip(20))
    snapshot = api.post(f"/api/v1/datasets/{dataset['id']}/snapshots/", {}).json()["id"]
    body = {"project": str(project.pk), "snapshot": snapshot}
    assert api.post("/api/v1/trainings/", body).status_code == 201
    settings.MAX_QUEUED_TRAININGS = settings.MAX_PROJECTS = settings.MAX_PROJECT_IMAGES = 1
    said = refused(api.post("/api/v1/trainings/", body), 429, "too_many_queued_trainings")
    assert said.startswith("You have 1 training waiting or running, ")
    assert "You have 1 project, " in refused(api.post("/api/v1/projects/", {"name": "c"}), 403, "too_many_projects")
    settings.MAX_QUEUED_TRAININGS, settings.MAX_QUEUED_TRAININGS_PER_PROJECT = 0, 1
    said = refused(api.post("/api/v1/trainings/", body), 429, "too_many_queued_trainings_in_project")
    assert said.startswith("This project has 1 training waiting or running, ")
    url = f"/api/v1/datasets/{dataset['id']}/images/"
    answer = api.post(url, {"files": [_file("new.jpg", jpeg(77))]}, format="multipart")
    assert "more than 1 image, " in refused(answer, 403, "too_many_images_in_project")


def test_images_of_a_project_and_of_a_user(api, dataset, settings):
    settings.MAX_PROJECT_IMAGES = 1
    upload(api, dataset, [("a.jpg", jpeg(1))])
    files = {"files": [_file("b.jpg", jpeg(2))]}
    url = f"/api/v1/datasets/{dataset['id']}/images/"
    refused(api.post(url, files, format="multipart"), 403, "too_many_images_in_project")
    settings.MAX_PROJECT_IMAGES, settings.MAX_USER_IMAGES = 0, 1
    files = {"files": [_file("b.jpg", jpeg(2))]}
    refused(api.post(url, files, format="multipart"), 403, "too_many_images")
    assert upload(api, dataset, [("a.jpg", jpeg(1))])["duplicates"]  # what is there already is no more of it


def _file(name: str, content: bytes):
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile(name, content, "application/octet-stream")


class TestBytes:
    def test_files_count_for_who_made_the_project(self, api, editor, dataset, settings):
        content = jpeg(1)
        settings.MAX_USER_BYTES = len(content) + 10
        upload(client_of(editor), dataset, [("a.jpg", content)])
        url = f"/api/v1/datasets/{dataset['id']}/images/"
        answer = client_of(editor).post(url, {"files": [_file("b.jpg", jpeg(2))]}, format="multipart")
        assert "MLSTUDIO_MAX_USER_BYTES" in refused(answer, 403, "too_many_bytes")
        used = api.get("/api/v1/users/me/").json()["limits"]["bytes"]
        assert used["used"] >= len(content) and used["limit"] == len(content) + 10

    def test_a_project_has_a_limit_of_its_own(self, api, dataset, project, settings):
        settings.MAX_PROJECT_BYTES = len(jpeg(1)) + 10
        upload(api, dataset, [("a.jpg", jpeg(1))])
        url = f"/api/v1/datasets/{dataset['id']}/images/"
        answer = api.post(url, {"files": [_file("b.jpg", jpeg(2))]}, format="multipart")
        refused(answer, 403, "too_many_bytes_in_project")
        other = api.post("/api/v1/projects/", {"name": "other"}).json()["id"]
        elsewhere = api.post("/api/v1/datasets/", {"project": other, "name": "d"}).json()
        assert upload(api, elsewhere, [("b.jpg", jpeg(2))])["created"]

    def test_emptying_the_trash_makes_room_at_once(self, api, dataset, settings):
        (image,) = upload(api, dataset, [("a.jpg", jpeg(1))])["created"]
        settings.MAX_USER_BYTES = max(len(jpeg(1)), len(jpeg(2))) + 10
        limits.user_bytes.clear()
        assert api.delete(f"/api/v1/images/{image['id']}/").status_code == 204
        answer = api.post(
            f"/api/v1/datasets/{dataset['id']}/images/", {"files": [_file("b.jpg", jpeg(2))]}, format="multipart"
        )
        assert "empty the trash" in refused(answer, 403, "too_many_bytes")
        api.post("/api/v1/trash/empty/", {"project": dataset["project"]}, format="json")
        assert upload(api, dataset, [("b.jpg", jpeg(2))])["created"]

    def test_announced_uploads_count(self, api, settings):
        settings.MAX_USER_BYTES = 1000
        headers = {"HTTP_TUS_RESUMABLE": "1.0.0", "content_type": "application/offset+octet-stream"}
        first = api.post("/api/v1/uploads/", b"", HTTP_UPLOAD_LENGTH="900", **headers)
        assert first.status_code == 201
        answer = api.post("/api/v1/uploads/", b"", HTTP_UPLOAD_LENGTH="200", **headers)
        refused(answer, 403, "too_many_bytes")
        assert api.delete(first["Location"], HTTP_TUS_RESUMABLE="1.0.0").status_code == 204
        assert api.post("/api/v1/uploads/", b"", HTTP_UPLOAD_LENGTH="200", **headers).status_code == 201

    def test_an_ended_job_gives_its_archive_back(self, api, dataset, settings, viewer):
        answer = start_import(api, dataset)
        url = answer["Location"]
        assert api.delete(url).json()["errors"][0]["code"] == "still_running"
        work.request_cancel(Job.objects.get())
        used = api.get("/api/v1/users/me/").json()["limits"]["bytes"]["used"]
        assert used > 0 and client_of(viewer).delete(url).status_code == 403
        assert api.delete(url).status_code == 204 and not Job.objects.exists()
        assert api.get("/api/v1/users/me/").json()["limits"]["bytes"]["used"] == 0

    def test_an_archive_that_does_not_fit_is_refused_before_its_job(self, api, dataset, settings):
        settings.MAX_USER_BYTES = 100
        refused(start_import(api, dataset), 403, "too_many_bytes")
        assert not Job.objects.exists()


def test_a_user_sees_all_limits(api, owner, project):
    shown = api.get("/api/v1/users/me/").json()["limits"]
    assert set(shown) >= {
        "bytes",
        "images",
        "projects",
        "queued_jobs",
        "queued_trainings",
        "event_streams",
        "open_uploads",
    }
    assert shown["projects"]["used"] == 1 and shown["queued_jobs"]["used"] == 0


def test_zero_means_no_limit(api, settings):
    settings.MAX_PROJECTS = 0
    assert client_of(make_user("x")).get("/api/v1/users/me/").json()["limits"]["projects"]["limit"] is None
