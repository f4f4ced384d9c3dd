"""Images that devices were unsure of: they arrive in a dataset as unconfirmed suggestions."""

from __future__ import annotations

import math
import time
import uuid

from django.conf import settings
from django.db import transaction

from common.words import counted
from datasets.examining import stage_upload
from datasets.gallery.keeping import settle
from datasets.ingest import add_images, edges_of
from datasets.models import FROM_DEVICES, Annotation, Dataset, Image, Label, Origin
from datasets.services import create_dataset
from edge.errors import TooManyImages
from edge.models import Device
from storage.cache import Incoming
from vision.imaging.preprocessing import ImageError

DATASET_NAME = "From devices"
MAX_SUGGESTIONS = 300
DAY_SECONDS = 86_400


def receive_image(
    *, device: Device, incoming: Incoming, filename: str, labels: list[dict], boxes: list[dict]
) -> tuple[str, Image]:
    """Keep an image with what the device's model said of it.

    Args:
        labels: `{"label", "score"}` of a classifier, the best first; boxes: `{"label", "score", "box"}` of a detector.

    Returns:
        `created` or `duplicate`, and the image.

    Raises:
        ImageError: it is no image that can be used.
        TooManyImages: the device has sent its share of today.
    """
    # Names may be given twice; the end of its id tells two devices apart.
    source = f"{FROM_DEVICES}{device.name} ({device.pk.hex[-6:]})"[:100]
    dataset = _dataset_of(device)
    _require_room(dataset, source)
    item = stage_upload(incoming, filename)
    with transaction.atomic():
        (outcome,) = add_images(dataset=dataset, items=[item], user=None, source=source)
        if outcome.kind == "rejected":
            raise ImageError(outcome.code, outcome.detail)
        image = Image.objects.get(pk=outcome.image_id)  # type: ignore[misc] # only what was rejected has none
        if outcome.kind == "created":
            _suggest(image, device, labels, boxes)
    return outcome.kind, image


def _require_room(dataset: Dataset, source: str) -> None:
    """Raises `TooManyImages` when a device has sent its share of the last 24 hours."""
    limit = settings.EDGE_IMAGES_PER_DAY
    recent = Image.objects.filter(dataset=dataset, id__gte=_first_id_of_a_day(), source=source)
    if limit < 1:
        raise TooManyImages("This server takes no images from devices (MLSTUDIO_DEVICE_IMAGES_PER_DAY).")
    # The one that must be a day old before there is room again.
    for (oldest,) in recent.order_by("-id").values_list("id")[limit - 1 : limit]:
        error = TooManyImages(
            f"This device has sent {counted(limit, 'image')} within a day, which is all that is taken. The next one is "
            "taken when the first of them is a day old."
        )
        error.wait = max(1, math.ceil(_seconds_of(oldest) + DAY_SECONDS - time.time()))
        raise error


def _seconds_of(pk: uuid.UUID) -> float:
    """When a row was made, by its id (UUIDv7, RFC 9562)."""
    return (pk.int >> 80) / 1000


def _first_id_of_a_day() -> uuid.UUID:
    """Ids sort by time (UUIDv7, RFC 9562): what is above this one was made within a day, and the index knows it."""
    milliseconds = int((time.time() - DAY_SECONDS) * 1000)
    return uuid.UUID(int=milliseconds << 80)


def _suggest(image: Image, device: Device, labels: list[dict], boxes: list[dict]) -> None:
    """Unconfirmed annotations; labels that the project does not have are left out."""
    known = {label.name: label for label in Label.objects.filter(project=device.project_id)}
    task = device.project.kind
    rows = []
    answers = boxes if task.has_boxes else labels[:1] if task.has_single_labels else _each_once(labels)
    for answer in answers[:MAX_SUGGESTIONS]:
        label = known.get(answer["label"])
        edges = _edges(answer["box"], image) if task.has_boxes else {}
        if label is not None and edges is not None:
            rows.append(
                Annotation(
                    image=image, label=label, origin=Origin.MODEL, score=answer["score"], confirmed=False, **edges
                )
            )
    Annotation.objects.bulk_create(rows)
    settle([image.pk])


def _each_once(labels: list[dict]) -> list[dict]:
    return list({answer["label"]: answer for answer in labels}.values())


def _edges(box: list[float], image: Image) -> dict | None:
    """The box within the image; None when nothing of it is there."""
    x_min, y_min, x_max, y_max = box
    clipped = (max(0.0, x_min), max(0.0, y_min), min(image.width, x_max), min(image.height, y_max))
    edges = edges_of(clipped)
    return edges if edges["x_max"] > edges["x_min"] and edges["y_max"] > edges["y_min"] else None


def _dataset_of(device: Device) -> Dataset:
    group = device.group
    chosen = None if group is None else group.feedback_dataset
    if chosen is not None and chosen.project_id == device.project_id:  # earlier versions let it be another project's
        return chosen
    dataset = Dataset.objects.filter(project=device.project_id, name=DATASET_NAME).order_by("id").first()
    return dataset or create_dataset(project=device.project, name=DATASET_NAME, description="Sent by devices.")
