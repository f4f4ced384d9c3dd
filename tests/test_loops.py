"""What beat starts again and again: one row that raises, or one part that fails, stops nothing else."""

from __future__ import annotations

import json
import os
import time

import pytest

from datasets.import_report import ImportReport
from jobs.loops import each
from mlstudio import tasks, temporary
from training import searches
from training.models import Search

pytestmark = pytest.mark.django_db


def test_each_goes_on_behind_an_error():
    assert each([1, 0, 2], lambda number: 2 // number, loop="tested") == [2, 1]


def test_a_search_that_raises_stops_no_other(monkeypatch):
    first, second = Search(name="broken"), Search(name="fine")
    monkeypatch.setattr(searches.Search.objects, "filter", lambda **options: [first, second])

    def advance(*, search):
        if search is first:
            raise ValueError("broken for ever")
        return search

    monkeypatch.setattr(searches, "advance", advance)
    assert searches.look_after_searches() == 1


def test_a_roll_out_that_raises_stops_no_other(monkeypatch):
    from edge import rollouts
    from edge.models import Deployment, DeploymentState

    first, second = Deployment(), Deployment(state=DeploymentState.ROLLING)
    monkeypatch.setattr(rollouts.Deployment.objects, "filter", lambda **options: [first, second])

    def look_after(*, deployment):
        if deployment is first:
            raise ValueError("broken for ever")
        return deployment

    monkeypatch.setattr(rollouts, "look_after", look_after)
    assert rollouts.look_after_all() == 1


def test_a_part_of_housekeeping_that_fails_stops_no_other(monkeypatch):
    done = []

    def fails():
        raise ValueError("broken for ever")

    parts = {name: lambda name=name: done.append(name) or 0 for name in tasks.PARTS}
    monkeypatch.setattr(tasks, "PARTS", {"first": fails, **parts})
    tasks.housekeeping()
    assert done == list(parts)


def test_old_temporary_files_are_removed_and_those_in_use_stay(settings, tmp_path):
    settings.TEMPORARY_DIR = tmp_path
    old = time.time() - temporary.LEFTOVER_SECONDS - 60
    for name in ("__autograph_generated_file.py", "fresh.py"):
        (tmp_path / name).touch()
    for name in ("left", "used"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    os.utime(tmp_path / "left" / "file", (old, old))
    for name in ("__autograph_generated_file.py", "left", "used"):
        os.utime(tmp_path / name, (old, old))
    assert temporary.sweep_temporary_files() == 2
    assert {path.name for path in tmp_path.iterdir()} == {"fresh.py", "used"}


def test_an_import_whose_work_folder_was_lost_says_so(tmp_path):
    report = ImportReport(tmp_path / "report.jsonl", {"next": 256, "report_bytes": 195, "report": "gone.jsonl"})
    lines = [json.loads(line) for line in report.path.read_text().splitlines()]
    assert [line["code"] for line in lines] == ["report_lost"] and report.remark_codes == {"report_lost": 1}
    assert report.first_rejects(10) == [] and report.next == 256
    report.add([], 10)
    again = ImportReport(tmp_path / "next.jsonl", report.position())
    assert again.path.read_text().count("\n") == 1
