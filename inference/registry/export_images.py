"""The images that an export is verified on, and those that it is calibrated with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datasets.models import Image, Snapshot, SnapshotImage
from inference.models import Model
from projects.models import Task
from storage import services as storage

MAX_VERIFICATION_IMAGES = 2000
CALIBRATION_IMAGES = 200
UNLABELLED_IMAGES = 64


# What a sample of an image says of which nothing is known.
UNKNOWN: dict[Task, dict[str, Any]] = {
    Task.CLASSIFICATION: {"label": -1},
    Task.MULTILABEL: {"labels": []},
    Task.DETECTION: {"boxes": [], "labels": []},
}


def images_for(model: Model, snapshot: Snapshot | None, folder: Path) -> dict:
    """Images to verify the files on, and others to calibrate them with: of a snapshot, or what the project has."""
    if snapshot is not None and snapshot.has_images:
        verification = labelled_samples(model, _evenly(snapshot, "test", MAX_VERIFICATION_IMAGES), folder)
        rows = _evenly(snapshot, "train", CALIBRATION_IMAGES)
        calibration = [str(storage.pin(row.blob, folder)) for row in rows]
        if verification:
            source = f"test split of snapshot {snapshot.number}"
            return {"samples": verification, "source": source, "is_labelled": True, "calibration": calibration}
    images = Image.objects.filter(dataset__project=model.project_id).select_related("blob").order_by("id")
    paths = [(str(image.pk), str(storage.pin(image.blob, folder))) for image in images[: 2 * UNLABELLED_IMAGES]]
    unknown = UNKNOWN[Task(model.task)]
    samples = [{"id": pk, "path": path, **unknown} for pk, path in paths[::2]]
    return {
        "samples": samples,
        "source": "images of the project, without regard to their labels",
        "is_labelled": False,
        "calibration": [path for _, path in paths[1::2] or paths],
    }


def _evenly(snapshot: Snapshot, split: str, limit: int) -> list[SnapshotImage]:
    """At most `limit` images of a split, from all over it."""
    pks = list(snapshot.images.filter(split=split).order_by("id").values_list("pk", flat=True))
    chosen = pks[:: -(-len(pks) // limit)] if pks else []
    return list(snapshot.images.filter(pk__in=chosen).select_related("blob").order_by("id"))


def labelled_samples(model: Model, rows: list[SnapshotImage], folder: Path) -> list[dict]:
    """Samples of those images whose labels the model knows."""
    index = {name: number for number, name in enumerate(model.class_names)}
    samples = []
    for row in rows:
        names = [annotation["label"] for annotation in row.annotations]
        if not set(names) <= set(index):
            continue
        sample: dict = {"id": str(row.image_key), "path": str(storage.pin(row.blob, folder))}
        task = Task(model.task)
        if task.has_single_labels:
            sample["label"] = index[names[0]]
        else:
            sample["labels"] = [index[name] for name in names]
        if task.has_boxes:
            sample["boxes"] = [annotation["box"] for annotation in row.annotations]
        samples.append(sample)
    return samples
