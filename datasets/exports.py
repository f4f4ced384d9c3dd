"""The export job: a dataset becomes a zip, image by image; nothing but small rows is held in memory."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath

from rest_framework.exceptions import ValidationError

from datasets.formats import WRITERS, Writer
from datasets.formats.base import Exported, Mark, is_image
from datasets.models import Dataset, Image
from datasets.selectors import live_datasets
from projects.errors import WorkFailed
from projects.jobs import JobContext, enqueue_job, handles
from projects.models import Job, Task
from projects.queues import queue_for
from storage import services as storage
from storage.cache import Incoming
from storage.database import by_key
from storage.filenames import is_safe_path, portable_filename

KIND = "export"
# The formats that can hold what a project has.
FITTING: dict[str, tuple[str, ...]] = {
    Task.CLASSIFICATION: ("folder", "csv", "label_studio", "datumaro"),
    Task.DETECTION: tuple(name for name in WRITERS if name != "folder"),
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


def start_export(*, dataset: Dataset, user, format: str) -> Job:
    """Make the job that writes the dataset.

    Raises:
        ValidationError: the format cannot hold what the project has.
    """
    fitting = FITTING[Task(dataset.project.task)]
    if format not in fitting:
        raise ValidationError(
            {"format": [f"A {dataset.project.task} project is exported as {', '.join(fitting)}, not as {format}."]},
            code="format_does_not_fit",
        )
    parameters = {"dataset": str(dataset.pk), "format": format}
    return enqueue_job(
        project=dataset.project, user=user, kind=KIND, parameters=parameters,
        queue=queue_for(images=dataset.image_count),
    )  # fmt: skip


@handles(KIND)
def run_export(context: JobContext) -> dict:
    """Write all images with their confirmed annotations. An interrupted export begins again."""
    job = context.job
    dataset = live_datasets().filter(pk=job.parameters["dataset"]).select_related("project").first()
    if dataset is None:
        raise WorkFailed("dataset_deleted", "The dataset was deleted before the export began.")
    labels = list(dataset.project.labels.order_by("order", "id").values_list("name", flat=True))
    writer = WRITERS[job.parameters["format"]](labels)
    target = storage.receive()
    try:
        counts = _write(context, dataset, writer, target)
        blob = storage.keep(target, "application/zip")
    finally:
        target.discard()
    context.keep(output_blob=blob, output_name=f"{dataset.name}-{job.parameters['format']}.zip")
    return {"format": job.parameters["format"], "size": blob.size, "sha256": blob.sha256, **counts}


def _write(context: JobContext, dataset: Dataset, writer: Writer, target: Incoming) -> dict:
    total, boxes, done = Image.objects.filter(dataset=dataset).count(), 0, 0
    reported = time.monotonic()
    names = _Names()
    with zipfile.ZipFile(_Forward(target), "w", zipfile.ZIP_DEFLATED) as archive:
        for image in _images(dataset):
            exported = _exported(image, names)
            path = _check_path(writer.image_path(exported))
            info = zipfile.ZipInfo(path, EARLIEST)  # pictures do not compress
            large = image.size > 1 << 31
            with storage.opened(image.blob) as source, archive.open(info, "w", force_zip64=large) as copy:
                while chunk := source.read(CHUNK_BYTES):
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


def _images(dataset: Dataset) -> Iterator[Image]:
    rows = Image.objects.filter(dataset=dataset).select_related("blob").prefetch_related("annotations__label")
    return by_key(rows)


def _exported(image: Image, names: _Names) -> Exported:
    rows = sorted((row for row in image.annotations.all() if row.confirmed), key=lambda row: row.pk)
    marks = [Mark(row.label.name, None if row.box is None else tuple(row.box)) for row in rows]  # type: ignore[arg-type]
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
