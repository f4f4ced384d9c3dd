"""The import job: an archive becomes images, batch by batch, exactly once, also across a crash."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from common.errors import Invalid
from datasets.annotation_imports import annotate_images, has_images, images_by_name
from datasets.buckets import BucketContents
from datasets.containers import AnyContents, open_contents
from datasets.dry_runs import DryRunResult, survey_archive
from datasets.image_readers import looking_at
from datasets.import_batches import examined_ahead, import_batch
from datasets.import_fitting import Fitting
from datasets.import_report import ImportReport
from datasets.import_results import ImportResult, about_archive, about_label_map, finish, keep_report
from datasets.import_source import ArchiveSource
from datasets.models import Dataset, Image
from datasets.parsing import ParsedArchive, read_annotations
from datasets.selectors import live_datasets
from jobs.context import JobContext
from jobs.contracts import JobParameters
from jobs.errors import WorkFailed
from jobs.limits import require_place
from jobs.models import Job, JobKind, Queue
from jobs.queues import queue_for
from jobs.services import enqueue_job, handles
from projects.changes.recording import recording_job
from projects.limits import require_bytes
from projects.models import Task
from projects.permissions import require_still_editor
from storage import services as storage
from storage.backends import BackendError, NotInStore
from storage.cache import Incoming
from storage.models import Blob
from storage.sources import parse_source, receive_source
from vision.formats.boxes import clean_label
from vision.sandbox.removal import remove_tree

log = structlog.get_logger(__name__)

MAX_LABELS = 10_000


@dataclass(frozen=True)
class ImportParameters(JobParameters, kind=JobKind.IMPORT):
    dataset: str
    filename: str
    format: str = "auto"
    strip_location: bool = False
    source: str = ""
    link: bool = False
    dry_run: bool = False
    label_map: dict[str, str | None] = field(default_factory=dict)
    name_encoding: str = ""


def start_import(
    *,
    dataset: Dataset,
    user: User,
    incoming: Incoming | None,
    filename: str,
    format: str = "auto",
    strip_location: bool = False,
    source: str = "",
    link: bool = False,
    earlier: Job | None = None,
    dry_run: bool = False,
    label_map: Mapping[str, str | None] | None = None,
    skip: Sequence[str] = (),
    name_encoding: str = "",
) -> Job:
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
            parameters=ImportParameters(
                dataset=str(dataset.pk),
                filename=filename,
                format=format,
                strip_location=strip_location,
                source=source,
                link=link,
                dry_run=dry_run,
                label_map=dict(label_map or {}) | dict.fromkeys(skip),
                name_encoding=name_encoding,
            ),
            input_blob=blob,
            # Nobody knows yet how much lies in a bucket.
            queue=queue_for(size_bytes=blob.size) if blob is not None else Queue.HEAVY,
        )


def earlier_import(dataset: Dataset, pk: UUID) -> Job:
    """The import or dry run whose archive is read again.

    Raises:
        Invalid: the dataset's project has none, or its archive is no longer here.
    """
    job = Job.objects.filter(pk=pk, kind=JobKind.IMPORT, project=dataset.project).select_related("input_blob").first()
    if job is None:
        raise Invalid("The project has no import with this id.", attr="job", code="does_not_exist")
    if job.input_blob is None:
        raise Invalid("Its archive is no longer here. Send the file again.", attr="job", code="archive_gone")
    return job


@handles(ImportParameters)
def run_import(context: JobContext[ImportParameters]) -> ImportResult | DryRunResult:
    """Read the archive from where the job stopped. The position is written in the transaction of each batch."""
    job = context.job
    require_still_editor(job)
    with recording_job(job, "import", filename=context.parameters.filename) as change:
        result = _run(context)
    if isinstance(result, ImportResult) and change.rows:
        return replace(result, change=str(change.pk))
    return result


def _run(context: JobContext[ImportParameters]) -> ImportResult | DryRunResult:
    job, parameters = context.job, context.parameters
    dataset = live_datasets().filter(pk=parameters.dataset).select_related("project").first()
    if dataset is None:
        raise WorkFailed("dataset_deleted", "The dataset was deleted before the import began.")
    try:
        source = parse_source(parameters.source) if parameters.source else None
        if source is not None and source.is_folder:
            listing = settings.WORK_DIR / "jobs" / f"{job.pk}.listing"
            bucket = BucketContents(source, listing)
            result = _read_all(context, dataset, bucket, bucket if parameters.link else None)
            listing.unlink(missing_ok=True)
            return result
        _remove_earlier(context)
        folder, encoding = context.work_path("jobs", ".unpacked"), parameters.name_encoding
        try:
            with (
                storage.opened(job.input_blob or _fetched(context)) as file,
                open_contents(file, parameters.filename, folder, context.keep, encoding) as contents,
            ):
                return _read_all(context, dataset, contents, None)
        finally:
            remove_tree(folder)
    except NotInStore as error:
        raise WorkFailed("source_not_found", f"Nothing lies at {parameters.source}: {error}") from error
    except BackendError as error:
        raise WorkFailed("source_unavailable", f"The store did not give the files: {error}") from error


def _read_all(
    context: JobContext[ImportParameters], dataset: Dataset, contents: AnyContents, links: BucketContents | None
) -> ImportResult | DryRunResult:
    parameters = context.parameters
    report = ImportReport(context.work_path("jobs", ".jsonl"), context.job.position)
    folder = context.work_path("jobs", ".annotations")
    try:
        if not contents.entries:
            raise WorkFailed("empty_archive", "The archive has no files." + _broken(contents))
        present = {} if has_images(contents) else _present(contents, dataset)
        parsed = _parse(context, contents, dataset, folder, present)
        if report.next == 0:
            # Annotations alone need not be about every image of the dataset.
            report.remark(remark for remark in parsed.remarks() if not (present and remark.code == "no_annotations"))
            report.remark(about_archive(contents, parsed, dataset))
            report.remark(about_label_map(parsed, parameters.label_map))
        fit = Fitting.of(dataset, parsed, parameters.label_map)
        count, room = 0 if present else parsed.count - report.next, context.work_path("jobs", ".readers")
        with looking_at(count, room) as (look, threads), ThreadPoolExecutor(threads) as pool:
            source = ArchiveSource(contents, links, fit, look, strip_location=parameters.strip_location)
            if parameters.dry_run:
                survey = survey_archive(context, dataset, parsed, report, pool, source.survey, present)
                keep_report(context, report)
                return survey
            if present:
                annotate_images(context, dataset, parsed, report, source.fit, present)
                return finish(context, report, parsed)
            # All at once, whether or not an image has them: made batch by batch they would lie in no order.
            labels = [name for name in map(source.fit.label, parsed.labels) if name is not None]
            with closing(examined_ahead(pool, source.examine, parsed.records(report.next))) as batches:
                for batch in batches:
                    import_batch(context, dataset, batch, report, parsed.count, labels)
        return finish(context, report, parsed)
    finally:
        remove_tree(folder)


def _present(contents: AnyContents, dataset: Dataset) -> dict[str, Image]:
    """The images that an archive without any may be about."""
    try:
        return images_by_name(dataset)
    except WorkFailed as error:
        raise WorkFailed(error.code, str(error) + _broken(contents)) from error


def _broken(contents: AnyContents) -> str:
    """What is damaged in an archive, and so the reason that something is not there."""
    path, _, detail = next(iter(getattr(contents, "broken", ())), ("", "", ""))
    return f" {path}: {detail}" if detail else ""


def _remove_earlier(context: JobContext) -> None:
    """What attempts that were killed have unpacked: each is as large as the archive, and jobs may be killed often."""
    own = context.work_path("jobs", ".unpacked")
    for suffix in (".unpacked", ".annotations", ".readers"):
        for path in own.parent.glob(f"{context.job.pk}-*{suffix}"):
            if path.stem != own.stem:
                remove_tree(path)


def _fetched(context: JobContext[ImportParameters]) -> Blob:
    """The archive from the store it lies in; kept with the job, so that it is fetched once."""
    incoming = storage.receive()
    try:
        source = parse_source(context.parameters.source)
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


def _parse(
    context: JobContext[ImportParameters],
    contents: AnyContents,
    dataset: Dataset,
    folder: Path,
    present: dict[str, Image],
) -> ParsedArchive:
    """What the archive says, made to fit the project's task."""
    parsed = read_annotations(context, contents, context.parameters.format, folder, present)
    if not parsed.count:
        unread = f" {parsed.unread[0]} is in a format that is not read." if parsed.unread else ""
        raise WorkFailed("no_images", f"The archive has no images (read as {parsed.format}).{unread}")
    labels = [clean_label(label) for label in parsed.labels]
    parsed.labels = list(dict.fromkeys(label for label in labels if label))
    if len(parsed.labels) > MAX_LABELS:
        raise WorkFailed(
            "too_many_labels", f"The archive has {len(parsed.labels):,} labels; a project may have {MAX_LABELS:,}."
        )
    if dataset.project.task == Task.CLASSIFICATION and parsed.holds["boxes"] and not parsed.holds["whole"]:
        raise WorkFailed(
            "boxes_in_classification",
            f"The archive has boxes (format {parsed.format}) and this project classifies whole images. Import it into "
            "a detection project, or choose format=folder to take its folders as labels.",
        )
    return parsed
