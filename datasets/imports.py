"""The import job: an archive becomes images, batch by batch, exactly once, also across a crash."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import structlog
from django.conf import settings
from django.db import transaction

from datasets import archives, services
from datasets.imaging.preprocessing import ImageError
from datasets.ingest import Examined, Outcome, add_images, examine_content
from datasets.models import Dataset
from projects.errors import WorkFailed
from projects.jobs import JobContext, enqueue_job, handles
from projects.models import Job
from storage import services as storage
from storage.cache import Incoming

log = structlog.get_logger(__name__)

KIND = "import"
BATCH = 256
SHOWN_REJECTS = 100


def start_import(
    *, dataset: Dataset, user, incoming: Incoming, filename: str, format: str = "auto", strip_location: bool = False
) -> Job:
    """Keep the archive and make the job that reads it."""
    with transaction.atomic():
        blob = storage.keep(incoming, "application/zip")
        return enqueue_job(
            project=dataset.project,
            user=user,
            kind=KIND,
            parameters={
                "dataset": str(dataset.pk),
                "filename": filename,
                "format": format,
                "strip_location": strip_location,
            },
            input_blob=blob,
        )


@handles(KIND)
def run_import(context: JobContext) -> dict:
    """Read the archive from where the job stopped. The position is written in the transaction of each batch."""
    job = context.job
    dataset = Dataset.objects.filter(pk=job.parameters["dataset"]).select_related("project").first()
    if dataset is None:
        raise WorkFailed("dataset_deleted", "The dataset was deleted before the import began.")
    report = _Report(settings.WORK_DIR / "jobs" / f"{job.pk}.jsonl", job.position)
    with storage.opened(job.input_blob) as file, archives.open_archive(file) as archive:
        entries = archives.entries_with_labels(archive)
        if not entries:
            raise WorkFailed("empty_archive", "The archive has no files.")
        read = partial(_examine, archive, strip_location=job.parameters["strip_location"])
        with ThreadPoolExecutor(settings.PREDICTION_THREADS) as pool:
            for batch, results in _examined_ahead(pool, read, entries[report.next :]):
                _import_batch(context, dataset, batch, results, report, len(entries))
    return _finish(job, report, len(entries))


def _examine(archive, entry: archives.Entry, *, strip_location: bool) -> Examined | Outcome:
    refused = archives.refusal(entry.info, entry.name)
    if refused:
        return Outcome(entry.name, "rejected", None, *refused)
    try:
        examined = examine_content(archives.read_entry(archive, entry), entry.name, strip_location=strip_location)
    except ImageError as error:
        return Outcome(entry.name, "rejected", None, error.code, str(error))
    examined.split = entry.split
    return examined


def _examined_ahead(pool: ThreadPoolExecutor, read: Callable, entries: list[archives.Entry]) -> Iterator:
    """`(batch, futures)` for all entries; while one batch is written to the database, the next is decoded."""
    batches: list[tuple[list[archives.Entry], list[Future]]] = []
    try:
        for start in range(0, len(entries), BATCH):
            batch = entries[start : start + BATCH]
            batches.append((batch, [pool.submit(read, entry) for entry in batch]))
            if len(batches) == 2:
                yield batches.pop(0)
        while batches:
            yield batches.pop(0)
    finally:
        for _, futures in batches:
            _forget(futures)


def _forget(futures: list[Future]) -> None:
    for future in futures:
        if not future.cancel() and not future.exception() and isinstance(future.result(), Examined):
            future.result().incoming.discard()


def _import_batch(context, dataset, batch, results, report: _Report, total: int) -> None:
    examined: list[tuple[archives.Entry, Examined]] = []
    outcomes: list[Outcome] = []
    try:
        for entry, future in zip(batch, results, strict=True):
            result = future.result()
            if isinstance(result, Outcome):
                outcomes.append(result)
            else:
                examined.append((entry, result))
        with transaction.atomic():
            labels = services.ensure_labels(
                project=dataset.project, names=[entry.label for entry, _ in examined if entry.label]
            )
            for entry, item in examined:
                item.label = labels.get(entry.label)
            outcomes += add_images(
                dataset=dataset,
                items=[item for _, item in examined],
                user=context.job.created_by,
                source=f"import:{context.job.pk}",
            )
            report.add(outcomes, len(batch))
            context.report(report.next, total, position=report.position())
    except BaseException:
        _forget(results)
        raise
    finally:
        for _, item in examined:
            item.incoming.discard()


def _finish(job: Job, report: _Report, total: int) -> dict:
    result = {
        "files": total,
        "created": report.counts["created"],
        "duplicates": report.counts["duplicate"],
        "rejected": report.counts["rejected"],
        "rejected_by_code": dict(report.codes),
        "rejects": report.first_rejects(SHOWN_REJECTS),
    }
    if report.path.exists() and report.path.stat().st_size:
        job.report_blob = storage.keep_path(report.path, "application/x-ndjson")
        Job.objects.filter(pk=job.pk).update(report_blob=job.report_blob)
    report.path.unlink(missing_ok=True)
    return result


class _Report:
    """Counts, and a line for every file that was not created, taken up again after a crash."""

    def __init__(self, path: Path, position: dict) -> None:
        self.path = path
        self.next = position.get("next", 0)
        self.counts = Counter(position.get("counts", {}))
        self.codes = Counter(position.get("codes", {}))
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "ab") as file:
            file.truncate(position.get("report_bytes", 0))

    def add(self, outcomes: list[Outcome], files: int) -> None:
        self.next += files
        self.counts.update(outcome.kind for outcome in outcomes)
        self.codes.update(outcome.code for outcome in outcomes if outcome.kind == "rejected")
        with open(self.path, "a", encoding="utf-8") as file:
            for outcome in outcomes:
                if outcome.kind != "created":
                    row = {"outcome": outcome.kind, **outcome.to_dict(), "image": outcome.image_id}
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def position(self) -> dict:
        return {
            "next": self.next,
            "counts": dict(self.counts),
            "codes": dict(self.codes),
            "report_bytes": self.path.stat().st_size,
        }

    def first_rejects(self, limit: int) -> list[dict]:
        rejects: list[dict] = []
        with open(self.path, encoding="utf-8") as file:
            for line in file:
                row = json.loads(line)
                if row["outcome"] == "rejected":
                    rejects.append({key: row[key] for key in ("filename", "code", "detail")})
                if len(rejects) == limit:
                    break
        return rejects
