"""Backups and trial restores that the staff asks for and the schedule takes."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as project_settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from mlstudio import environment
from mlstudio.models import MaintenanceRun
from mlstudio.staff import backups, running
from tests.conftest import client_of, make_user, upload
from tests.pictures import jpeg

BACKUPS, DRILL = "/api/v1/system/backups/", "/api/v1/system/backups/drill/"
pytestmark = pytest.mark.django_db(transaction=True, available_apps=project_settings.INSTALLED_APPS)


@pytest.fixture
def staff():
    user = make_user("boss")
    user.is_staff = True
    user.save()
    return client_of(user)


@pytest.fixture
def folder(settings, tmp_path) -> Path:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL has backups of its own")
    settings.BACKUP_DIR = tmp_path / "backups"
    return settings.BACKUP_DIR


def taken(staff) -> dict:
    """A backup that was asked for and taken."""
    asked = staff.post(BACKUPS)
    assert asked.status_code == 202, asked.content
    running.look_after()
    return run_of(staff, asked.json()["id"])


def run_of(staff, pk: str) -> dict:
    return next(run for run in staff.get(BACKUPS).json()["runs"] if run["id"] == pk)


def tried(staff) -> dict:
    asked = staff.post(DRILL)
    assert asked.status_code == 202, asked.content
    running.look_after()
    return run_of(staff, asked.json()["id"])


def files_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/blobs/??/*"))


def test_they_are_for_the_staff(api, staff, folder):
    for client, read, change in ((APIClient(), 401, 401), (api, 403, 403), (staff, 200, 202)):
        assert client.get(BACKUPS).status_code == read
        assert client.post(BACKUPS).status_code == change
        MaintenanceRun.objects.all().delete()
        assert client.post(DRILL).status_code == change


def test_without_a_folder_there_are_none(staff):
    body = staff.get(BACKUPS).json()
    assert body["why_none"] and (body["folder"], body["backups"], body["next_at"]) == (None, [], None)
    for address in (BACKUPS, DRILL):
        answer = staff.post(address)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "backups_off")
    assert running.look_after() == 0 and not MaintenanceRun.objects.exists()


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="it is about PostgreSQL")
def test_postgresql_has_backups_of_its_own(staff, settings, tmp_path):
    settings.BACKUP_DIR = tmp_path
    assert "pg_dump" in staff.get(BACKUPS).json()["why_none"]
    answer = staff.post(BACKUPS)
    assert answer.status_code == 409 and "pg_dump" in answer.json()["errors"][0]["detail"]


def test_one_is_taken_in_the_background(api, staff, dataset, folder, settings):
    settings.BACKUP_HOURS = 0
    upload(api, dataset, [("a.jpg", jpeg(1)), ("b.jpg", jpeg(2))])
    asked = staff.post(BACKUPS, {"folder": "/etc"})
    assert asked.status_code == 202 and asked.json()["state"] == "queued" and not folder.exists()
    again = staff.post(BACKUPS)
    assert (again.status_code, again.json()["errors"][0]["code"]) == (409, "still_running")
    assert staff.post(DRILL).status_code == 409
    assert running.look_after() == 1
    run = run_of(staff, asked.json()["id"])
    assert (run["state"], run["error"], run["created_by"], run["kind"]) == ("succeeded", None, "boss", "backup")
    body = staff.get(BACKUPS).json()
    (backup,) = body["backups"]
    assert (backup["name"], backup["files"]) == (run["result"]["backup"], 2) and backup["bytes"] > 0
    assert body["free_bytes"] > 0 and body["next_at"] is None
    assert len(files_of(folder)) == 2 and (folder / backup["name"] / "db.sqlite3").exists()
    assert staff.get("/api/v1/system/").json()["backup"]["is_on"] is True
    assert running.look_after() == 0


def test_files_are_shared_and_old_ones_go(api, staff, dataset, folder, settings):
    settings.BACKUPS_KEPT = 2
    (folder / "photos").mkdir(parents=True)
    (folder / "studio-20200101-000000").mkdir()  # was broken off
    upload(api, dataset, [("a.jpg", jpeg(1))])
    first = taken(staff)["result"]["backup"]
    upload(api, dataset, [("b.jpg", jpeg(2))])
    names = [first, *(taken(staff)["result"]["backup"] for _ in range(2))]
    assert sorted(path.name for path in folder.iterdir()) == sorted(["photos", *names[1:]])
    assert [path.stat().st_nlink for path in files_of(folder)] == [2, 2, 2, 2]
    assert [kept["name"] for kept in staff.get(BACKUPS).json()["backups"]] == [names[2], names[1]]


def test_the_schedule_takes_one_when_it_is_time(staff, folder, settings):
    settings.BACKUP_HOURS = 24
    assert running.look_after() == 1
    (backup,) = backups.finished_backups()
    assert running.look_after() == 0
    assert run_of(staff, str(MaintenanceRun.objects.get().pk))["created_by"] is None
    age(backup, hours=25)
    assert running.look_after() == 0  # the last attempt is not an hour old
    MaintenanceRun.objects.update(created_at=timezone.now() - timedelta(hours=2))
    assert running.look_after() == 1 and len(backups.finished_backups()) == 2


def age(backup: backups.Backup, *, hours: int) -> None:
    path = backup.path / "backup.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "taken_at": (timezone.now() - timedelta(hours=hours)).isoformat()}))


def test_an_old_or_failed_one_is_late(staff, folder, settings):
    state = lambda: staff.get("/api/v1/system/").json()["backup"]  # noqa: E731
    taken(staff)
    assert state()["newest_at"] and not state()["is_late"]
    age(backups.finished_backups()[0], hours=2 * settings.BACKUP_HOURS + 1)
    assert state()["is_late"]
    settings.MIN_FREE_BYTES = 1 << 60
    run = taken(staff)
    assert (run["state"], run["error"]["code"]) == ("failed", "backup_failed") and "free" in run["error"]["detail"]
    assert len(backups.finished_backups()) == 1 and state()["is_late"]


def test_a_trial_restore_finds_it_whole(api, staff, dataset, folder, settings):
    upload(api, dataset, [("a.jpg", jpeg(1)), ("b.jpg", jpeg(2))])
    name = taken(staff)["result"]["backup"]
    run = tried(staff)
    assert run["state"] == "succeeded", run
    found = run["result"]
    assert (found["backup"], found["database"], found["files"], found["looked_at"]) == (name, "ok", 2, 2)
    assert (found["missing"], found["damaged"]) == (0, 0)
    assert (found["counts"]["images"], found["counts"]["users"], found["counts"]["projects"]) == (2, 2, 1)
    assert staff.get(BACKUPS).json()["last_drill"]["id"] == run["id"]
    assert not list(settings.TEMPORARY_DIR.glob("restore-drill-*"))


def test_a_trial_restore_finds_what_is_damaged(api, staff, dataset, folder):
    upload(api, dataset, [("a.jpg", jpeg(1)), ("b.jpg", jpeg(2)), ("c.jpg", jpeg(3))])
    taken(staff)
    rotten, lost, _ = files_of(folder)
    rotten.write_bytes(b"x" * rotten.stat().st_size)
    lost.unlink()
    run = tried(staff)
    assert (run["state"], run["error"]["code"]) == ("failed", "backup_damaged")
    assert (run["result"]["missing"], run["result"]["damaged"], run["result"]["looked_at"]) == (1, 1, 2)


def test_a_trial_restore_reads_a_broken_database(staff, folder):
    name = taken(staff)["result"]["backup"]
    with open(folder / name / "db.sqlite3", "r+b") as file:
        file.seek(4096)
        file.write(b"\x00" * 40_000)
    run = tried(staff)
    assert run["state"] == "failed" and run["error"]["code"] in ("backup_damaged", "backup_failed")


def test_a_trial_restore_needs_a_backup(staff, folder):
    run = tried(staff)
    assert run["error"]["code"] == "backup_failed" and "take one first" in run["error"]["detail"]


def test_another_worker_goes_on_with_what_a_dead_one_left(staff, folder):
    asked = staff.post(BACKUPS).json()
    past = timezone.now() - timedelta(minutes=5)
    MaintenanceRun.objects.update(state="running", lease_expires_at=past, attempts=1)
    half = folder / backups._name(MaintenanceRun.objects.get().created_at)
    half.mkdir(parents=True)
    (half / "db.partial").write_bytes(b"half")
    assert running.look_after() == 1
    assert run_of(staff, asked["id"])["result"]["backup"] == half.name
    assert sorted(path.name for path in half.iterdir())[:1] == ["backup.json"]


def test_a_restored_studio_never_writes_over_its_origin(staff, folder):
    name = taken(staff)["result"]["backup"]
    at = MaintenanceRun.objects.get().created_at
    again = backups.take(name_at=at, on_progress=lambda done, total: None)
    assert again.path.name != name and len(backups.finished_backups()) == 2


def test_what_is_no_backup_any_more_is_not_listed(staff, folder):
    name = taken(staff)["result"]["backup"]
    (folder / "studio-20200101-000000").mkdir()
    (folder / "studio-20200101-000000" / "backup.json").write_text("{}")
    (folder / "studio-20200101-000001").write_text("a file")
    for content in ('{"taken_at": "yesterday", "files": 0, "bytes": 0, "has_files": true}', "nonsense"):
        (folder / "studio-20200101-000002").mkdir(exist_ok=True)
        (folder / "studio-20200101-000002" / "backup.json").write_text(content)
        assert [kept["name"] for kept in staff.get(BACKUPS).json()["backups"]] == [name]
    (folder / name / "db.sqlite3").unlink()
    assert staff.get(BACKUPS).json()["backups"] == []


def test_a_disk_that_is_away_is_no_error(staff, folder):
    folder.parent.joinpath("backups").write_text("no folder")
    body = staff.get(BACKUPS).json()
    assert body["backups"] == [] and staff.get("/api/v1/system/").json()["backup"]["newest_at"] is None
    assert taken(staff)["error"]["code"] == "backup_failed"


def test_an_old_backup_that_cannot_be_removed_spoils_no_new_one(staff, folder, settings, monkeypatch):
    settings.BACKUPS_KEPT = 1
    taken(staff)

    def refuse(path):
        raise PermissionError(path)

    monkeypatch.setattr("shutil.rmtree", refuse)
    assert taken(staff)["state"] == "succeeded" and len(backups.finished_backups()) == 1


def test_a_folder_inside_the_data_folder_is_refused(monkeypatch, tmp_path):
    for value in (tmp_path, tmp_path / "backups"):
        monkeypatch.setenv("MLSTUDIO_BACKUP_DIR", str(value))
        with pytest.raises(ImproperlyConfigured, match="MLSTUDIO_BACKUP_DIR must be"):
            environment.backup_folder("MLSTUDIO_BACKUP_DIR", tmp_path)
    monkeypatch.setenv("MLSTUDIO_BACKUP_DIR", str(tmp_path))
    assert environment.backup_folder("MLSTUDIO_BACKUP_DIR", tmp_path / "data") == tmp_path


def test_only_the_last_runs_are_remembered(staff, folder, monkeypatch):
    monkeypatch.setattr(running, "RUNS_KEPT", 1)
    for _ in range(2):
        tried(staff)
    assert running.delete_old_runs() >= 1
    assert MaintenanceRun.objects.count() == 1
