"""Models from elsewhere, read and checked in a process of their own, which has little memory and little time."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from django.conf import settings
from django.db import transaction

from datasets.models import Image
from inference.errors import ModelUploadsOff
from inference.models import FileKind
from inference.registry.model_imports import ModelImportParameters, ModelImportResult
from inference.registry.registration import register_model
from inference.registry.staging import staged, with_labels
from jobs.context import JobContext
from jobs.errors import WorkFailed
from jobs.services import WORK_FOLDERS, handles
from projects.models import Project
from storage import services as storage
from training.process import EngineProcess, made_files, remove_folder, result_of
from vision.model_import.request import UploadRequest

MAX_SECONDS = 1800
WORK_FOLDERS.add("model-imports")
PROOF_IMAGES = 4


@handles(ModelImportParameters)
def import_model(context: JobContext[ModelImportParameters]) -> ModelImportResult:
    """Let the engine read the uploaded file, and register what it made of it."""
    job = context.job
    if not settings.MODEL_UPLOADS:  # switched off while it waited
        raise WorkFailed("model_uploads_off", ModelUploadsOff.detail)
    folder = context.work_path("model-imports")
    folder.mkdir(parents=True, exist_ok=True)
    assert job.input_blob is not None  # start_model_import gave it one
    path = folder / f"upload{Path(context.parameters.filename).suffix.lower()}"  # Keras tells the format from the name
    storage.copy_to(job.input_blob, path)
    rows = Image.objects.filter(dataset__project=job.project_id).select_related("blob")[:PROOF_IMAGES]
    images = [str(storage.pin(row.blob, folder / "images")) for row in rows]
    (folder / "request.json").write_text(json.dumps(_request(context.parameters, path, images)))
    try:
        process = EngineProcess(folder)
        try:
            result = result_of(process, context, "model_import_died", MAX_SECONDS)
        finally:
            process.kill()  # what it has written is its last word
        result["files"] = made_files(folder, result["files"])
        return _register(context, result, path)
    finally:
        remove_folder(folder)


def _request(parameters: ModelImportParameters, path: Path, images: list[str]) -> dict:
    height, width = parameters.image_size
    if parameters.format == "keras_retinanet":
        return {
            "mode": "import",
            "path": str(path),
            "images": images,
            "anchors": parameters.anchors,
            "class_names": parameters.class_names,
            "image_size": [height, width],
        }
    upload = UploadRequest(
        path=str(path),
        format=parameters.format,
        class_names=parameters.class_names,
        image_size=None if height is None or width is None else (height, width),
        channels=parameters.channels,
        scaling=parameters.scaling,
        resize=parameters.resize,
        images=images,
        max_parameters=settings.MAX_MODEL_PARAMETERS,
    )
    return {"mode": "upload", "upload": asdict(upload)}


def _register(context: JobContext[ModelImportParameters], result: dict, path: Path) -> ModelImportResult:
    job, parameters = context.job, context.parameters
    files = dict(result["files"])
    origin = {"filename": parameters.filename, **result.get("origin", {"format": parameters.format})}
    if "origin" in result:  # what was brought stays as it came
        files[FileKind.ORIGINAL] = path
    with staged(with_labels(files, result["class_names"])) as ready, transaction.atomic():
        context.keep()  # not when another attempt reads the same file now
        model = register_model(
            project=Project.objects.get(pk=job.project_id),
            name=parameters.name or _name_of(parameters, result),
            class_names=result["class_names"],
            architecture=result["architecture"],
            input_size=tuple(result["input_size"]),
            parameters=result["parameters"],
            files=ready,
            detector=result.get("detector"),
            resize=parameters.resize,
            origin=origin,
            user=job.created_by,
        )
    return ModelImportResult(str(model.pk), model.version, result["litert_difference"], read=result.get("origin"))


def _name_of(parameters: ModelImportParameters, result: dict) -> str:
    if result["architecture"] != "uploaded":
        return result["architecture"]
    return Path(parameters.filename).stem[:100] or "uploaded"
