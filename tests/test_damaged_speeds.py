"""The file of speeds, damaged in every way: estimates and trainings go on, and what is whole in it still counts."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from training.speeds import keep_speeds, speed_file
from vision.training.speeds import LARGEST_FILE, SpeedFile, Speeds, machine_name

NETWORK = "cnn scratch none"
GOOD = Speeds(NETWORK, machine_name(), 64, 64, 32, 0.001, 0.1, 33, 300_000, 900_000_000, 3.0)
WRONG = [
    {"machine": None}, {"machine": 5}, {"network": ["n"]}, {"forward": float("nan")}, {"forward": 10**400},
    {"step": -1}, {"forward": True}, {"forward": "0.1"}, {"forward": 0}, {"forward": 1e300}, {"step": 1e-320},
    {"preparing": "x"},
    {"preparing": float("nan")}, {"preparing": -5}, {"layers": None}, {"batch": 0.5}, {"batch": 0}, {"height": 64.5},
    {"height": 10**300}, {"memory_bytes": 1e308}, {"parameters": -1}, {"another": 1},
]  # fmt: skip


@pytest.fixture
def file(tmp_path) -> SpeedFile:
    return SpeedFile(tmp_path / "speeds.json")


@pytest.mark.parametrize(
    "content",
    [b"", b"3", b"null", b'"abc"', b'{"a": 1}', b"[null]", b"[[1]]", b"\xff\xfe\0", b"\0" * 99, b"[" * 100_000,
     b"[" + b"9" * 5000 + b"]", json.dumps([GOOD.to_dict()]).encode()[:60], b" " * LARGEST_FILE + b"[]"],
)  # fmt: skip
def test_a_file_that_is_none_of_ours_is_replaced(file, content):
    file.path.write_bytes(content)
    assert file.rows() == [] and file.about(NETWORK, 64, 64, 32) is None
    file.add(GOOD)
    assert file.rows() == [GOOD]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_row_that_cannot_be_takes_no_other_with_it(file, wrong):
    file.path.write_text(json.dumps([GOOD.to_dict(), GOOD.to_dict() | wrong]))
    assert file.rows() == [GOOD] and file.exactly(NETWORK, 64, 64, 32) == GOOD
    file.add(replace(GOOD, step=0.2))
    assert len(file.rows()) == 2


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_what_an_engine_should_not_say_is_not_kept(wrong):
    assert keep_speeds(GOOD.to_dict() | wrong) is None
    assert speed_file().rows() == []


@pytest.mark.parametrize("values", [None, [], "x", {}])
def test_what_is_no_measurement(values):
    assert keep_speeds(values) is None


@pytest.mark.parametrize("place", ["a folder", "a pipe", "below a file"])
def test_a_place_where_no_file_can_be(tmp_path, settings, place):
    settings.SPEEDS_FILE = tmp_path / "speeds.json"
    if place == "a folder":
        settings.SPEEDS_FILE.mkdir()
    elif place == "a pipe":
        os.mkfifo(settings.SPEEDS_FILE)  # reading it would wait for ever
    else:
        settings.SPEEDS_FILE.write_bytes(b"")
        settings.SPEEDS_FILE /= "speeds.json"
    assert speed_file().about(NETWORK, 64, 64, 32) is None
    assert keep_speeds(GOOD.to_dict()) == GOOD
    assert list(tmp_path.glob("*.partial")) == []


def test_a_full_disk_leaves_what_was_there(file, monkeypatch, settings):
    file.add(GOOD)
    settings.SPEEDS_FILE = file.path

    def full(path, text):
        with open(path, "w") as opened:
            opened.write(text[:20])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    assert keep_speeds(replace(GOOD, step=0.2).to_dict()) is not None
    monkeypatch.undo()
    assert file.rows() == [GOOD] and list(file.path.parent.iterdir()) == [file.path]


def test_threads_that_write_at_once_leave_a_whole_file(file):
    file.add(GOOD)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: file.add(replace(GOOD, step=0.1 + number / 100)), range(60)))
        reads = [file.rows() for _ in range(20)]
    assert all(GOOD in rows for rows in reads) and len(file.rows()) > 1
    assert list(file.path.parent.iterdir()) == [file.path]
