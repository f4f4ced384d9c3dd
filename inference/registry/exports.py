"""Exports of a model: files for other runtimes, written and verified in a process of their own, the good ones kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.contrib.auth.models import User
from django.db import transaction

from common.errors import Invalid
from common.renamed_fields import under_both_names
from datasets.models import Snapshot
from datasets.snapshots import require_images
from inference.models import FileKind, Model, ModelFile
from inference.registry.bundles import folder_name, write_bundle
from inference.registry.export_images import images_for
from inference.registry.registration import add_file, copy_file
from inference.registry.staging import StagedFile, staged
from inference.registry.staleness import settings_inside
from jobs.context import JobContext
from jobs.contracts import JobParameters, JobResult
from jobs.engine.files import made_files
from jobs.engine.process import EngineProcess, result_of
from jobs.errors import WorkFailed
from jobs.models import Job, JobKind, Queue
from jobs.services import WORK_FOLDERS, enqueue_job, handles
from projects.models import Task
from vision.engine_requests import write_request
from vision.exporting.request import Export, ExportRequest
from vision.runtime.kinds import KERAS_RETINANET_KINDS, KINDS
from vision.sandbox.removal import remove_tree

WORK_FOLDERS.add("model-exports")
LARGEST_DROP = 0.02
REPORT_NAMES = {"pictures": "measured_on"}  # of the fields of a report: deprecated name → name
# What a training or an upload left; an export verifies them and does not write them again.
GIVEN = (FileKind.KERAS, FileKind.LITERT_FLOAT32)


@dataclass(frozen=True)
class ModelExportParameters(JobParameters, kind=JobKind.MODEL_EXPORT, queue=Queue.HEAVY):
    model: str
    kinds: list[str]
    bundle_of: str | None
    snapshot: str | None
    largest_drop: float


@dataclass(frozen=True)
class ModelExportResult(JobResult):
    model: str
    exports: list[dict]
    bundle: str | None


def exportable_kinds(model: Model) -> list[str]:
    """What this model can be exported as; nothing when it has no file of its own to start from."""
    kinds = {file.kind for file in model.files.all()}
    if FileKind.KERAS in kinds:
        return list(KINDS)
    return list(KERAS_RETINANET_KINDS) if FileKind.KERAS_H5 in kinds else []


def start_export(
    *,
    model: Model,
    user: User,
    kinds: list[str],
    bundle_of: str | None = None,
    snapshot: Snapshot | None = None,
    largest_drop: float = LARGEST_DROP,
) -> Job:
    """Make the job that writes, verifies and keeps the files.

    Args:
        bundle_of: the kind of file that a zip with everything around it is made for, if one is wanted.
        snapshot: whose test split they are verified on; the model's own by default.
        largest_drop: how much accuracy, F1 of all labels or AP50 a file may lose.

    Raises:
        Invalid: the model cannot be exported as one of them.
    """
    if snapshot is not None:
        require_images(snapshot)
    possible = exportable_kinds(model)
    wanted = list(dict.fromkeys(kinds + ([bundle_of] if bundle_of else [])))
    impossible = [kind for kind in wanted if kind not in possible]
    if impossible:
        detail = f"This model cannot be exported as {impossible[0]}; possible: {', '.join(possible) or 'nothing'}."
        raise Invalid(detail, attr="kinds", code="export_not_possible")
    if snapshot is not None and snapshot.project.task != model.task:
        raise Invalid("It is of a project with another task.", attr="snapshot", code="snapshot_does_not_fit")
    parameters = ModelExportParameters(
        model=str(model.pk),
        kinds=wanted,
        bundle_of=bundle_of,
        snapshot=None if snapshot is None else str(snapshot.pk),
        largest_drop=largest_drop,
    )
    with transaction.atomic():
        return enqueue_job(project=model.project, user=user, parameters=parameters)


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
        write_request(folder, export_request(model, parameters, folder))
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
        remove_tree(folder)


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
            {"kind": export.kind, "offered": not export.problem, "problem": export.problem}
            | under_both_names(export.report, REPORT_NAMES)
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
        thresholds=model.ordered_thresholds if model.task == Task.MULTILABEL else [],
        files={"litert-float32": str(litert)} if has_litert else {},
        **images_for(model, snapshot, folder / "images"),
    )
