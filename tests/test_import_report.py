"""Each attempt of a job keeps what it makes to itself, and only what its holder made counts."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from datasets import import_batches, imports
from datasets.import_report import ImportReport
from datasets.outcomes import Outcome
from jobs import services as jobs
from jobs import work
from jobs.context import JobContext
from jobs.errors import LeaseLost
from jobs.models import Job, JobFile, WorkState
from storage import services as storage
from tests.pictures import jpeg, make_zip
from tests.test_imports import report_of, start

pytestmark = pytest.mark.django_db
LATE = [Outcome("late.jpg", "rejected", None, "not_an_image", "Written by a holder that lost its lease.")]


def take_over(pk) -> Job:
    """The holder is silent for too long, and another one claims the job."""
    Job.objects.filter(pk=pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    job = work.claim(Job, pk)
    assert job is not None
    return job


def test_lines_of_a_holder_that_lost_its_lease_are_in_no_report(api, dataset, monkeypatch):
    files = {f"{number}.jpg": b"no image" for number in range(4)} | {"good.jpg": jpeg(1)}
    pk = start(api, dataset, make_zip(files)).json()["id"]
    monkeypatch.setattr(import_batches, "BATCH", 1)
    reports: list[ImportReport] = []
    calls: list[int] = []
    real_batch = imports.import_batch

    def recorded(*arguments) -> ImportReport:
        reports.append(ImportReport(*arguments))
        return reports[-1]

    def batch(*arguments) -> None:
        calls.append(1)
        if len(calls) == 2:  # the first holder stalls at its second batch
            Job.objects.filter(pk=pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
            jobs.run_job(pk)
        if len(calls) == 4:  # and writes a line while the second one is in the middle
            reports[0].add(LATE, 1)
        real_batch(*arguments)

    monkeypatch.setattr(imports, "ImportReport", recorded)
    monkeypatch.setattr(imports, "import_batch", batch)
    jobs.run_job(pk)
    job = api.get(f"/api/v1/jobs/{pk}/").json()
    assert (job["state"], len(reports)) == ("succeeded", 2)
    assert (job["result"]["rejected"], job["result"]["created"]) == (4, 1)
    assert sorted(line["filename"] for line in report_of(api, job)) == [f"{number}.jpg" for number in range(4)]


def test_the_next_attempt_begins_with_the_lines_of_the_last_batch_that_was_written(tmp_path):
    first = ImportReport(tmp_path / "one.jsonl", {})
    first.add([Outcome("a.jpg", "rejected", None, "x", "y")], 1)
    position = first.position()
    first.add(LATE, 1)  # a batch that was taken back
    second = ImportReport(tmp_path / "two.jsonl", position)
    second.add([Outcome("b.jpg", "rejected", None, "x", "y")], 1)
    assert [json.loads(line)["filename"] for line in second.path.read_text().splitlines()] == ["a.jpg", "b.jpg"]
    assert second.next == 2 and second.counts == {"rejected": 2}


def test_only_the_holder_registers_a_model(project, owner, tmp_path):
    from inference.models import Model
    from inference.registry.model_imports import _register
    from vision.model_import.request import UploadResult

    job = Job.objects.create(
        project=project,
        kind="model_import",
        created_by=owner,
        parameters={
            "filename": "a.keras",
            "format": "keras",
            "name": "",
            "class_names": ["a", "b"],
            "image_size": [8, 8],
            "channels": "rgb",
            "scaling": "0_255",
            "resize": "stretch",
            "anchors": None,
        },
    )
    first = JobContext(work.claim(Job, job.pk))
    second = JobContext(take_over(job.pk))
    path = tmp_path / "model.tflite"
    path.write_bytes(b"network")
    files = {"litert-float32": path}
    result = UploadResult("uploaded", ["a", "b"], (8, 8), {"litert-float32": str(path)}, 1, 0.0)
    assert _register(second, result, files, path).version == 1
    with pytest.raises(LeaseLost):
        _register(first, result, files, path)
    assert Model.objects.count() == 1


def test_only_the_holder_gives_a_job_its_files(project, tmp_path):
    job = Job.objects.create(project=project, kind="export")
    first = JobContext(work.claim(Job, job.pk))
    second = JobContext(take_over(job.pk))
    for content, context in ((b"second", second), (b"first", first)):
        path = tmp_path / "file"
        path.write_bytes(content)
        if context is second:
            context.keep_file("file", path, "text/plain")
            context.keep(output_name="second.zip")
            continue
        with pytest.raises(LeaseLost):
            context.keep_file("file", path, "text/plain")
        with pytest.raises(LeaseLost):
            context.keep(output_name="first.zip")
    job.refresh_from_db()
    assert (job.output_name, job.state) == ("second.zip", WorkState.RUNNING)
    with storage.opened(JobFile.objects.get(job=job).blob) as file:
        assert file.read() == b"second"
