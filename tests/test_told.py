"""What a person is told: counts by their names, reports that answer, addresses that work as long as was asked for."""

from __future__ import annotations

import io
import json
import re
import zipfile
from urllib.parse import urlsplit

import pytest
from rest_framework.test import APIClient

from datasets.gallery.keeping import settle
from datasets.models import Annotation, Image
from inference.registry.registration import register_model
from jobs import services as jobs
from tests.conftest import upload
from tests.pictures import jpeg
from tests.test_imports import run_import

pytestmark = pytest.mark.django_db


def zipped(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


class TestImports:
    def test_labelled_images_are_counted_as_labelled(self, api, dataset):
        files = {f"{label}/{number}.jpg": jpeg(number) for number, label in enumerate(["a", "b", "a"])}
        job = run_import(api, dataset, zipped(files))
        result = job["result"]
        assert (result["created"], result["labelled"], result["annotated"]) == (3, 3, 3)
        assert "note" not in result and job["progress"]["done"] == job["progress"]["total"]

    def test_images_in_no_folder_are_named(self, api, dataset):
        job = run_import(api, dataset, zipped({"1.jpg": jpeg(1), "2.jpg": jpeg(2), "a/3.jpg": jpeg(3)}))
        assert (job["result"]["created"], job["result"]["labelled"]) == (3, 1)
        assert job["result"]["note"].startswith("2 images lie in no folder that names a label")

    def test_the_report_of_a_clean_import_is_its_summary(self, api, dataset):
        job = run_import(api, dataset, zipped({"a/1.jpg": jpeg(1)}))
        answer = api.get(f"/api/v1/jobs/{job['id']}/report/")
        assert answer.status_code == 200 and answer["Content-Type"] == "application/x-ndjson"
        (line,) = answer.content.splitlines()
        said = json.loads(line)
        assert (said["outcome"], said["created"], said["rejected"]) == ("summary", 1, 0)

    def test_a_job_without_a_report_says_why(self, api, dataset):
        made = api.post(f"/api/v1/datasets/{dataset['id']}/exports/", {"format": "folder"}).json()
        waiting = api.get(f"/api/v1/jobs/{made['id']}/report/")
        assert waiting.status_code == 404 and "is queued" in waiting.json()["errors"][0]["detail"]


class TestSuggestions:
    def test_images_with_suggestions_that_wait_are_unlabelled(self, api, dataset, labels):
        images = upload(api, dataset, [(f"{n}.jpg", jpeg(n)) for n in range(4)])["created"]
        ids = [image["id"] for image in images]
        Annotation.objects.create(image_id=ids[0], label_id=labels["good"]["id"])
        Annotation.objects.create(image_id=ids[1], label_id=labels["good"]["id"], origin="model", confirmed=False)
        Image.objects.filter(pk=ids[2]).update(reviewed=True)
        settle(ids)

        def found(value: str) -> set:
            return {one["id"] for one in api.get(f"/api/v1/images/?annotated={value}").json()["results"]}

        # A reviewed image without a label is one that shows nothing in detection only.
        assert (found("true"), found("false")) == ({ids[0]}, {ids[1], ids[2], ids[3]})
        statistics = api.get(f"/api/v1/datasets/{dataset['id']}/statistics/").json()
        assert (statistics["annotated"], statistics["unannotated"]) == (1, 3)


class TestAddresses:
    @pytest.fixture
    def model(self, project, owner, tmp_path):
        path = tmp_path / "model-float32.tflite"
        path.write_bytes(b"a model")
        return register_model(
            project=project,
            name="m",
            class_names=["a"],
            architecture="x",
            input_size=(8, 8),
            parameters=1,
            files={"litert-float32": path},
            user=owner,
        )

    @pytest.mark.parametrize("configured", ["", "https://studio.example.com"])
    def test_a_published_file_has_a_whole_address_for_as_long_as_asked(
        self, api, model, settings, monkeypatch, configured
    ):
        settings.CONFIGURED_PUBLIC_URL = configured
        answer = api.post(
            f"/api/v1/models/{model.pk}/publish/", {"kinds": ["litert-float32"], "seconds": 86_400}, format="json"
        )
        jobs.run_job(answer.json()["id"])
        (file,) = api.get(answer["Location"]).json()["result"]["files"]
        assert file["url"].startswith((configured or "http://testserver") + "/api/v1/models/")
        parts = urlsplit(file["url"])
        address = f"{parts.path}?{parts.query}"
        import time

        now = time.time()
        monkeypatch.setattr("storage.signing.time.time", lambda: now + 86_000)
        assert APIClient().get(address).status_code == 200
        monkeypatch.setattr("storage.signing.time.time", lambda: now + 2 * 86_400)
        assert APIClient().get(address).status_code in (401, 403)

    def test_a_missing_slash_is_said_with_the_right_address(self, api, project):
        refused = api.post("/api/v1/projects", {"name": "p", "task": "classification"})
        error = refused.json()["errors"][0]
        assert (refused.status_code, error["code"]) == (404, "missing_slash") and "/api/v1/projects/" in error["detail"]
        assert api.delete(f"/api/v1/projects/{project.pk}").json()["errors"][0]["code"] == "missing_slash"
        assert api.post("/api/v1/nothing", {}).json()["errors"][0]["code"] == "not_found"
        assert api.get("/api/v1/projects").status_code == 301


@pytest.mark.slow
def test_one_image_may_be_called_file(api, classifier):
    for field in ("file", "files"):
        answer = api.post(f"/api/v1/models/{classifier.pk}/predict/", {field: io.BytesIO(jpeg(1))}, format="multipart")
        assert answer.status_code == 200 and len(answer.json()["predictions"]) == 1, answer.content
    refused = api.post(f"/api/v1/models/{classifier.pk}/predict/", {}, format="json").json()
    assert re.search("Send files .* or the ids", refused["errors"][0]["detail"])


def test_an_image_whose_label_was_deleted_does_not_show_nothing(owner):
    """In detection a reviewed image without boxes is an example of nothing; taking a label away makes none."""
    from tests.conftest import client_of

    api = client_of(owner)
    project = api.post("/api/v1/projects/", {"name": "Boxes", "task": "detection"}).json()
    dataset = api.post("/api/v1/datasets/", {"project": project["id"], "name": "d"}).json()
    labels = [api.post(f"/api/v1/projects/{project['id']}/labels/", {"name": name}).json() for name in "ab"]
    ids = [image["id"] for image in upload(api, dataset, [("1.jpg", jpeg(1)), ("2.jpg", jpeg(2))])["created"]]
    for number, image in enumerate(ids):
        for label in labels[: number + 1]:
            Annotation.objects.create(image_id=image, label_id=label["id"], x_min=1, y_min=1, x_max=5, y_max=5)
    Image.objects.update(reviewed=True)
    path = f"/api/v1/projects/{project['id']}/labels/{labels[0]['id']}/?images=unlabel"
    assert api.delete(path).status_code == 204
    assert [Image.objects.get(pk=pk).reviewed for pk in ids] == [False, True]
