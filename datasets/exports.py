"""The export job: a dataset becomes a zip, image by image; nothing but small rows is held in memory."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from django.contrib.auth.models import User

from common.errors import Invalid
from datasets.models import Dataset, Image, Snapshot
from datasets.selectors import live_datasets
from datasets.snapshots import require_images
from jobs.context import JobContext
from jobs.contracts import JobParameters, JobResult
from jobs.errors import WorkFailed
from jobs.models import Job, JobKind
from jobs.queues import queue_for
from jobs.services import enqueue_job, handles
from projects.models import Project, Task
from storage import services as storage
from storage.cache import Incoming
from storage.database import by_key
from storage.filenames import is_safe_path, portable_filename
from storage.models import Blob
from vision.formats import WRITERS, Writer
from vision.formats.base import Exported, ParsedAnnotation, is_image
from vision.imaging.orientation import upright_size
from vision.imaging.preprocessing import open_image

# The formats that can hold what a project has.
FITTING: dict[str, tuple[str, ...]] = {
    Task.CLASSIFICATION: ("folder", "csv", "label_studio", "datumaro"),
    Task.MULTILABEL: ("csv_one_hot", "label_studio", "datumaro"),
    Task.DETECTION: tuple(name for name in WRITERS if name not in ("folder", "csv_one_hot")),
}
CHUNK_BYTES = 1 << 20
SUFFIXES = {
    "PNG": ".png",
    "WEBP": ".webp",
    "BMP": ".bmp",
    "GIF": ".gif",
    "TIFF": ".tif",
    "HEIF": ".heic",
    "AVIF": ".avif",
}
EARLIEST = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class ExportParameters(JobParameters, kind=JobKind.EXPORT):
    dataset: str
    format: str
    snapshot: str | None = None


@dataclass(frozen=True)
class ExportResult(JobResult):
    format: str
    size: int
    sha256: str
    images: int
    annotations: int


def start_export(*, dataset: Dataset, user: User, format: str) -> Job:
    """Make the job that writes the dataset.

    Raises:
        Invalid: the format cannot hold what the project has.
    """
    _require_fit(dataset.project, format)
    parameters = ExportParameters(str(dataset.pk), format)
    queue = queue_for(images=dataset.image_count)
    return enqueue_job(project=dataset.project, user=user, parameters=parameters, queue=queue)


def start_snapshot_export(*, snapshot: Snapshot, user: User, format: str) -> Job:
    """Make the job that writes a snapshot.

    Raises:
        SnapshotIsRecord: its images were deleted.
        Invalid: the format cannot hold what the project has.
    """
    require_images(snapshot)
    _require_fit(snapshot.project, format)
    parameters = ExportParameters(str(snapshot.dataset_id), format, str(snapshot.pk))
    queue = queue_for(images=snapshot.counts["images"])
    return enqueue_job(project=snapshot.project, user=user, parameters=parameters, queue=queue)


def _require_fit(project: Project, format: str) -> None:
    fitting = FITTING[Task(project.task)]
    if format not in fitting:
        raise Invalid(
            f"A {project.task} project is exported as {', '.join(fitting)}, not as {format}.",
            attr="format",
            code="format_does_not_fit",
        )


@handles(ExportParameters)
def run_export(context: JobContext[ExportParameters]) -> ExportResult:
    """Write all images with their confirmed annotations, or those of a snapshot. An interrupted export begins again."""
    parameters = context.parameters
    dataset = live_datasets().filter(pk=parameters.dataset).select_related("project").first()
    if dataset is None:
        raise WorkFailed("dataset_deleted", "The dataset was deleted before the export began.")
    source, labels = _source_of(dataset, parameters.snapshot)
    writer = WRITERS[parameters.format](labels)
    target = storage.receive()
    try:
        counts = _write(context, source, writer, target)
        blob = storage.keep(target, "application/zip")
    finally:
        target.discard()
    context.keep(output_blob=blob, output_name=f"{source.name}-{parameters.format}.zip")
    return ExportResult(parameters.format, blob.size, blob.sha256, **counts)


def _source_of(dataset: Dataset, snapshot: str | None) -> tuple[_Living | _Frozen, list[str]]:
    """What is written, and the names of its labels."""
    if snapshot is None:
        labels = dataset.project.labels.order_by("order", "id").values_list("name", flat=True)
        return _Living(dataset), list(labels)
    frozen = Snapshot.objects.get(pk=snapshot)
    return _Frozen(frozen), frozen.class_names


class _Living:
    """A dataset as it is now."""

    def __init__(self, dataset: Dataset) -> None:
        self.name = dataset.name
        self._rows = Image.objects.filter(dataset=dataset)

    def count(self) -> int:
        return self._rows.count()

    def each(self, names: _Names) -> Iterator[tuple[Blob, Exported]]:
        for image in by_key(self._rows.select_related("blob").prefetch_related("annotations__label")):
            yield image.blob, _exported(image, names)


class _Frozen:
    """A snapshot, whose images may be deleted from their dataset."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.name = snapshot.title.replace(" #", "-")

    def count(self) -> int:
        return self._snapshot.images.count()

    def each(self, names: _Names) -> Iterator[tuple[Blob, Exported]]:
        for row in by_key(self._snapshot.images.select_related("blob", "image")):
            marks = [
                ParsedAnnotation(annotation["label"], tuple(annotation["box"]) if annotation.get("box") else None)
                for annotation in row.annotations
            ]
            if row.image is not None:
                width, height, format = row.image.width, row.image.height, row.image.format
            else:
                with storage.opened(row.blob) as file, open_image(file) as opened:
                    width, height, format = *upright_size(opened), opened.format or "JPEG"
            yield row.blob, Exported(names.free(row.filename, format), width, height, row.split, marks, True)


def _write(context: JobContext, source: _Living | _Frozen, writer: Writer, target: Incoming) -> dict:
    total, boxes, done = source.count(), 0, 0
    reported = time.monotonic()
    names = _Names()
    with zipfile.ZipFile(_Forward(target), "w", zipfile.ZIP_DEFLATED) as archive:
        for blob, exported in source.each(names):
            path = _check_path(writer.image_path(exported))
            info = zipfile.ZipInfo(path, EARLIEST)  # images do not compress
            large = blob.size > 1 << 31
            with storage.opened(blob) as file, archive.open(info, "w", force_zip64=large) as copy:
                while chunk := file.read(CHUNK_BYTES):
                    copy.write(chunk)
            _write_texts(archive, writer.add(exported))
            boxes += len(exported.marks)
            done += 1
            if time.monotonic() - reported > 1:
                reported = time.monotonic()
                storage.ensure_free_space(0)
                context.report(done, total)
        _write_texts(archive, writer.finish())
    context.report(done, max(done, total))
    return {"images": done, "annotations": boxes}


def _exported(image: Image, names: _Names) -> Exported:
    rows = sorted((row for row in image.annotations.all() if row.confirmed), key=lambda row: row.pk)
    marks = [ParsedAnnotation(row.label.name, None if row.box is None else tuple(row.box)) for row in rows]  # type: ignore[arg-type]
    name = names.free(image.filename, image.format)
    is_annotated = image.reviewed or bool(marks)
    return Exported(name, image.width, image.height, image.split, marks, is_annotated)


def _check_path(path: str) -> str:
    """The path of a file in an archive. Those who unpack it must not be harmed, whatever a writer makes of names.

    Raises:
        WorkFailed
    """
    if not is_safe_path(path):
        raise WorkFailed("unsafe_path", f"A file would be unpacked elsewhere, or nowhere: {path!r}. Rename the image.")
    return path


def _write_texts(archive: zipfile.ZipFile, files: Iterator[tuple[str, bytes]]) -> None:
    for name, content in files:
        _check_path(name)
        info = zipfile.ZipInfo(name, EARLIEST)
        info.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(info, content)


class _Names:
    """File names that no two images share, not even without their endings: annotation files are named after them."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def free(self, filename: str, format: str) -> str:
        filename = portable_filename(filename)  # again, for rows that were there before names were cleaned
        if filename.startswith("."):  # a leading dot hides a file
            filename = "_" + filename[1:]
        if not is_image(filename):
            filename += SUFFIXES.get(format, ".jpg")
        path = PurePosixPath(filename)
        name, count = filename, 2
        while PurePosixPath(name).stem.casefold() in self._taken:
            name, count = f"{path.stem} ({count}){path.suffix}", count + 1
        self._taken.add(PurePosixPath(name).stem.casefold())
        return name


class _Forward:
    """A file that zipfile can only write onward, so that the bytes are hashed as they come."""

    def __init__(self, target: Incoming) -> None:
        self._target = target

    def write(self, content: bytes, /) -> int:
        self._target.write(bytes(content))
        return len(content)

    def flush(self) -> None:
        self._target.flush()

    def close(self) -> None:
        """The target is kept or discarded by who made it."""
