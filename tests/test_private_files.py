"""Other users of the machine read neither the database nor its copies."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.once import migrated_database
from tests.test_backups import manage


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.long
@pytest.mark.slow
def test_a_new_data_folder_is_its_owners_alone(tmp_path):
    data = tmp_path / "data"
    assert manage(data, "prepare").returncode == 0
    assert (mode(data), mode(data / "db.sqlite3"), mode(data / "secret_key")) == (0o700, 0o600, 0o600)


def test_a_backup_and_what_is_restored_from_it(tmp_path):
    data, backup = tmp_path / "data", tmp_path / "backup"
    data.mkdir()
    shutil.copyfile(migrated_database(), data / "db.sqlite3")
    assert manage(data, "backup", str(backup)).returncode == 0
    assert (mode(backup), mode(backup / "blobs")) == (0o700, 0o700)
    assert (mode(backup / "db.sqlite3"), mode(backup / "secret_key")) == (0o600, 0o600)
    (backup / "db.sqlite3").chmod(0o644)  # as earlier versions wrote it
    assert manage(tmp_path / "new", "restore", str(backup)).returncode == 0
    assert (mode(tmp_path / "new" / "db.sqlite3"), mode(tmp_path / "new")) == (0o600, 0o700)
    assert manage(data, "backup", str(backup)).returncode == 0
    assert mode(backup / "db.sqlite3") == 0o600


def test_the_doctor_says_that_others_can_read_the_database(tmp_path):
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    shutil.copyfile(migrated_database(), data / "db.sqlite3")
    (data / "db.sqlite3").chmod(0o644)
    assert f"chmod 700 {data}" in manage(data, "doctor").stdout
    data.chmod(0o700)
    assert f"chmod 700 {data}" not in manage(data, "doctor").stdout
