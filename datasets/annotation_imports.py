"""Annotations without images: they are for images that the dataset has already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from django.conf import settings
from django.db import transaction

from datasets.containers import AnyContents
from datasets.import_report import ImportReport
from datasets.ingest import fill_images
from datasets.labels import ensure_labels
from datasets.models import Dataset, Image, Origin
from datasets.outcomes import Outcome
from datasets.parsing import ParsedArchive
from jobs.context import JobContext
from jobs.errors import WorkFailed
from storage import services as storage
from storage.database import by_key
from vision.formats.base import Record, begins_an_image, is_image, is_text
from vision.imaging.orientation import stored_orientation
from vision.imaging.preprocessing import ImageError, open_image

BATCH = 200


def has_images(contents: AnyContents) -> bool:
    names = contents.names
    if any(map(is_image, names)):
        return True
    others = [name for name in names if not is_text(name)]
    return any(begins_an_image(contents.head(name)) for name in others)


def images_by_name(dataset: Dataset) -> dict[str, Image]:
    """The images of a dataset, by names that no two share: a name that several have stands in a folder for each.

    Raises:
        WorkFailed: `no_images`: there are none; `too_many_images`.
    """
    if dataset.image_count > settings.MAX_ARCHIVE_ENTRIES:
        raise WorkFailed(
            "too_many_images",
            f"The dataset has {dataset.image_count:,} images; annotations alone can be imported for "
            f"{settings.MAX_ARCHIVE_ENTRIES:,}. Send an archive that has the images too.",
        )
    images: dict[str, Image] = {}
    repeated: set[str] = set()
    fields = ("id", "filename", "width", "height", "reviewed", "split", "revision", "dataset_id", "blob_id")
    for image in by_key(Image.objects.filter(dataset=dataset).only(*fields)):
        if image.filename in repeated or image.filename in images:
            repeated.add(image.filename)
            if (first := images.pop(image.filename, None)) is not None:
                images[f"{first.pk}/{first.filename}"] = first
            images[f"{image.pk}/{image.filename}"] = image
        else:
            images[image.filename] = image
    if not images:
        raise WorkFailed(
            "no_images",
            "The archive has no images, and the dataset has none that annotations could be for. Images inside of "
            "annotation files (imageData) are not read: add them as files.",
        )
    return images


@dataclass(frozen=True)
class _Annotated:
    is_confirmed: bool
    split: str | None


def annotate_images(
    context: JobContext,
    dataset: Dataset,
    parsed: ParsedArchive,
    report: ImportReport,
    fit: Callable,
    present: dict[str, Image],
) -> None:
    """Give images what the annotations say; those that somebody has annotated already are left as they are."""
    # Not by number: images that were added or deleted while the job was interrupted would shift it.
    left = (record for record in parsed.records() if _is_left(record, present, report.after))
    while batch := list(islice(left, BATCH)):
        fitting = [(record, fit(record, *_facts(record, present[record.path]))) for record in _known(batch, present)]
        with transaction.atomic():
            names = {mark.label for _, fitted in fitting for mark in fitted.marks}
            labels = ensure_labels(project=dataset.project, names=sorted(names))
            pks = [present[record.path].pk for record, _ in fitting]
            locked = {image.pk: image for image in Image.objects.select_for_update().filter(pk__in=pks).order_by("pk")}
            rows, outcomes = [], []
            for record, fitted in fitting:
                image = locked.get(present[record.path].pk)
                if image is None or not (fitted.marks or fitted.is_reviewed):
                    continue
                if image.reviewed:
                    outcomes.append(_left(image))
                    continue
                marks = [(labels[mark.label], mark.box) for mark in fitted.marks]
                rows.append((image, marks, _Annotated(fitted.is_confirmed, record.split)))
                detail = "The image got the annotations of this file."
                outcomes.append(Outcome(image.filename, "duplicate", str(image.pk), "annotated", detail))
                report.take(sum(mark.box is not None for mark in fitted.marks), fitted.is_confirmed, True)
            fill_images(rows, Origin.IMPORTED, context.job.created_by)
            for _, fitted in fitting:
                report.remark(fitted.remarks)
            report.add(outcomes, len(batch))
            report.after = max((str(present[record.path].pk) for record, _ in fitting), default=report.after)
            context.report(min(report.next, parsed.count), parsed.count, position=report.position())


def _is_left(record: Record, present: dict[str, Image], after: str) -> bool:
    """Whether a record's turn is yet to come; those of images come in the order of their keys."""
    return record.path not in present or str(present[record.path].pk) > after


def _known(batch: list[Record], present: dict[str, Image]) -> list[Record]:
    return [record for record in batch if record.path in present]


def _left(image: Image) -> Outcome:
    detail = "The image is annotated already and was left as it is. Remove its annotations to have those of the file."
    return Outcome(image.filename, "duplicate", str(image.pk), "already_annotated", detail)


def _facts(record: Record, image: Image) -> tuple[int, int, int]:
    """`(width, height, orientation)`; the file is looked at only when the claimed size is the other way round."""
    orientation = 1
    if record.size is not None and record.size != (image.width, image.height):
        try:
            with storage.opened(image.blob) as file, open_image(file) as opened:
                orientation = stored_orientation(opened)
        except (ImageError, OSError):
            pass
    return image.width, image.height, orientation
