"""The import job: an archive becomes images, batch by batch, exactly once, also across a crash."""

from __future__ import annotations

import difflib
import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from rest_framework.exceptions import ValidationError

from datasets import services
from datasets.annotation_imports import annotate_images, has_images, images_by_name
from datasets.archives import ZipContents
from datasets.buckets import BucketContents
from datasets.containers import AnyContents, open_contents
from datasets.dry_runs import Surveyed, survey_archive
from datasets.formats.base import Mark, Record, Remark, is_text
from datasets.formats.boxes import clean_label
from datasets.imaging.preprocessing import ImageError
from datasets.import_fitting import Fitting
from datasets.import_report import ImportReport
from datasets.ingest import Examined, Outcome, add_images, examine_content, look_at
from datasets.models import Dataset, Image, Label
from datasets.parsing import Said, read_annotations
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
MOST_ABSENT = 20  # labels of a map that the archive does not have: looking for alike ones takes long
MAX_LABELS = 10_000


def start_import(
    *, dataset: Dataset, user, incoming: Incoming | None, filename: str, format: str = "auto",
    strip_location: bool = False, source: str = "", link: bool = False, earlier: Job | None = None,
    dry_run: bool = False, label_map: Mapping[str, str | None] | None = None, skip: Sequence[str] = (),
    name_encoding: str = "",
) -> Job:  # fmt: skip
    """Keep the archive, or remember where it lies, and make the job that reads it.

    Args:
        earlier: an import, or a dry run, whose archive is read again.
        dry_run: say what the import would do, and change nothing.
        label_map: the project's name for a label of the archive; None leaves its annotations out.
        skip: labels whose annotations are left out.
        name_encoding: of file names in the archive, where it does not say.

    Raises:
        LimitReached
    """
    require_place(Job, project=dataset.project, user=user)
    if incoming is not None:
        require_bytes(dataset.project, incoming.size)
    if incoming is not None:
        storage.stage([incoming])
    with transaction.atomic():
        blob = earlier.input_blob if earlier is not None else None
        blob = blob if incoming is None else storage.keep(incoming, "application/zip")
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
                "dry_run": dry_run,
                "label_map": dict(label_map or {}) | dict.fromkeys(skip),
                "name_encoding": name_encoding,
            },
            input_blob=blob,
            # Nobody knows yet how much lies in a bucket.
            queue=queue_for(size_bytes=blob.size) if blob is not None else Queue.HEAVY,
        )


def earlier_import(dataset: Dataset, pk: UUID) -> Job:
    """The import or dry run whose archive is read again.

    Raises:
        ValidationError: the dataset's project has none, or its archive is no longer here.
    """
    job = Job.objects.filter(pk=pk, kind=KIND, project=dataset.project).select_related("input_blob").first()
    if job is None:
        raise ValidationError({"job": ["The project has no import with this id."]}, code="does_not_exist")
    if job.input_blob is None:
        raise ValidationError({"job": ["Its archive is no longer here. Send the file again."]}, code="archive_gone")
    return job


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
            bucket = BucketContents(source, listing)
            result = _read_all(context, dataset, bucket, bucket if job.parameters.get("link") else None)
            listing.unlink(missing_ok=True)
            return result
        _remove_earlier(context)
        folder, encoding = context.work_path("jobs", ".unpacked"), job.parameters.get("name_encoding", "")
        name = job.parameters["filename"]
        try:
            with (
                storage.opened(job.input_blob or _fetched(context)) as file,
                open_contents(file, name, folder, context.keep, encoding) as contents,
            ):
                return _read_all(context, dataset, contents, None)
        finally:
            remove_tree(folder)
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
        if not contents.entries:
            raise WorkFailed("empty_archive", "The archive has no files.")
        present = {} if has_images(contents) else images_by_name(dataset)
        said = _said(context, contents, dataset, folder, present)
        if report.next == 0:
            # Annotations alone need not be about every image of the dataset.
            report.remark(one for one in said.remarks() if not (present and one.code == "no_annotations"))
            report.remark(_about_archive(contents, said, dataset))
            report.remark(_about_label_map(said, job.parameters.get("label_map") or {}))
        source = _Source(contents, links, Fitting.of(dataset, said, job.parameters), strip_location=_strips(job))
        with ThreadPoolExecutor(settings.PREDICTION_THREADS) as pool:
            if job.parameters.get("dry_run"):
                survey = survey_archive(context, dataset, said, report, pool, source.survey, present)
                return _finish(context, report, said, survey)
            if present:
                annotate_images(context, dataset, said, report, source.fit, present)
                return _finish(context, report, said)
            labels = [name for name in map(source.fit.label, _declared(said)) if name is not None]
            for batch, results in _examined_ahead(pool, source.examine, said.records(report.next)):
                _import_batch(context, dataset, batch, results, report, said.count, labels)
        return _finish(context, report, said)
    finally:
        remove_tree(folder)


def _remove_earlier(context: JobContext) -> None:
    """What attempts that were killed have unpacked: each is as large as the archive, and jobs may be killed often."""
    own = context.work_path("jobs", ".unpacked")
    for suffix in (".unpacked", ".annotations"):
        for path in own.parent.glob(f"{context.job.pk}-*{suffix}"):
            if path.stem != own.stem:
                remove_tree(path)


def _strips(job: Job) -> bool:
    return bool(job.parameters["strip_location"])


def _declared(said: Said) -> list[str]:
    """Labels that a file lists, which a project gets whether or not an image has them; folders list nothing."""
    return said.labels if said.format != "folder" else []


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


def _said(
    context: JobContext, contents: AnyContents, dataset: Dataset, folder: Path, present: dict[str, Image]
) -> Said:
    """What the archive says, made to fit the project's task."""
    said = read_annotations(context, contents, context.job.parameters["format"], folder, present)
    if not said.count:
        unread = f" {said.unread[0]} is in a format that is not read." if said.unread else ""
        raise WorkFailed("no_images", f"The archive has no images (read as {said.format}).{unread}")
    labels = [clean_label(label) for label in said.labels]
    said.labels = list(dict.fromkeys(label for label in labels if label))
    if len(said.labels) > MAX_LABELS:
        raise WorkFailed(
            "too_many_labels", f"The archive has {len(said.labels):,} labels; a project may have {MAX_LABELS:,}."
        )
    if dataset.project.task == Task.CLASSIFICATION and said.holds["boxes"] and not said.holds["whole"]:
        raise WorkFailed(
            "boxes_in_classification",
            f"The archive has boxes (format {said.format}) and this project classifies whole images. Import it into "
            "a detection project, or choose format=folder to take its folders as labels.",
        )
    return said


def _about_archive(contents: AnyContents, said: Said, dataset: Dataset) -> Iterator[Remark]:
    for path in contents.repeated:
        yield Remark(path, "duplicate_name", "The archive has this path more than once; this is the second file.")
    for path, code, detail in getattr(contents, "broken", ()):
        yield Remark(path, code, detail)
    for path in () if isinstance(contents, ZipContents) else filter(is_text, contents.names):
        if (refused := contents.refusal(path)) is not None and refused[0] != "file_too_large":
            yield Remark(path, *refused)
    if encoding := contents.guessed_encoding:
        example = next((name for name in contents.names if not name.isascii()), "")
        detail = (
            f"The archive does not say in which encoding its file names are; they were read as {encoding}, such as "
            f"{example!r}. If that is wrong, import it again with name_encoding."
        )
        yield Remark("", "names_guessed", detail)
    if dataset.project.task == Task.DETECTION and said.holds["whole"] and not said.holds["boxes"]:
        if said.format == "folder":
            detail = "Folder names are no labels in a detection project: the images are kept unlabelled."
            yield Remark("", "folders_ignored", detail)
        else:
            detail = "The archive labels whole images, and this project needs boxes: the images are kept unlabelled."
            yield Remark("", "labels_without_boxes", detail)


def _about_label_map(said: Said, label_map: Mapping[str, str | None]) -> Iterator[Remark]:
    labels = set(said.labels)
    absent = [name for name in label_map if name not in labels]
    for position, name in enumerate(absent):
        if position == MOST_ABSENT:
            detail = f"The archive has none of {len(absent) - position:,} other labels that could be mapped or skipped."
            yield Remark("", "label_not_found", detail)
            return
        alike = difflib.get_close_matches(name, said.labels, 1)
        hint = f" Did you mean {alike[0]!r}?" if alike else ""
        yield Remark("", "label_not_found", f"The archive has no label {name!r} that could be mapped or skipped.{hint}")


class _Source:
    """Decodes the images of an archive and puts their boxes in place."""

    def __init__(
        self, contents: AnyContents, links: BucketContents | None, fit: Fitting, *, strip_location: bool
    ) -> None:
        self._contents = contents
        self._links = links
        self.fit = fit
        self._strip_location = strip_location

    def examine(self, record: Record) -> Looked:
        try:
            content = self._content(record)
            examined = examine_content(content, record.path, strip_location=self._strip_location)
        except ImageError as error:
            return Looked(Outcome(record.path, "rejected", None, error.code, str(error)))
        fitted = self.fit(record, examined.width, examined.height, examined.orientation)
        examined.split = record.split
        examined.is_reviewed, examined.is_confirmed = fitted.is_reviewed, fitted.is_confirmed
        if self._links is not None:
            examined.linked_to = self._links.remote_id(record.path)
        remarks = fitted.remarks + [Remark(record.path, code, detail) for code, detail in examined.notes]
        return Looked(examined, fitted.marks, remarks)

    def survey(self, record: Record) -> Surveyed | Outcome:
        """As `examine`, without keeping anything."""
        try:
            content = self._content(record)
            facts = look_at(content)
        except ImageError as error:
            return Outcome(record.path, "rejected", None, error.code, str(error))
        return Surveyed(
            record, hashlib.sha256(content).hexdigest(), self.fit(record, facts.width, facts.height, facts.orientation)
        )

    def _content(self, record: Record) -> bytes:
        if record.path not in self._contents.entries:
            raise ImageError("missing_image", "The archive has no such file.")
        if refused := self._contents.refusal(record.path):
            raise ImageError(*refused)
        return self._contents.read(record.path)


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
            for item, outcome in zip(examined, added, strict=True):
                if outcome.kind == "created" or outcome.code == "annotated":
                    report.take(len(item.boxes), item.is_confirmed, bool(item.label or item.boxes or item.is_reviewed))
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


def _finish(context: JobContext, report: ImportReport, said: Said, survey: dict | None = None) -> dict:
    if survey is not None:
        result = survey | {
            "rejected_by_code": dict(report.codes),
            "remarks_by_code": dict(report.remark_codes),
            "rejects": report.first_rejects(SHOWN_REJECTS),
            "unread": said.unread,
        }
        return _with_report(context, report, result)
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
        "to_review": report.to_review,
        "unread": said.unread,
        "remarks_by_code": dict(report.remark_codes),
        "rejects": report.first_rejects(SHOWN_REJECTS),
    }
    if note := _note(said, report, context.job.project.task):
        result["note"] = note
    return _with_report(context, report, result)


def _note(said: Said, report: ImportReport, task: str) -> str:
    if said.unread and not report.labelled:
        files = ", ".join(said.unread[:3]) + ("…" if len(said.unread) > 3 else "")
        return (
            f"No annotations were read: {files} {'is' if len(said.unread) == 1 else 'are'} in a format that is not "
            "read. The images are here without labels; import annotations in another format again and they get them."
        )
    bare = report.counts["created"] + report.codes["annotated"] - report.labelled - report.to_review
    if said.format == "folder" and bare > 0 and task == Task.DETECTION:
        which = "1 image has" if bare == 1 else f"{bare:,} images have"
        return f"{which} no annotations: label them in the studio, or import a file of annotations for them."
    if said.format == "folder" and bare > 0:
        which = "1 image lies" if bare == 1 else f"{bare:,} images lie"
        return f"{which} in no folder that names a label and got none: label them in the studio."
    if report.to_review:
        which = "1 image has" if report.to_review == 1 else f"{report.to_review:,} images have"
        return (
            f"{which} annotations that could not all be understood: the others wait as suggestions to be confirmed. "
            "The report says what was left out."
        )
    return ""


def _with_report(context: JobContext, report: ImportReport, result: dict) -> dict:
    if report.path.stat().st_size:
        context.keep(report_blob=storage.keep_path(report.path, "application/x-ndjson"))
    report.path.unlink()
    return result
