"""A finished upload in parts is taken wherever a file is: imports, images, models, videos."""

from __future__ import annotations

import json

import pytest
from django.conf import settings
from rest_framework.test import APIClient

from datasets.models import Image
from inference.models import Model
from jobs import services as jobs
from jobs.models import Job
from storage.models import Upload
from storage.resumable import path_of
from tests.conftest import client_of
from tests.made_videos import made_video
from tests.pictures import jpeg, shapes_zip
from tests.test_resumable import begin, send

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("parts of files")]


def uploaded(api, content: bytes, filename: str, *, parts: int = 3) -> str:
    """The id of an upload of which each part but the first was cut off and sent on from where the server is."""
    location = begin(api, len(content), filename)["Location"]
    step = len(content) // parts + 1
    while (offset := int(api.head(location, HTTP_TUS_RESUMABLE="1.0.0")["Upload-Offset"])) < len(content):
        assert send(api, location, offset, content[offset : offset + step]).status_code == 204
    return location.rstrip("/").rpartition("/")[2]


@pytest.fixture
def imports(dataset) -> str:
    return f"/api/v1/datasets/{dataset['id']}/imports/"


@pytest.fixture
def images(dataset) -> str:
    return f"/api/v1/datasets/{dataset['id']}/images/"


def test_an_archive_is_imported(api, imports, django_capture_on_commit_callbacks):
    upload = uploaded(api, shapes_zip(6), "shapes.zip")
    with django_capture_on_commit_callbacks(execute=True):
        answer = api.post(imports, {"upload": upload, "format": "auto"})
    assert answer.status_code == 202, answer.content
    jobs.run_job(answer.json()["id"])
    job = api.get(answer["Location"]).json()
    assert job["state"] == "succeeded" and job["result"]["created"] == 12
    assert not Upload.objects.exists() and not list(settings.UPLOADS_DIR.glob(upload))
    again = api.post(imports, {"upload": upload})
    assert (again.status_code, again.json()["errors"][0]["code"]) == (404, "not_found")


def test_a_dry_run_then_the_import_of_the_same_archive(api, imports):
    dry = api.post(imports, {"upload": uploaded(api, shapes_zip(6), "shapes.zip"), "dry_run": True}).json()
    jobs.run_job(dry["id"])
    assert Image.objects.count() == 0
    answer = api.post(imports, {"job": dry["id"]})
    jobs.run_job(answer.json()["id"])
    assert Image.objects.count() == 12


def test_images_have_outcomes_of_their_own(api, images, labels):
    files = [("a.jpg", jpeg(1)), ("b.jpg", jpeg(2)), ("bad.jpg", b"no image"), ("c.jpg", jpeg(1))]
    ids = [uploaded(api, content, name, parts=1) for name, content in files]
    answer = api.post(images, {"uploads": ids, "label": "good"})
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert {one["filename"] for one in body["created"]} == {"a.jpg", "b.jpg"}
    assert [one["filename"] for one in body["duplicates"]] == ["c.jpg"]
    assert [one["filename"] for one in body["rejected"]] == ["bad.jpg"]
    assert not Upload.objects.exists()


def test_a_model_is_uploaded(api, project):
    upload = uploaded(api, b"no model, but a job will say so", "model.onnx")
    answer = api.post("/api/v1/models/", {"project": str(project.pk), "upload": upload, "labels": '["a", "b"]'})
    assert answer.status_code == 202, answer.content
    job = Job.objects.get()
    assert (job.kind, job.parameters["filename"], job.parameters["format"]) == ("model_import", "model.onnx", "onnx")
    assert not Model.objects.exists() and not Upload.objects.exists()


def test_a_video_is_added(api, dataset):
    upload = uploaded(api, made_video(8), "video.mp4")
    answer = api.post(f"/api/v1/datasets/{dataset['id']}/videos/", {"upload": upload})
    assert answer.status_code == 201 and answer.json()["filename"] == "video.mp4"


@pytest.mark.any_database("who may use an upload")
class TestRefusals:
    PATHS = ("imports", "images", "videos", "models")

    def ask(self, client, kind: str, upload: str, dataset: dict):
        path = "/api/v1/models/" if kind == "models" else f"/api/v1/datasets/{dataset['id']}/{kind}/"
        body: dict = {"uploads": [upload]} if kind == "images" else {"upload": upload}
        if kind == "models":
            body |= {"project": dataset["project"], "labels": "a\nb"}
        return client.post(path, body)

    @pytest.mark.parametrize("kind", PATHS)
    def test_one_that_is_not_finished(self, api, dataset, kind):
        upload = begin(api, 100, "model.onnx").json()["id"]
        answer = self.ask(api, kind, upload, dataset)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "upload_incomplete"), answer.content
        assert Upload.objects.count() == 1

    @pytest.mark.parametrize("kind", PATHS)
    def test_somebody_elses(self, api, dataset, editor, kind):
        upload = uploaded(client_of(editor), shapes_zip(2), "model.onnx")
        answer = self.ask(api, kind, upload, dataset)
        assert (answer.status_code, Upload.objects.count()) == (404, 1)

    @pytest.mark.parametrize("kind", PATHS)
    def test_by_who_may_not(self, dataset, viewer, outsider, kind):
        for user, status in ((viewer, 403), (outsider, 400 if kind == "models" else 404)):
            client = client_of(user)
            upload = uploaded(client, shapes_zip(2), "model.onnx")
            assert self.ask(client, kind, upload, dataset).status_code == status
            assert path_of(Upload.objects.get(pk=upload)).exists()
        assert self.ask(APIClient(), kind, upload, dataset).status_code == 401

    def test_a_model_that_is_too_large_or_no_model_stays_an_upload(self, api, dataset, settings):
        settings.MAX_MODEL_BYTES = 10
        answer = self.ask(api, "models", uploaded(api, b"x" * 20, "model.onnx"), dataset)
        assert answer.status_code == 413
        assert self.ask(api, "models", uploaded(api, b"x" * 5, "model.exe"), dataset).status_code == 400
        assert Upload.objects.count() == 2

    def test_a_failure_leaves_it_for_another_try(self, api, imports, monkeypatch):
        upload = uploaded(api, shapes_zip(2), "shapes.zip")
        monkeypatch.setattr("datasets.imports.enqueue_job", lambda **_: 1 / 0)
        assert api.post(imports, {"upload": upload}).status_code == 500
        monkeypatch.undo()
        assert api.post(imports, {"upload": upload}).status_code == 202

    def test_one_way_at_a_time(self, api, imports, images):
        upload = uploaded(api, jpeg(1), "a.jpg", parts=1)
        assert api.post(imports, {"upload": upload, "source": "s3://b/p"}).status_code == 400
        assert api.post(images, {}).status_code == 400
        assert api.post(images, {"uploads": [upload, upload]}).status_code == 400
        assert json.loads(api.get("/api/v1/uploads/").content)["results"]
