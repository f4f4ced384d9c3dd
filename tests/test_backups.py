"""A copy of a running studio becomes a studio again."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.once import migrated_database
from tests.pictures import jpeg
from tests.studio import ROOT, Studio


def manage(data: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "manage.py", *arguments, "--data-dir", str(data)]
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}  # it is about SQLite
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.long
@pytest.mark.slow
def test_a_backup_of_a_running_studio_is_a_studio_again(tmp_path):
    studio = Studio(tmp_path / "data").start()
    try:
        studio.register()
        project = studio.call("POST", "projects/", json={"name": "p", "task": "classification"})
        dataset = studio.call("POST", "datasets/", json={"project": project["id"], "name": "d"})
        path = f"datasets/{dataset['id']}/images/"
        studio.call("POST", path, files=[("files", ("a.jpg", jpeg(1), "image/jpeg"))])
        backup = tmp_path / "backup"
        done = manage(tmp_path / "data", "backup", str(backup))
        assert done.returncode == 0 and "1 file, " in done.stdout, done.stderr
        studio.call("POST", path, files=[("files", ("b.jpg", jpeg(2), "image/jpeg"))])
        done = manage(tmp_path / "data", "backup", str(backup))
        assert "2 files" in done.stdout and len(list(backup.glob("blobs/??/*"))) == 2
        studio.call("POST", path, files=[("files", ("c.jpg", jpeg(3), "image/jpeg"))])  # not in the backup
        token = studio.client.headers["Authorization"]
    finally:
        studio.stop()

    occupied = manage(tmp_path / "data", "restore", str(backup))
    assert occupied.returncode == 1 and "empty folder" in occupied.stderr
    nothing = manage(tmp_path / "new", "restore", str(tmp_path))
    assert nothing.returncode == 1 and "no finished backup" in nothing.stderr
    (file, *_) = backup.glob("blobs/??/*")
    content = file.read_bytes()
    file.write_bytes(b"rotten")
    damaged = manage(tmp_path / "new", "restore", str(backup))
    assert damaged.returncode == 1 and "damaged" in damaged.stderr and not (tmp_path / "new" / "db.sqlite3").exists()
    file.write_bytes(content)
    done = manage(tmp_path / "new", "restore", str(backup))
    assert done.returncode == 0, done.stderr

    again = Studio(tmp_path / "new").start()
    try:
        again.client.headers["Authorization"] = token
        images = again.call("GET", f"images/?dataset={dataset['id']}")["results"]
        assert {image["filename"] for image in images} == {"a.jpg", "b.jpg"}
        for image in images:
            content = again.client.get(f"images/{image['id']}/file/").content
            assert hashlib.sha256(content).hexdigest() == image["sha256"]
        again.call("POST", f"datasets/{dataset['id']}/images/", files=[("files", ("c.jpg", jpeg(3), "image/jpeg"))])
    finally:
        again.stop()


def test_a_backup_without_files_needs_the_store(tmp_path):
    (tmp_path / "data").mkdir()
    shutil.copyfile(migrated_database(), tmp_path / "data" / "db.sqlite3")
    assert manage(tmp_path / "data", "backup", str(tmp_path / "b"), "--without-files").returncode == 0
    refused = manage(tmp_path / "new", "restore", str(tmp_path / "b"))
    assert refused.returncode == 1 and "--store-is-intact" in refused.stderr
    assert manage(tmp_path / "new", "restore", str(tmp_path / "b"), "--store-is-intact").returncode == 0
