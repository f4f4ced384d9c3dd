"""The folder that a training's process works in: the request and everything that it names."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path
from typing import Any

from django.conf import settings

from datasets.models import Snapshot, SnapshotImage
from datasets.snapshots import iterate_images
from inference.embeddings.embedders import converted_backbone
from inference.models import FileKind, Model
from inference.registry.registration import copy_file
from jobs.errors import WorkFailed
from projects.models import Task
from storage import services as storage
from vision.detection.samples import DetectionSample
from vision.engine_requests import BaseModelFile, TrainingRequest, write_request
from vision.training.architectures import ARCHITECTURES
from vision.training.data import SPLITS, MultilabelSample, Sample
from vision.training.speeds import Speeds


def prepare_folder(
    folder: Path,
    snapshot: Snapshot,
    configuration: dict,
    *,
    base: Model | None = None,
    kind: type[TrainingRequest] = TrainingRequest,
    known: Speeds | None = None,
) -> None:
    """Write the request with the paths of all images; files that are not in the cache are fetched.

    Args:
        kind: `PreflightRequest` to have it estimated only.
        known: how fast its network is here, where that was measured earlier.

    Raises:
        WorkFailed: the base model has no file of its own. BlobMissing: an image is lost, or the store is away.
    """
    folder.mkdir(parents=True, exist_ok=True)
    images = folder / "images"
    index, task = {name: number for number, name in enumerate(snapshot.class_names)}, snapshot.project.kind

    def sample_of(row: SnapshotImage) -> Any:
        key, path = str(row.image_key), str(storage.pin(row.blob, images))
        labels = [index[annotation["label"]] for annotation in row.annotations]
        if task is Task.DETECTION:
            return DetectionSample(key, path, [annotation["box"] for annotation in row.annotations], labels)
        return MultilabelSample(key, path, labels) if task is Task.MULTILABEL else Sample(key, path, labels[0])

    request = kind(
        task=task.value,
        configuration=configuration,
        class_names=snapshot.class_names,
        splits={split: [sample_of(row) for row in iterate_images(snapshot, split)] for split in SPLITS},
        base=None if base is None else _base_file(base, folder),
        known=known,
        backbone=None if task.has_boxes else _backbone_file(configuration, folder),
    )
    write_request(folder, request)


def _base_file(base: Model, folder: Path) -> BaseModelFile:
    is_package = ARCHITECTURES[base.architecture].is_keras_retinanet
    # Keras tells the format from the name.
    kind, path = (FileKind.KERAS_H5, folder / "base.h5") if is_package else (FileKind.KERAS, folder / "base.keras")
    if not copy_file(model=base, kind=kind, target=path):
        raise WorkFailed("base_model_without_file", f"{base} has no Keras file to start from. Choose another model.")
    return BaseModelFile(str(path), base.class_names, base.detector.get("anchors"))


def _backbone_file(configuration: dict, folder: Path) -> str | None:
    """A copy of the backbone's LiteRT file, where the live model's is the same network at the same size."""
    if configuration["weights"] != "imagenet":
        return None
    found = converted_backbone(configuration["architecture"], configuration["image_size"])
    return None if found is None else str(shutil.copyfile(found, folder / "backbone.tflite"))


def work_folder(pk: uuid.UUID | str) -> Path:
    return settings.WORK_DIR / "trainings" / str(pk)
