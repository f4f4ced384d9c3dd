"""Pretrained weights that the staff brings from the pages."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.conf import settings as project_settings
from rest_framework.test import APIClient

from mlstudio.models import MaintenanceRun
from mlstudio.staff import running
from tests.conftest import client_of, make_user
from tests.weights_source import CONTENT, FILE, NAME, PRESET, Source, preset_content
from training import weights as pretrained

WEIGHTS = "/api/v1/system/weights/"
pytestmark = [
    pytest.mark.django_db(transaction=True, available_apps=project_settings.INSTALLED_APPS),
    pytest.mark.usefixtures("weights_folder"),
    pytest.mark.any_database("files of weights"),
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
        "files": [FILE],
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


def test_the_password_of_the_mirror_is_not_shown(staff, settings):
    settings.WEIGHTS_URL = "http://mia:secret@127.0.0.1:9/weights"
    assert state(staff)["mirror"] == "http://127.0.0.1:9/weights"


class TestFiles:
    """Weights that are sent, where the server reaches no source."""

    def send(self, client: APIClient, files: dict[str, bytes] | list[tuple[str, bytes]], name: str = NAME):
        pairs = files.items() if isinstance(files, dict) else files
        streams = [named(file, content) for file, content in pairs]
        return client.post(f"{WEIGHTS}{name}/files/", {"files": streams}, format="multipart")

    def test_they_are_taken_without_a_network(self, staff, folder, source):
        answer = self.send(staff, {"download (1).h5": CONTENT})
        assert (answer.status_code, answer.json()) == (200, {"path": str(folder / FILE)})
        assert state(staff)["file"]["is_here"] and (folder / FILE).read_bytes() == CONTENT and source.asked == []

    def test_they_replace_what_is_here_and_a_wrong_one_does_not(self, staff, folder):
        folder.mkdir()
        (folder / FILE).write_bytes(b"damaged")
        assert code_of(self.send(staff, {FILE: CONTENT[:20_000]})) == (400, "weights_differ")
        assert (folder / FILE).read_bytes() == b"damaged"
        assert self.send(staff, {FILE: CONTENT}).status_code == 200
        assert (folder / FILE).read_bytes() == CONTENT

    def test_a_preset_comes_as_a_whole(self, staff, folder):
        files = {"config.json": b"{}", "metadata.json": b"{}", "model.weights.h5": preset_content()}
        part = dict(list(files.items())[:2])
        assert code_of(self.send(staff, part, PRESET)) == (400, "weights_incomplete")
        assert code_of(self.send(staff, {**files, "more.txt": b"x"}, PRESET)) == (400, "weights_incomplete")
        twice = [*files.items(), ("config.json", b"{}")]
        assert code_of(self.send(staff, twice, PRESET)) == (400, "weights_incomplete")
        assert code_of(self.send(staff, {**files, "config.json": b"{"}, PRESET)) == (400, "weights_differ")
        assert self.send(staff, files, PRESET).status_code == 200
        assert {path.name for path in (folder / "resnet_18_imagenet").iterdir()} == set(files)

    @pytest.mark.parametrize("content", [b"<!doctype html>", CONTENT[:11], CONTENT[:-1], b"x" * 1000])
    def test_another_file_is_refused(self, staff, folder, content):
        assert code_of(self.send(staff, {FILE: content})) == (400, "weights_differ")
        assert not (folder / FILE).exists() and not state(staff)["file"]["is_here"]

    def test_too_large(self, staff, monkeypatch):
        monkeypatch.setattr(pretrained, "MOST_TIMES", 0)
        monkeypatch.setattr(pretrained, "MOST_MORE", 1000)
        assert code_of(self.send(staff, {FILE: CONTENT})) == (413, "file_too_large")

    def test_it_is_for_the_staff(self, api, folder):
        assert self.send(api, {FILE: CONTENT}).status_code == 403
        assert self.send(APIClient(), {FILE: CONTENT}).status_code == 401
        assert not (folder / FILE).exists()

    def test_wrong_requests(self, staff):
        assert code_of(self.send(staff, {FILE: CONTENT}, "burn")) == (404, "not_found")
        assert code_of(staff.post(f"{WEIGHTS}{NAME}/files/", {}, format="multipart")) == (400, "required")
        assert code_of(self.send(staff, {FILE: b""})) == (400, "empty")
        answer = staff.post(f"{WEIGHTS}{NAME}/files/", {"files": ["text"]}, format="multipart")
        assert code_of(answer) == (400, "invalid")
        assert staff.get(f"{WEIGHTS}{NAME}/files/").status_code == 405

    def test_a_full_disk(self, staff, settings, folder):
        settings.MIN_FREE_BYTES = 1 << 60
        assert code_of(self.send(staff, {FILE: CONTENT})) == (507, "disk_full")
        assert not (folder / FILE).exists()

    def test_while_a_download_runs(self, staff, folder):
        with pretrained._alone():
            assert code_of(self.send(staff, {FILE: CONTENT})) == (409, "still_running")

    def test_where_downloads_are_off(self, staff, settings):
        settings.WEIGHTS = "off"
        assert self.send(staff, {FILE: CONTENT}).status_code == 200


def named(name: str, content: bytes) -> io.BytesIO:
    stream = io.BytesIO(content)
    stream.name = name
    return stream
