"""Models that users bring: what they say of them is checked here, the file is read in a process of its own.

That process has little memory and little time.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from datasets.models import Image
from inference.errors import ModelUploadsOff
from inference.models import FileKind
from inference.registry.registration import register_model
from inference.registry.staging import staged, with_labels
from jobs.context import JobContext
from jobs.contracts import JobParameters, JobResult
from jobs.engine.files import made_files
from jobs.engine.process import EngineProcess, result_of
from jobs.errors import WorkFailed
from jobs.limits import require_place
from jobs.models import Job, JobKind, Queue
from jobs.services import WORK_FOLDERS, enqueue_job, handles
from projects.limits import require_bytes
from projects.models import Project
from storage import services as storage
from storage.cache import Incoming
from vision.engine_requests import write_request
from vision.model_import.request import PackageAnchors, PackageImportRequest, UploadRequest, UploadResult
from vision.sandbox.removal import remove_tree

# What a file is told by: its name's ending.
FORMATS = {
    ".keras": "keras",
    ".h5": "h5",
    ".hdf5": "h5",
    ".tflite": "litert",
    ".onnx": "onnx",
    ".zip": "saved_model",
}

# Names for what a network expects of pixels that are 0 to 255.
SCALINGS = ("0_255", "0_1", "-1_1", "imagenet", "caffe")

WORK_FOLDERS.add("model-imports")
MAX_SECONDS = 1800
PROOF_IMAGES = 4


@dataclass(frozen=True)
class ModelImportParameters(JobParameters, kind=JobKind.MODEL_IMPORT, queue=Queue.HEAVY):
    filename: str
    format: str
    name: str
    class_names: list[str]
    image_size: list[int | None]
    channels: str
    scaling: str
    resize: str
    anchors: dict | None


@dataclass(frozen=True)
class ModelImportResult(JobResult):
    model: str
    version: int
    litert_difference: float | None
    read: dict | None = None


def require_model_uploads() -> None:
    """Raises `ModelUploadsOff`: the studio takes no models from elsewhere."""
    if not settings.MODEL_UPLOADS:
        raise ModelUploadsOff()


def start_model_import(
    *,
    project: Project,
    user: User,
    incoming: Incoming,
    filename: str,
    format: str,
    name: str,
    labels: list[str],
    input_width: int | None,
    input_height: int | None,
    channels: str,
    scaling: str,
    resize: str,
    anchors: dict | None,
) -> Job:
    """Keep the file and make the job that reads it.

    Args:
        format: one of `FORMATS`' values, or `keras_retinanet`.
        labels: in the order of the network's outputs.
        input_width, input_height: needed where the file does not say.
        channels: `rgb` or `bgr`, scaling: one of `SCALINGS`, resize: one of `Resize`: what the network was trained on.
        anchors: of a detector of keras-retinanet.

    Raises:
        ModelUploadsOff, LimitReached.
    """
    require_model_uploads()
    require_place(Job, project=project, user=user)
    require_bytes(project, incoming.size)
    with transaction.atomic():
        blob = storage.keep(incoming, "application/octet-stream")
        parameters = ModelImportParameters(
            filename=filename,
            format=format,
            name=name,
            class_names=labels,
            image_size=[input_height, input_width],
            channels=channels,
            scaling=scaling,
            resize=resize,
            anchors=anchors,
        )
        return enqueue_job(project=project, user=user, parameters=parameters, input_blob=blob)


def format_of(filename: str) -> str | None:
    """The format that a file's name promises; None for a name that promises none."""
    return FORMATS.get(PurePosixPath(filename.lower()).suffix)


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
    write_request(folder, _request(context.parameters, path, images))
    try:
        process = EngineProcess(folder)
        try:
            result = UploadResult(**result_of(process, context, "model_import_died", MAX_SECONDS))
        finally:
            process.kill()  # what it has written is its last word
        return _register(context, result, made_files(folder, result.files), path)
    finally:
        remove_tree(folder)


def _request(parameters: ModelImportParameters, path: Path, images: list[str]) -> UploadRequest | PackageImportRequest:
    height, width = parameters.image_size
    size = None if height is None or width is None else (height, width)
    if parameters.format == "keras_retinanet":
        assert size is not None  # asked for with such files
        anchors = None if parameters.anchors is None else PackageAnchors(**parameters.anchors)
        return PackageImportRequest(str(path), parameters.class_names, size, anchors, images)
    return UploadRequest(
        path=str(path),
        format=parameters.format,
        class_names=parameters.class_names,
        image_size=size,
        channels=parameters.channels,
        scaling=parameters.scaling,
        resize=parameters.resize,
        images=images,
        max_parameters=settings.MAX_MODEL_PARAMETERS,
    )


def _register(
    context: JobContext[ModelImportParameters], result: UploadResult, files: dict[str, Path], path: Path
) -> ModelImportResult:
    job, parameters = context.job, context.parameters
    origin = {"filename": parameters.filename, **(result.origin or {"format": parameters.format})}
    if result.origin:  # what was brought stays as it came
        files[FileKind.ORIGINAL] = path
    with staged(with_labels(files, result.class_names)) as ready, transaction.atomic():
        context.keep()  # not when another attempt reads the same file now
        model = register_model(
            project=Project.objects.get(pk=job.project_id),
            name=parameters.name or _name_of(parameters, result),
            class_names=result.class_names,
            architecture=result.architecture,
            input_size=(result.input_size[0], result.input_size[1]),
            parameters=result.parameters,
            files=ready,
            detector=result.detector,
            resize=parameters.resize,
            origin=origin,
            user=job.created_by,
        )
    return ModelImportResult(str(model.pk), model.version, result.litert_difference, read=result.origin or None)


def _name_of(parameters: ModelImportParameters, result: UploadResult) -> str:
    if result.architecture != "uploaded":
        return result.architecture
    return Path(parameters.filename).stem[:100] or "uploaded"
