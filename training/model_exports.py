"""The export job: the engine writes and verifies the files, the good ones become files of the model."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.db import transaction

from datasets.models import Image, Snapshot, SnapshotImage
from inference.models import FileKind, Model, ModelFile
from inference.registry.bundles import folder_name, write_bundle
from inference.registry.exports import ModelExportParameters, ModelExportResult
from inference.registry.registration import add_file, copy_file
from inference.registry.staging import StagedFile, staged
from inference.registry.staleness import settings_inside
from jobs.context import JobContext
from jobs.errors import WorkFailed
from jobs.services import WORK_FOLDERS, handles
from projects.models import Task
from storage import services as storage
from training.process import EngineProcess, made_files, remove_folder, result_of
from vision.exporting.request import Export, ExportRequest
from vision.runtime.kinds import KINDS

WORK_FOLDERS.add("model-exports")
MAX_VERIFICATION_IMAGES = 2000
CALIBRATION_IMAGES = 200
UNLABELLED_IMAGES = 64
# What a training or an upload left; an export verifies them and does not write them again.
GIVEN = (FileKind.KERAS, FileKind.LITERT_FLOAT32)


@handles(ModelExportParameters)
def export_model(context: JobContext[ModelExportParameters]) -> ModelExportResult:
    """Write what was asked for; a file that is worse than allowed is not kept, and the result says by how much."""
    parameters = context.parameters
    model = Model.objects.select_related("project", "snapshot").filter(pk=parameters.model).first()
    if model is None:
        raise WorkFailed("model_deleted", "The model was deleted before the export began.")
    folder = context.work_path("model-exports")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        (folder / "request.json").write_text(
            json.dumps({"mode": "export", "export": asdict(export_request(model, parameters, folder))})
        )
        process = EngineProcess(folder)
        try:
            exports = [Export(**export) for export in result_of(process, context, "model_export_died")["exports"]]
        finally:
            process.kill()
        for export in exports:
            if not export.problem:
                export.path = str(made_files(folder, {export.kind: export.path})[export.kind])
        return _keep(model, exports, parameters, folder)
    finally:
        remove_folder(folder)


def _keep(model: Model, exports: list[Export], parameters: ModelExportParameters, folder: Path) -> ModelExportResult:
    offered = {export.kind: export for export in exports if not export.problem}
    if not offered:
        raise WorkFailed("export_refused", " ".join(f"{export.kind}: {export.problem}" for export in exports))
    files = {kind: Path(export.path) for kind, export in offered.items()}
    reports = {kind: dict(export.report) for kind, export in offered.items()}
    if parameters.bundle_of in offered:
        files[FileKind.BUNDLE] = _bundle(model, offered[parameters.bundle_of], folder)
        reports[FileKind.BUNDLE] = {"kind": parameters.bundle_of}
    for kind, report in reports.items():
        if kind not in GIVEN and (inside := settings_inside(model, kind)):
            report |= inside  # as it was when the job began: whether it is so still is asked later
    with staged(files) as ready, transaction.atomic():
        for kind, file in ready.items():
            _replace(model, kind, file, reports[kind])
    return ModelExportResult(
        model=str(model.pk),
        exports=[
            {"kind": export.kind, "offered": not export.problem, "problem": export.problem, **export.report}
            for export in exports
        ],
        bundle=parameters.bundle_of if parameters.bundle_of in offered else None,
    )


def _replace(model: Model, kind: str, path: StagedFile, report: dict) -> None:
    if kind in GIVEN and ModelFile.objects.filter(model=model, kind=kind).update(report=report):
        return
    ModelFile.objects.filter(model=model, kind=kind).delete()
    add_file(model=model, kind=kind, path=path, report=report)


def _bundle(model: Model, export: Export, folder: Path) -> Path:
    documents = {}
    for kind, name in ((FileKind.MODEL_CARD, "training_card.md"), (FileKind.MODEL_CARD_JSON, "training_card.json")):
        if copy_file(model=model, kind=kind, target=folder / name):
            documents[name] = folder / name
    sample_from, given = None, folder / "given.tflite"
    if KINDS[export.kind].runtime not in ("litert", "onnxruntime") and given.exists():
        sample_from = (FileKind.LITERT_FLOAT32.value, given)
    target = folder / f"{folder_name(model)}.zip"
    write_bundle(
        target,
        model=model,
        kind=export.kind,
        file=Path(export.path),
        documents=documents,
        report=export.report,
        sample_from=sample_from,
    )
    return target


def export_request(model: Model, parameters: ModelExportParameters, folder: Path) -> ExportRequest:
    """What the engine is asked for, with every file that it names in the folder.

    Raises:
        WorkFailed: the model has no file of its own.
    """
    is_package = model.files.filter(kind=FileKind.KERAS_H5).exists()
    # Keras tells the format from the name.
    own, path = (FileKind.KERAS_H5, folder / "own.h5") if is_package else (FileKind.KERAS, folder / "own.keras")
    if not copy_file(model=model, kind=own, target=path):
        raise WorkFailed("model_without_file", f"{model} has no Keras file to start from.")
    litert = folder / "given.tflite"
    has_litert = copy_file(model=model, kind=FileKind.LITERT_FLOAT32, target=litert)
    snapshot = model.snapshot
    if parameters.snapshot is not None:
        snapshot = Snapshot.objects.filter(pk=parameters.snapshot).first()
        if snapshot is None:
            raise WorkFailed("snapshot_deleted", "The snapshot was deleted meanwhile.")
    return ExportRequest(
        path=str(path),
        engine="keras_retinanet" if is_package else "keras",
        architecture=model.architecture,
        class_names=model.class_names,
        input_size=(model.input_height, model.input_width),
        resize=model.resize,
        detector=model.detector,
        kinds=parameters.kinds,
        largest_drop=parameters.largest_drop,
        files={"litert-float32": str(litert)} if has_litert else {},
        **_images_for(model, snapshot, folder / "images"),
    )


def _images_for(model: Model, snapshot: Snapshot | None, folder: Path) -> dict:
    """Images to verify the files on, and others to calibrate them with: of a snapshot, or what the project has."""
    if snapshot is not None and snapshot.has_images:
        verification = _known(model, _evenly(snapshot, "test", MAX_VERIFICATION_IMAGES), folder)
        rows = _evenly(snapshot, "train", CALIBRATION_IMAGES)
        calibration = [str(storage.pin(row.blob, folder)) for row in rows]
        if verification:
            source = f"test split of snapshot {snapshot.number}"
            return {"samples": verification, "source": source, "is_labelled": True, "calibration": calibration}
    images = Image.objects.filter(dataset__project=model.project_id).select_related("blob").order_by("id")
    paths = [(str(image.pk), str(storage.pin(image.blob, folder))) for image in images[: 2 * UNLABELLED_IMAGES]]
    unknown: dict[str, Any] = {"boxes": [], "labels": []} if model.task == Task.DETECTION else {"label": -1}
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


def _known(model: Model, rows: list[SnapshotImage], folder: Path) -> list[dict]:
    """Samples of those images whose labels the model knows."""
    index = {name: number for number, name in enumerate(model.class_names)}
    samples = []
    for row in rows:
        names = [annotation["label"] for annotation in row.annotations]
        if not set(names) <= set(index):
            continue
        sample: dict = {"id": str(row.image_key), "path": str(storage.pin(row.blob, folder))}
        if model.task == Task.DETECTION:
            sample |= {
                "boxes": [annotation["box"] for annotation in row.annotations],
                "labels": [index[name] for name in names],
            }
        else:
            sample["label"] = index[names[0]]
        samples.append(sample)
    return samples
