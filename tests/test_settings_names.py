"""Settings: misspelled names are named, sizes take units, folders must exist; backups say which folder they are of."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from mlstudio import environment
from tests.studio import ROOT

READ = (
    "from django.core.exceptions import ImproperlyConfigured\n"
    "try:\n    import mlstudio.settings as s, mlstudio.environment as e\n"
    "    print(s.MAX_UPLOAD_BYTES, *e.misspelled(), sep='|')\n"
    "except ImproperlyConfigured as error:\n    print(error)"
)


def read(tmp_path, **variables: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLSTUDIO_")}
    variables = {**kept, "MLSTUDIO_DATA_DIR": str(tmp_path), **variables}
    done = subprocess.run([sys.executable, "-c", READ], cwd=ROOT, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-500:]
    return done.stdout.strip()


def test_misspelled_names_are_named_with_the_closest(tmp_path):
    said = read(tmp_path, MLSTUDIO_WEIGTHS_DIR="/x", MLSTUDIO_URL="http://x", MLSTUDIO_TEST_SEED="1")
    assert said.split("|")[1:] == [
        "MLSTUDIO_WEIGTHS_DIR is no setting and does nothing. Did you mean MLSTUDIO_WEIGHTS_DIR?"
    ]


def test_every_documented_setting_is_known():
    text = (ROOT / "docs" / "configuration.md").read_text()
    documented = set(re.findall(r"`(MLSTUDIO_[A-Z0-9_]+)`", text))
    import mlstudio.settings  # noqa: F401 - reading it makes the names known

    assert documented - environment._known == set()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("20GB", 20 * 10**9),
        ("20GiB", 20 << 30),
        ("500M", 500 * 10**6),
        ("1.5 gib", 3 << 29),
        ("1_000", 1000),
        ("20,000", 20_000),
        ("7", 7),
        ("2k", 2000),
    ],
)
def test_sizes_take_units(monkeypatch, value, expected):
    monkeypatch.setenv("MLSTUDIO_MAX_UPLOAD_BYTES", value)
    assert environment.number("MLSTUDIO_MAX_UPLOAD_BYTES", 1) == expected
    assert os.environ["MLSTUDIO_MAX_UPLOAD_BYTES"] == str(expected)


@pytest.mark.parametrize("value", ["20XB", "GB", "1.5", "ten", "1 2", "-5", "1e9", "20GB/s"])
def test_wrong_sizes_are_named(monkeypatch, value):
    monkeypatch.setenv("MLSTUDIO_MAX_UPLOAD_BYTES", value)
    with pytest.raises(ImproperlyConfigured, match="MLSTUDIO_MAX_UPLOAD_BYTES must be"):
        environment.number("MLSTUDIO_MAX_UPLOAD_BYTES", 1)


def test_a_missing_folder_of_weights_is_an_error(tmp_path):
    assert "there is no such folder" in read(tmp_path, MLSTUDIO_WEIGHTS_DIR=str(tmp_path.parent / "nowhere"))
    assert read(tmp_path, MLSTUDIO_WEIGHTS_DIR=str(tmp_path / "weights")) and (tmp_path / "weights").is_dir()


def manage(*arguments: str) -> subprocess.CompletedProcess:
    kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, timeout=60)


@pytest.mark.slow
def test_a_backup_names_its_folder_and_refuses_one_without_a_database(tmp_path):
    done = manage("backup", str(tmp_path / "backup"), "--data-dir", str(tmp_path / "empty"))
    assert done.returncode == 1 and f"Backing up the data folder {tmp_path / 'empty'}" in done.stdout
    assert "holds no database" in done.stderr and not (tmp_path / "backup").exists()
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "backup.json").write_text('{"taken_at": "now", "files": 0, "bytes": 0, "has_files": true}')
    done = manage("restore", str(tmp_path / "backup"), "--data-dir", str(tmp_path / "new"))
    assert done.returncode == 1 and f"into the data folder {tmp_path / 'new'}" in done.stdout
    assert "holds no database" in done.stderr
