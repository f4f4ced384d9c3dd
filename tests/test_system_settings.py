"""What the studio says of its store, its weights and its settings, without secrets."""

from __future__ import annotations

import os

import pytest
from rest_framework.test import APIClient

from mlstudio import environment, system
from storage.models import Blob
from tests.conftest import client_of, make_user, upload
from tests.pictures import jpeg

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("settings")]
PARTS = ("store", "weights", "settings")


@pytest.fixture(autouse=True)
def nothing_remembered():
    system.remembered.clear()
    yield
    system.remembered.clear()


@pytest.fixture
def staff():
    user = make_user("boss")
    user.is_staff = True
    user.save()
    return client_of(user)


@pytest.mark.parametrize("part", PARTS)
def test_they_are_for_the_staff(api, staff, part):
    address = f"/api/v1/system/{part}/"
    assert APIClient().get(address).status_code == 401
    assert api.get(address).status_code == 403
    assert staff.get(address).status_code == 200


def test_the_store_says_what_waits(api, staff, dataset):
    empty = staff.get("/api/v1/system/store/").json()
    assert empty["answers"] and empty["waiting"] == {"files": 0, "bytes": 0, "oldest": None}
    image = upload(api, dataset, [("a.jpg", jpeg(1))])["created"][0]
    Blob.objects.update(attempts=1, problem="no room", state="cached")
    system.remembered.clear()
    body = staff.get("/api/v1/system/store/").json()
    assert (body["waiting"]["files"], body["waiting"]["bytes"]) == (1, image["size"])
    assert (body["failing"], body["last_problem"]) == (1, "no room")
    assert body["files"] == [{"state": "cached", "backend": "local", "files": 1, "bytes": image["size"]}]


def test_weights_say_where_to_put_them(staff, monkeypatch, tmp_path):
    monkeypatch.setenv("MLSTUDIO_WEIGHTS_DIR", str(tmp_path))
    body = staff.get("/api/v1/system/weights/").json()
    assert body["folders"][:2] == [str(tmp_path / "models"), str(tmp_path)]
    of = {row["architecture"]: row["files"] for row in body["architectures"]}
    (file,) = of["mobilenet_v2"]
    assert file["kind"] == "imagenet" and not file["is_here"] and "small_cnn" not in of
    (tmp_path / file["name"]).touch()
    body = staff.get("/api/v1/system/weights/").json()
    assert next(row for row in body["architectures"] if row["architecture"] == "mobilenet_v2")["files"][0]["is_here"]


def test_settings_have_values_and_no_secrets(staff, settings):
    response = staff.get("/api/v1/system/settings/")
    rows = {row["name"]: row for row in response.json()["settings"]}
    assert rows["MLSTUDIO_TRASH_DAYS"] == {
        "name": "MLSTUDIO_TRASH_DAYS",
        "value": "30",
        "is_set": False,
        "is_secret": False,
    }
    assert rows["MLSTUDIO_MIN_FREE_BYTES"]["is_set"] and rows["MLSTUDIO_MIN_FREE_BYTES"]["value"] == "1000000"
    for name in ("MLSTUDIO_SECRET_KEY", "MLSTUDIO_SMTP_PASSWORD", "MLSTUDIO_METRICS_TOKEN", "FASTDFS_HTTP_SECRET"):
        assert rows[name]["is_secret"] and rows[name]["value"] == ""
    assert settings.SECRET_KEY not in response.content.decode()
    assert not rows["MLSTUDIO_OWN_PASSWORD_RATE"]["is_secret"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("postgres://user:pa55@host/studio", "postgres://user:***@host/studio"),
        (
            "postgres://user:p@55:x@host/studio?sslpassword=pa55&a=1",
            "postgres://user:***@host/studio?sslpassword=***&a=1",
        ),
        ("redis://:pa55@host:6379/0", "redis://:***@host:6379/0"),
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("postgres://user:pa 55@host/studio", "postgres://user:***@host/studio"),
        ("redis://:pa/55@host:6379/0", "redis://:***@host:6379/0"),
        ("redis://:pa\n55#?@host:6379/0", "redis://:***@host:6379/0"),
        ("https://pa55@host/x", "https://:***@host/x"),
        ("redis://:pa55@one:1,redis://:pa66@two:2", "redis://:***@one:1,redis://:***@two:2"),
        ("a,b", "a,b"),
    ],
)
def test_addresses_lose_their_passwords(value, shown):
    assert environment._without_password(value) == shown


def test_every_setting_that_was_read_is_shown():
    names = {row.name for row in environment.in_force()}
    assert {"MLSTUDIO_BACKUP_DIR", "DATABASE_URL", "MLSTUDIO_HTTPS", "MLSTUDIO_SANDBOX"} <= names
    assert all(row.is_set == bool(os.environ.get(row.name)) for row in environment.in_force())
