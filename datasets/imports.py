"""The import job: an archive becomes images, batch by batch, exactly once, also across a crash."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import structlog
from django.conf import settings
from django.db import transaction

from datasets import archives, services
from datasets.buckets import BucketContents
from datasets.formats.base import Mark, Record, Remark
from datasets.formats.boxes import clean_label, place_marks
from datasets.imaging.preprocessing import ImageError
from datasets.import_report import ImportReport
from datasets.ingest import Examined, Outcome, add_images, examine_content
from datasets.models import Dataset, Label
from datasets.parsing import AnyContents, Said, read_annotations
from datasets.selectors import live_datasets
from projects.errors import WorkFailed
from projects.jobs import JobContext, enqueue_job, handles
from projects.limits import require_bytes, require_place
from projects.models import Job, Queue, Task
from projects.queues import queue_for
from storage import services as storage
from storage.backends import BackendError, NotInStore
from storage.cache import Incoming
from storage.models import Blob
from storage.sources import SourceRefused, parse_source, receive_source
from vision.sandbox.removal import remove_tree

log = structlog.get_logger(__name__)

KIND = "import"
BATCH = 256
SHOWN_REJECTS = 100
ANNOTATION_SUFFIXES = (".json", ".xml", ".csv", ".tfrecord", ".jsonl")
UNREAD_ANNOTATIONS = (
    "This looks like annotations of a kind that is not read, so the images came without boxes. Export them as COCO, "
    "Pascal VOC, YOLO or CSV and import that: images that are there already get their boxes."
)
MAX_LABELS = 10_000


def start_import(
    *, dataset: Dataset, user, incoming: Incoming | None, filename: str, format: str = "auto",
    strip_location: bool = False, source: str = "", link: bool = False,
) -> Job:  # fmt: skip
    """Keep the archive, or remember where it lies, and make the job that reads it. Raises `LimitReached`."""
    require_place(Job, project=dataset.project, user=user)
    if incoming is not None:
        require_bytes(dataset.project, incoming.size)
    if incoming is not None:
        storage.stage([incoming])
    with transaction.atomic():
        blob = None if incoming is None else storage.keep(incoming, "application/zip")
        return enqueue_job(
            project=dataset.project,
            user=user,
            kind=KIND,
            parameters={
                "dataset": str(dataset.pk),
                "filename": filename,
                "format": format,
                "strip_location": strip_location,
                "source": source,
                "link": link,
            },
            input_blob=blob,
            # Nobody knows yet how much lies in a bucket.
            queue=queue_for(size_bytes=blob.size) if blob is not None else Queue.HEAVY,
        )


@handles(KIND)
def run_import(context: JobContext) -> dict:
    """Read the archive from where the job stopped. The position is written in the transaction of each batch."""
    job = context.job
    dataset = live_datasets().filter(pk=job.parameters["dataset"]).select_related("project").first()
    if dataset is None:
        raise WorkFailed("dataset_deleted", "The dataset was deleted before the import began.")
    try:
        source = parse_source(job.parameters["source"]) if job.parameters.get("source") else None
        if source is not None and source.is_folder:
            listing = settings.WORK_DIR / "jobs" / f"{job.pk}.listing"
            contents = BucketContents(source, listing)
            links = contents if job.parameters.get("link") else None
            result = _read_all(context, dataset, contents, links)
            listing.unlink(missing_ok=True)
            return result
        with storage.opened(job.input_blob or _fetched(context)) as file, archives.open_archive(file) as archive:
            return _read_all(context, dataset, archives.ZipContents(archive), None)
    except SourceRefused as refused:
        raise WorkFailed(refused.code, str(refused)) from refused
    except NotInStore as error:
        raise WorkFailed("source_not_found", f"Nothing lies at {job.parameters['source']}: {error}") from error
    except BackendError as error:
        raise WorkFailed("source_unavailable", f"The store did not give the files: {error}") from error


def _read_all(context: JobContext, dataset: Dataset, contents: AnyContents, links: BucketContents | None) -> dict:
    job = context.job
    report = ImportReport(context.work_path("jobs", ".jsonl"), job.position)
    folder = context.work_path("jobs", ".annotations")
    try:
        said = _said(context, contents, dataset, folder)
        if report.next == 0:
            report.remark(said.remarks())
            report.remark(_about_names(contents, said, dataset))
        source = _Source(contents, links, strip_location=job.parameters["strip_location"])
        is_blank = _ignores_folders(said, dataset)
        labels = said.labels if said.format != "folder" else []
        with ThreadPoolExecutor(settings.PREDICTION_THREADS) as pool:
            records = (_blank(record) if is_blank else record for record in said.records(report.next))
            for batch, results in _examined_ahead(pool, source.examine, records):
                _import_batch(context, dataset, batch, results, report, said.count, labels)
        return _finish(context, report, said)
    finally:
        remove_tree(folder)


def _fetched(context: JobContext) -> Blob:
    """The archive from the store it lies in; kept with the job, so that it is fetched once."""
    job = context.job
    incoming = storage.receive()
    try:
        source = parse_source(job.parameters["source"])
        receive_source(source, incoming, _throttled(context.report))
        storage.stage([incoming])
        with transaction.atomic():
            blob = storage.keep(incoming, "application/zip")
            context.keep(input_blob=blob)
        return blob
    finally:
        incoming.discard()


def _throttled(report: Callable[[int, int], None]) -> Callable[[int, int], None]:
    """A megabyte comes in a moment; the job's row need not be written for each."""
    last = 0.0

    def say(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > 1:
            last = time.monotonic()
            report(done, total)

    return say


def _said(context: JobContext, contents: AnyContents, dataset: Dataset, folder: Path) -> Said:
    """What the archive says, made to fit the project's task."""
    if not contents.entries:
        raise WorkFailed("empty_archive", "The archive has no files.")
    said = read_annotations(context, contents, context.job.parameters["format"], folder)
    if not said.count:
        raise WorkFailed("no_images", f"The archive has no images (read as {said.format}).")
    labels = [clean_label(label) for label in said.labels]
    said.labels = list(dict.fromkeys(label for label in labels if label))
    if len(said.labels) > MAX_LABELS:
        raise WorkFailed(
            "too_many_labels", f"The archive has {len(said.labels):,} labels; a project may have {MAX_LABELS:,}."
        )
    if dataset.project.task == Task.CLASSIFICATION and said.format != "folder":
        raise WorkFailed(
            "boxes_in_classification",
            f"The archive has boxes (format {said.format}) and this project classifies whole images. Import it into "
            "a detection project, or choose format=folder to take its folders as labels.",
        )
    return said


def _about_names(contents: AnyContents, said: Said, dataset: Dataset) -> Iterator[Remark]:
    for path in contents.repeated:
        yield Remark(path, "duplicate_name", "The archive has this path more than once; this is the second file.")
    if unread := _unread_annotations(contents, said, dataset):
        yield Remark(unread, "annotations_not_read", UNREAD_ANNOTATIONS)
    if _ignores_folders(said, dataset) and said.labels:
        detail = "Folder names are no labels in a detection project: the images are kept unlabelled."
        yield Remark("", "folders_ignored", detail)


def _unread_annotations(contents: AnyContents, said: Said, dataset: Dataset) -> str:
    """A file of a detection archive that looks like annotations of a kind that is not read; "" when there is none."""
    if not _ignores_folders(said, dataset):
        return ""
    names = (name for name in contents.entries if name.lower().endswith(ANNOTATION_SUFFIXES))
    return next(names, "")


def _ignores_folders(said: Said, dataset: Dataset) -> bool:
    return dataset.project.task == Task.DETECTION and said.format == "folder"


def _blank(record: Record) -> Record:
    record.marks, record.is_annotated = [], False
    return record


class _Source:
    """Decodes the images of an archive and puts their boxes in place."""

    def __init__(self, contents: AnyContents, links: BucketContents | None, *, strip_location: bool) -> None:
        self._contents = contents
        self._links = links
        self._strip_location = strip_location

    def examine(self, record: Record) -> Looked:
        if record.path not in self._contents.entries:
            return Looked(Outcome(record.path, "rejected", None, "missing_image", "The archive has no such file."))
        refused = self._contents.refusal(record.path)
        if refused:
            return Looked(Outcome(record.path, "rejected", None, *refused))
        try:
            content = self._contents.read(record.path)
            examined = examine_content(content, record.path, strip_location=self._strip_location)
        except ImageError as error:
            return Looked(Outcome(record.path, "rejected", None, error.code, str(error)))
        examined.split = record.split
        examined.is_reviewed = record.is_annotated
        if self._links is not None:
            examined.linked_to = self._links.remote_id(record.path)
        marks, remarks = place_marks(record, examined.width, examined.height)
        return Looked(examined, marks, remarks)


@dataclass
class Looked:
    """What came of one file of the archive."""

    item: Examined | Outcome
    marks: list[Mark] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)


def _examined_ahead(pool: ThreadPoolExecutor, read: Callable, entries: Iterable[Record]) -> Iterator:
    """`(batch, futures)` for all records; while one batch is written to the database, the next is decoded."""
    batches: list[tuple[list[Record], list[Future]]] = []
    try:
        entries = iter(entries)
        while batch := list(islice(entries, BATCH)):
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
        if not future.cancel() and not future.exception() and isinstance(future.result().item, Examined):
            future.result().item.incoming.discard()


def _import_batch(context, dataset, batch, results, report: ImportReport, total: int, labels: list[str]) -> None:
    examined: list[Examined] = []
    outcomes: list[Outcome] = []
    remarks: list[Remark] = []
    try:
        wanted: dict[str, None] = dict.fromkeys(labels)
        looked = [future.result() for future in results]
        for one in looked:
            if isinstance(one.item, Outcome):
                outcomes.append(one.item)
            else:
                examined.append(one.item)
                wanted.update(dict.fromkeys(mark.label for mark in one.marks))
            remarks += one.remarks
        storage.stage(item.incoming for item in examined)  # before the transaction, in which nobody else can write
        with transaction.atomic():
            known = services.ensure_labels(project=dataset.project, names=list(wanted))
            for one in looked:
                if isinstance(one.item, Examined):
                    _mark(one.item, one.marks, known)
            added = add_images(
                dataset=dataset, items=examined, user=context.job.created_by, source=f"import:{context.job.pk}"
            )
            report.remark(remarks)
            report.add(outcomes + added, len(batch))
            report.boxes += sum(
                len(item.boxes)
                for item, outcome in zip(examined, added, strict=True)
                if outcome.kind == "created" or outcome.code == "annotated"
            )
            report.labelled += sum(
                outcome.code == "annotated"
                or (outcome.kind == "created" and bool(item.label or item.boxes or item.is_reviewed))
                for item, outcome in zip(examined, added, strict=True)
            )
            context.report(report.next, total, position=report.position())
    except BaseException:
        _forget(results)
        raise
    finally:
        for item in examined:
            item.incoming.discard()


def _mark(item: Examined, marks: list[Mark], labels: dict[str, Label]) -> None:
    for mark in marks:
        if mark.box is None:
            item.label = labels[mark.label]
        else:
            item.boxes.append((labels[mark.label], mark.box))


def _finish(context: JobContext, report: ImportReport, said: Said) -> dict:
    result = {
        "format": said.format,
        "files": said.count,
        "created": report.counts["created"],
        "duplicates": report.counts["duplicate"],
        "labelled": report.labelled,
        "annotated": report.labelled,  # its name in earlier versions
        "duplicates_labelled": report.codes["annotated"],
        "rejected": report.counts["rejected"],
        "rejected_by_code": {code: count for code, count in report.codes.items() if code != "annotated"},
        "boxes": report.boxes,
        "remarks_by_code": dict(report.remark_codes),
        "rejects": report.first_rejects(SHOWN_REJECTS),
    }
    if said.format == "folder" and (bare := report.counts["created"] + report.codes["annotated"] - report.labelled) > 0:
        which = "1 image lies" if bare == 1 else f"{bare:,} images lie"
        result["note"] = f"{which} in no folder that names a label and got none: label them in the studio."
    if report.remark_codes["annotations_not_read"]:
        result["note"] = UNREAD_ANNOTATIONS
    if report.path.stat().st_size:
        context.keep(report_blob=storage.keep_path(report.path, "application/x-ndjson"))
    report.path.unlink()
    return result
