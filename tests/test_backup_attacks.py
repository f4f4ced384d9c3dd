"""Backups on disks that are full, damaged, shared, or that were written under a wrong clock."""

from __future__ import annotations

import errno
import json
import shutil

import pytest
from django.conf import settings as project_settings

from mlstudio import backups as copying
from mlstudio.models import MaintenanceRun
from mlstudio.staff import backups
from tests.conftest import upload
from tests.pictures import jpeg
from tests.test_system_backups import BACKUPS, age, files_of, folder, staff, taken, tried  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(transaction=True, available_apps=project_settings.INSTALLED_APPS)
GOOD = {"taken_at": "2026-01-01T00:00:00+00:00", "files": 0, "bytes": 0, "has_files": True}


def test_after_damage_the_next_backup_has_none(api, staff, dataset, folder):  # noqa: F811
    upload(api, dataset, [("a.jpg", jpeg(1)), ("b.jpg", jpeg(2))])
    taken(staff)
    rotten, _ = files_of(folder)
    rotten.write_bytes(b"x" * rotten.stat().st_size)
    assert tried(staff)["error"]["code"] == "backup_damaged"
    taken(staff)
    assert tried(staff)["state"] == "succeeded"
    assert sorted(path.stat().st_nlink for path in files_of(folder)) == [1, 1, 2, 2]


@pytest.mark.parametrize("place", [0, 4096])
def test_a_broken_database_is_reported_as_damage(staff, folder, place):  # noqa: F811
    name = taken(staff)["result"]["backup"]
    with open(folder / name / "db.sqlite3", "r+b") as file:
        file.seek(place)
        file.write(b"\xff" * 4096)
    run = tried(staff)
    assert (run["state"], run["error"]["code"]) == ("failed", "backup_damaged") and run["result"]["database"] != "ok"


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({**GOOD, "bytes": None}),
        json.dumps({**GOOD, "files": "x"}),
        json.dumps({**GOOD, "bytes": 10**30}),
        json.dumps({**GOOD, "bytes": -1}),
        json.dumps({**GOOD, "taken_at": "0001-01-01T00:00:00+14:00"}),
        json.dumps({**GOOD, "taken_at": "9999-12-31T23:59:59-14:00"}),
        "[" * 100_000,
        "\udcff",
    ],
)
def test_what_a_disk_gives_back_breaks_no_page(staff, folder, content):  # noqa: F811
    broken = folder / "studio-20200101-000000"
    broken.mkdir(parents=True)
    (broken / "backup.json").write_bytes(content.encode(errors="surrogateescape"))
    (broken / "db.sqlite3").write_bytes(b"x")
    assert staff.get(BACKUPS).json()["backups"] == []
    assert staff.get("/api/v1/system/").status_code == 200
    assert taken(staff)["state"] == "succeeded"


def test_a_date_ahead_stops_no_schedule(staff, folder, settings):  # noqa: F811
    settings.BACKUPS_KEPT = 1
    taken(staff)
    ahead = backups.finished_backups()[0]
    age(ahead, hours=-24 * 365)
    MaintenanceRun.objects.all().delete()
    assert backups.is_due() and staff.get("/api/v1/system/").json()["backup"]["newest_at"] is None
    run = taken(staff)
    assert run["state"] == "succeeded", run
    assert [backup.path.name for backup in backups.finished_backups()] == [run["result"]["backup"]] != [ahead.path.name]


def test_a_full_disk_ends_it_at_the_first_file(api, staff, dataset, folder, monkeypatch):  # noqa: F811
    upload(api, dataset, [("a.jpg", jpeg(1)), ("b.jpg", jpeg(2))])
    tries = []

    def full(source, target):
        tries.append(target)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(copying, "copy_file", full)
    run = taken(staff)
    assert len(tries) == 1 and "Make room" in run["error"]["detail"]


def test_it_leaves_the_room_that_must_stay_free(api, staff, dataset, folder, settings, monkeypatch):  # noqa: F811
    upload(api, dataset, [("a.jpg", jpeg(1))])
    asked = []

    class Usage:
        @property
        def free(self) -> int:
            asked.append(1)
            return 1 << 40 if len(asked) == 1 else settings.MIN_FREE_BYTES

    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage())
    run = taken(staff)
    assert (run["state"], run["error"]["code"]) == ("failed", "backup_failed") and "free" in run["error"]["detail"]
    assert files_of(folder) == []


def test_what_was_broken_off_gives_its_room_back_before_the_next(staff, folder, settings):  # noqa: F811
    half = folder / "studio-20200101-000000"
    (half / "blobs").mkdir(parents=True)
    settings.MIN_FREE_BYTES = 1 << 60
    assert taken(staff)["state"] == "failed" and not half.exists()


def test_two_studios_with_one_folder_leave_each_others_backups(staff, folder, settings):  # noqa: F811
    settings.BACKUPS_KEPT = 1
    first = taken(staff)["result"]["backup"]
    own_key, settings.SECRET_KEY = settings.SECRET_KEY, "of another studio"
    half = folder / "studio-20200101-000000"
    half.mkdir()
    (half / "owner").write_text("a third studio")
    second = taken(staff)["result"]["backup"]
    assert [kept["name"] for kept in staff.get(BACKUPS).json()["backups"]] == [second]
    assert (folder / first).exists() and half.exists()
    settings.SECRET_KEY = own_key
    assert [backup.path.name for backup in backups.finished_backups()] == [first]
