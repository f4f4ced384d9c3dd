"""A refusal says what to do instead, in the words of what was sent."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from tests.pictures import jpeg, make_zip
from tests.test_imports import run_import, start

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("words of refusals")]


def detail(answer, status: int, code: str) -> str:
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["code"]) == (status, code), answer.content
    return error["detail"]


@pytest.mark.parametrize("media_type", ["image/jpeg", "application/x-www-form-urlencoded", "text/plain"])
def test_a_body_of_another_type(api, media_type):
    said = detail(api.post("/api/v1/projects/", "x", content_type=media_type), 415, "unsupported_media_type")
    assert media_type in said and "Content-Type: application/json" in said and "-F file=@" in said


@pytest.mark.parametrize("scheme", ["Token", "Bearer"])
def test_a_token_that_is_none(scheme, db):
    answer = APIClient().get("/api/v1/projects/", headers={"Authorization": f"{scheme} nonsense"})
    assert "log in again" in detail(answer, 401, "authentication_failed")


def test_a_field_that_is_none(api):
    said = detail(api.post("/api/v1/tokens/", {"name": "plc", "zzz": 1}), 400, "unknown_field")
    assert "There are: expires_in_days, name, project, scope." in said


def test_a_setting_that_is_none(api, project):
    body = {"project": str(project.pk), "epochz": 3}
    assert "Did you mean epochs?" in detail(api.post("/api/v1/trainings/", body), 400, "unknown")


def test_a_label_that_is_none(api, project, dataset):
    body = {"files": SimpleUploadedFile("a.jpg", jpeg(1), "image/jpeg"), "label": "nix"}
    answer = api.post(f"/api/v1/datasets/{dataset['id']}/images/", body, format="multipart")
    assert f"make it with projects/{project.pk}/labels/" in detail(answer, 400, "unknown_label")


def test_a_dataset_whose_import_still_waits(api, dataset):
    url = f"/api/v1/datasets/{dataset['id']}/snapshots/"
    assert "Label images first." in detail(api.post(url, {}), 400, "no_labelled_images")
    start(api, dataset, make_zip({"a/1.jpg": jpeg(1)}))
    assert "an import into it waits" in detail(api.post(url, {}), 400, "no_labelled_images")


def test_boxes_of_a_kind_that_is_not_read_are_not_lost_in_silence(api):
    project = api.post("/api/v1/projects/", {"name": "b", "task": "detection"}).json()["id"]
    dataset = api.post("/api/v1/datasets/", {"project": project, "name": "d"}).json()
    boxes = b'{"a.jpg": {"shapes_of_our_own": [{"x": 1, "y": 1}]}}'
    job = run_import(api, dataset, make_zip({"a.jpg": jpeg(1), "boxes.json": boxes}))
    codes = job["result"]["remarks_by_code"]
    assert codes == {"unknown_annotations": 1, "no_annotations": 1} and job["result"]["created"] == 1
    assert "boxes.json" in job["result"]["note"] and job["result"]["unread"] == ["boxes.json"]
