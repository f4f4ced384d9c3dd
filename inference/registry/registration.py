"""Registering a model: a new version of its project, with its files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F

from datasets.models import Snapshot
from inference.models import Evaluation, FileKind, Model, ModelFile, Resize
from inference.registry.naming import figures_of
from inference.registry.staging import AnyFile, StagedFile, staged, with_labels
from projects.models import Project
from projects.services import adjust_counts
from storage import services as storage

OUTCOMES_TYPE = "application/octet-stream"

CONTENT_TYPES = {
    FileKind.KERAS: "application/zip",
    FileKind.KERAS_H5: "application/x-hdf5",
    FileKind.LITERT_FLOAT32: "application/octet-stream",
    FileKind.LITERT_FLOAT16: "application/octet-stream",
    FileKind.LITERT_DYNAMIC: "application/octet-stream",
    FileKind.LITERT_INT8: "application/octet-stream",
    FileKind.ONNX: "application/octet-stream",
    FileKind.SAVED_MODEL: "application/zip",
    FileKind.BUNDLE: "application/zip",
    FileKind.ORIGINAL: "application/octet-stream",
    FileKind.LABELS: "text/plain",
    FileKind.LABELS_JSON: "application/json",
    FileKind.MODEL_CARD: "text/markdown",
    FileKind.MODEL_CARD_JSON: "application/json",
}


def register_model(
    *,
    project: Project,
    name: str,
    class_names: list[str],
    architecture: str,
    input_size: tuple[int, int],
    parameters: int,
    files: Mapping[str, AnyFile],
    user: User | None,
    training: Any = None,
    snapshot: Snapshot | None = None,
    metrics: dict | None = None,
    mistakes: list[dict] | None = None,
    curves: dict | None = None,
    outcomes: StagedFile | None = None,
    detector: dict | None = None,
    label_thresholds: dict[str, float] | None = None,
    base_model: Model | None = None,
    resize: str = Resize.STRETCH,
    origin: dict | None = None,
) -> Model:
    """A new version in the project with its files and, of a model trained here, its evaluation on the test split.

    Beside what came it gets `labels.json`: unlike lines of text it has every name as it is.

    Args:
        metrics, mistakes, curves: of the evaluation.
        outcomes: what was predicted of each of its images (`vision.analysis.predictions`).
    """
    with staged(with_labels(files, class_names)) as ready, transaction.atomic():
        model = _new_version(
            project,
            name=name,
            task=project.task,
            class_names=class_names,
            architecture=architecture,
            input_height=input_size[0],
            input_width=input_size[1],
            parameters=parameters,
            metrics=metrics or {},
            detector=detector or {},
            label_thresholds=label_thresholds or {},
            resize=Resize.LETTERBOX if detector else resize,
            origin=origin or {},
            base_model=base_model,
            training=training,
            snapshot=snapshot,
            created_by=user,
        )
        for kind, file in ready.items():
            add_file(model=model, kind=kind, path=file)
        if metrics is not None:
            Evaluation.objects.create(
                model=model,
                snapshot=snapshot,
                split="test",
                metrics=metrics,
                mistakes=mistakes or [],
                curves=curves or {},
                outcomes=None if outcomes is None else storage.keep(outcomes.incoming, OUTCOMES_TYPE),
            )
    return model


def _new_version(project: Project, **fields: Any) -> Model:
    adjust_counts(project.pk, model_count=1)
    Project.objects.filter(pk=project.pk).update(last_model_version=F("last_model_version") + 1)
    version = Project.objects.values_list("last_model_version", flat=True).get(pk=project.pk)
    return Model.objects.create(project=project, version=version, figures=figures_of(fields["metrics"]), **fields)


def copy_file(*, model: Model, kind: str, target: Path) -> bool:
    """Put one of the model's files at `target`, fetched when it is not in the cache. False when it has no such file."""
    row = ModelFile.objects.select_related("blob").filter(model=model, kind=kind).first()
    if row is not None:
        storage.copy_to(row.blob, target)
    return row is not None


def add_file(*, model: Model, kind: str, path: AnyFile, report: dict | None = None) -> ModelFile:
    """Give a model a file; within a transaction a staged one, so that nobody waits while it is copied."""
    with staged({kind: path}) as ready:
        blob = storage.keep(ready[kind].incoming, CONTENT_TYPES[FileKind(kind)])
    return ModelFile.objects.create(
        model=model, kind=kind, filename=ready[kind].filename, blob=blob, report=report or {}
    )
