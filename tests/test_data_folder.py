"""A database belongs to one data folder: a part of the studio on another one does not start."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from mlstudio import data_folder
from mlstudio.data_folder import OtherFolder, require_shared
from mlstudio.launcher import studio
from mlstudio.launcher.problems import OTHER_FOLDER, CannotStart
from mlstudio.models import DataFolder

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def a_database_elsewhere(monkeypatch):
    DataFolder.objects.all().delete()
    monkeypatch.setattr(data_folder, "_is_apart", lambda: True)


@pytest.fixture
def folders(tmp_path):
    for name in ("own", "other"):
        (tmp_path / name).mkdir()
    return tmp_path / "own", tmp_path / "other"


def test_the_first_folder_is_its_own_and_another_is_refused(folders):
    own, other = folders
    require_shared(own)
    require_shared(own)
    with pytest.raises(OtherFolder, match="belongs to another data folder"):
        require_shared(other)
    assert not list(other.iterdir()) and [path.name for path in own.iterdir()] == ["folder-id"]


def test_a_folder_that_takes_its_place_is_said(folders):
    own, other = folders
    require_shared(own)
    require_shared(other, take=True)
    require_shared(other)
    with pytest.raises(OtherFolder):
        require_shared(own)


def test_two_parts_that_begin_at_once_have_one_id(folders, monkeypatch):
    own, _ = folders
    made = data_folder._made_id

    def meanwhile(folder):
        return made(folder) and made(folder)

    monkeypatch.setattr(data_folder, "_made_id", meanwhile)
    require_shared(own)
    require_shared(own)


def test_a_database_in_the_folder_is_not_asked(folders, monkeypatch):
    monkeypatch.setattr(data_folder, "_is_apart", lambda: False)
    for folder in folders:
        require_shared(folder)
    assert not DataFolder.objects.exists()


def test_the_command_ends_with_a_code_and_a_sentence(folders, settings):
    settings.DATA_DIR, other = folders
    with pytest.raises(CommandError):  # the web part has not been there
        call_command("prepare", check=True)
    require_shared(settings.DATA_DIR)
    call_command("prepare", check=True)
    settings.DATA_DIR = other
    with pytest.raises(CommandError, match="prepare --take-folder") as error:
        call_command("prepare", check=True)
    assert error.value.returncode == OTHER_FOLDER


def test_a_part_does_not_wait_for_what_will_not_come(monkeypatch, tmp_path):
    answer = SimpleNamespace(returncode=OTHER_FOLDER, stderr="CommandError: Another folder.")
    monkeypatch.setattr(studio.subprocess, "run", lambda command, **options: answer)
    part = studio.Studio(studio._parser().parse_args(["--only", "worker", "--data-dir", str(tmp_path)]))
    with pytest.raises(CannotStart, match=r"^Another folder\.$"):
        part._wait_for_migrations({"PATH": sys.executable})
