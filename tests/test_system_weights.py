"""Pretrained weights that the staff brings from the pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings as project_settings
from rest_framework.test import APIClient

from mlstudio.models import MaintenanceRun
from mlstudio.staff import running
from tests.conftest import client_of, make_user
from tests.weights_source import CONTENT, FILE, NAME, Source
from training import weights as pretrained

WEIGHTS = "/api/v1/system/weights/"
pytestmark = [
    pytest.mark.django_db(transaction=True, available_apps=project_settings.INSTALLED_APPS),
    pytest.mark.usefixtures("weights_folder"),
]


@pytest.fixture
def source(weights_source) -> Source:
    return weights_source


@pytest.fixture
def folder(weights_folder) -> Path:
    return weights_folder


@pytest.fixture
def staff() -> APIClient:
    user = make_user("boss")
    user.is_staff = True
    user.save()
    return client_of(user)


def state(staff: APIClient) -> dict:
    body = staff.get(WEIGHTS).json()
    (file,) = next(row for row in body["architectures"] if row["architecture"] == NAME)["files"]
    return body | {"file": file}


def code_of(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


def test_it_is_for_the_staff(api, source):
    assert APIClient().post(WEIGHTS, {"name": NAME}).status_code == 401
    assert api.post(WEIGHTS, {"name": NAME}).status_code == 403
    assert not MaintenanceRun.objects.exists()


def test_what_was_asked_for_comes_in_the_background(staff, folder, source):
    before = state(staff)
    assert before["file"]["download"] == {
        "name": NAME,
        "licence": "Apache-2.0",
        "address": "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/",
        "bytes": 9031936,
    }
    assert (before["file"]["is_here"], before["downloads"], before["run"]) == (False, True, None)
    answer = staff.post(WEIGHTS, {"name": NAME})
    assert answer.status_code == 202 and answer.json()["kind"] == "weights" and answer.json()["subject"] == NAME
    assert source.asked == [] and state(staff)["run"]["state"] == "queued"
    assert running.look_after() == 1
    after = state(staff)
    assert after["file"]["is_here"] and (folder / FILE).read_bytes() == CONTENT
    assert (after["run"]["state"], after["run"]["error"]) == ("succeeded", None)
    assert after["run"]["result"] == {"path": str(folder / FILE)}
    assert staff.get("/api/v1/system/backups/").json()["runs"] == []


def test_why_a_download_failed_is_said_and_it_can_be_tried_again(staff, source):
    source.cut_after = 100_000
    staff.post(WEIGHTS, {"name": NAME})
    running.look_after()
    run = state(staff)["run"]
    assert (run["state"], run["error"]["code"]) == ("failed", "weights_unreachable")
    assert "the next try goes on from there" in run["error"]["detail"]
    source.cut_after = None
    assert staff.post(WEIGHTS, {"name": NAME}).status_code == 202
    running.look_after()
    assert state(staff)["file"]["is_here"] and source.asked[-1][1] == "bytes=65536-"


def test_a_full_disk_ends_it_with_a_code(staff, settings):
    settings.MIN_FREE_BYTES = 1 << 60
    staff.post(WEIGHTS, {"name": NAME})
    running.look_after()
    assert state(staff)["run"]["error"]["code"] == "disk_full"


def test_one_at_a_time(staff):
    assert staff.post(WEIGHTS, {"name": NAME}).status_code == 202
    assert code_of(staff.post(WEIGHTS, {"name": "resnet50"})) == (409, "still_running")


def test_what_is_here_is_not_brought_again(staff):
    pretrained.download(pretrained.weights_named(NAME))
    assert code_of(staff.post(WEIGHTS, {"name": NAME})) == (409, "weights_here")


def test_off_is_off(staff, settings, source):
    settings.WEIGHTS = "off"
    assert code_of(staff.post(WEIGHTS, {"name": NAME})) == (403, "weights_off")
    assert not state(staff)["downloads"] and not MaintenanceRun.objects.exists()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "required"),
        ({"name": "burn"}, "invalid_choice"),
        ({"name": None}, "null"),
        ({"name": [NAME]}, "invalid_choice"),
    ],
)
def test_a_wrong_name_is_refused(staff, body, code):
    answer = staff.post(WEIGHTS, body)
    assert answer.status_code == 400 and answer.json()["errors"][0]["attr"] == "name"
    assert answer.json()["errors"][0]["code"] == code


def test_an_unknown_field_is_refused(staff):
    assert code_of(staff.post(WEIGHTS, {"name": NAME, "url": "http://127.0.0.1"})) == (400, "unknown_field")
