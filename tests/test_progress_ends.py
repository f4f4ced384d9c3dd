"""What has succeeded is done to its end, also in its progress."""

from __future__ import annotations

import pytest

from datasets.models import Snapshot
from jobs import work
from jobs.models import Job, WorkState
from training.models import TrainingRun

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("state", [WorkState.SUCCEEDED, WorkState.FAILED])
@pytest.mark.parametrize("kind", ["job", "training"])
def test_progress(project, kind, state):
    if kind == "job":
        row: work.Work = Job.objects.create(project=project, kind="export")
    else:
        snapshot = Snapshot.objects.create(
            project=project, number=1, digest="", fractions={}, seed=1, class_names=[], counts={}
        )
        row = TrainingRun.objects.create(project=project, snapshot=snapshot, configuration={})
    claimed = work.claim(type(row), row.pk)
    work.renew(claimed, progress={"done": 0, "total": 4, "eta_seconds": 9, "phase": "exporting"})
    work.finish(claimed, state)
    row.refresh_from_db()
    done = 4 if state == WorkState.SUCCEEDED else 0
    assert (row.progress["done"], row.progress["total"], row.progress["phase"]) == (done, 4, "exporting")
