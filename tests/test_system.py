"""What the staff is told of the machine: enough to see what is full, what waits and what is away."""

from __future__ import annotations

import subprocess

import pytest
from rest_framework.test import APIClient

from jobs.models import Job
from mlstudio import system
from tests.conftest import client_of, make_user, upload
from tests.pictures import jpeg
from tests.test_registry import make_model

pytestmark = pytest.mark.django_db
SYSTEM = "/api/v1/system/"


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


def test_it_is_for_the_staff(api, staff):
    assert APIClient().get(SYSTEM).status_code == 401
    answer = api.get(SYSTEM)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "permission_denied")
    assert staff.get(SYSTEM).status_code == 200


def test_it_says_what_takes_the_disk(api, staff, project, dataset, owner, tmp_path):
    image = upload(api, dataset, [("a.jpg", jpeg(1))])["created"][0]
    make_model(project, owner, tmp_path, "m")
    (row,) = staff.get(SYSTEM).json()["usage"]["projects"]
    assert (row["name"], row["created_by"], row["image_count"]) == ("Screws", "owner", 1)
    assert row["images_bytes"] == image["size"] and row["models_bytes"] > 0
    assert row["bytes"] == row["images_bytes"] + row["videos_bytes"] + row["models_bytes"] + row["jobs_bytes"]


def test_it_says_what_waits_and_runs(staff, project):
    Job.objects.create(project=project, kind="import")
    Job.objects.create(project=project, kind="import", state="running")
    Job.objects.create(project=project, kind="model_import", queue="heavy")
    Job.objects.create(project=project, kind="import", state="succeeded")
    queues = {one["queue"]: one for one in staff.get(SYSTEM).json()["queues"]}
    assert set(queues) == {"quick", "heavy", "preflight", "training", "webhooks"}
    assert (queues["quick"]["waiting"], queues["quick"]["running"], queues["heavy"]["waiting"]) == (1, 1, 1)
    assert queues["quick"]["oldest_at"] and queues["training"]["oldest_at"] is None


def test_it_answers_while_the_broker_is_away(staff, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    body = staff.get(SYSTEM).json()
    assert body["broker"].startswith("unreachable") and body["workers"] == []
    assert body["store"]["state"] == "ok"


def test_versions_and_memory(staff, settings):
    body = staff.get(SYSTEM).json()
    assert body["versions"]["studio"] == settings.VERSION
    packages = {one["name"]: one["version"] for one in body["versions"]["packages"]}
    assert packages["Django"] and packages["keras"]
    assert 0 < body["memory"]["available_bytes"] <= body["memory"]["total_bytes"]
    assert 0 < body["disk"]["free_bytes"] < body["disk"]["total_bytes"]


class TestGraphicsCards:
    LINES = "NVIDIA L4, 23034, 512, 37\nOld card, [N/A], [N/A], [N/A]\n"

    def test_the_driver_is_asked(self, monkeypatch):
        monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/nvidia-smi")
        done = subprocess.CompletedProcess([], 0, stdout=self.LINES)
        monkeypatch.setattr(subprocess, "run", lambda *args, **options: done)
        first, second = system.gpus()
        assert first == {
            "name": "NVIDIA L4",
            "total_bytes": 23034 << 20,
            "used_bytes": 512 << 20,
            "utilization_percent": 37,
        }
        assert second["total_bytes"] is second["utilization_percent"] is None

    def test_a_driver_that_does_not_answer_is_no_error(self, monkeypatch):
        def hang(*args, **options):
            raise subprocess.TimeoutExpired("nvidia-smi", 5)

        monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/nvidia-smi")
        monkeypatch.setattr(subprocess, "run", hang)
        assert system.gpus() == []


def test_the_sums_are_not_made_for_every_question(staff, project, django_assert_max_num_queries):
    staff.get(SYSTEM)
    with django_assert_max_num_queries(9):
        staff.get(SYSTEM)
