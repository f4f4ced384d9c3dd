"""A refusal says what to do instead, in the words of what was sent."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db


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
    assert "There are: expires_in_days, name." in said


def test_a_setting_that_is_none(api, project):
    body = {"project": str(project.pk), "epochz": 3}
    assert "Did you mean epochs?" in detail(api.post("/api/v1/trainings/", body), 400, "unknown")


def test_a_label_that_is_none(api, project, dataset):
    from django.core.files.uploadedfile import SimpleUploadedFile

    from tests.pictures import jpeg

    body = {"files": SimpleUploadedFile("a.jpg", jpeg(1), "image/jpeg"), "label": "nix"}
    answer = api.post(f"/api/v1/datasets/{dataset['id']}/images/", body, format="multipart")
    assert f"make it with projects/{project.pk}/labels/" in detail(answer, 400, "unknown_label")
