"""Exports by platform and flavor: files that the studio verifies, in a zip as programs expect it."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.urls import get_script_prefix
from django.utils import timezone

from custom_vision.domains import BY_ID
from custom_vision.errors import Refused, missing
from custom_vision.image_rows import DAY
from custom_vision.iterations import detail_of, model_of
from inference.models import FileKind, Model, ModelFile
from inference.registry.exports import start_export
from jobs.models import ENDED, Job
from storage import services as storage
from storage.signing import base_url_of, sign_path
from training.models import TrainingRun
from vision.exporting.onnx_channels import channels_first

# Platform → flavor → kind of the studio's files; all in lower case.
KINDS = {
    "tensorflow": {
        "": FileKind.SAVED_MODEL,
        "tensorflownormal": FileKind.SAVED_MODEL,
        "tensorflowsavedmodel": FileKind.SAVED_MODEL,
        "tensorflowlite": FileKind.LITERT_FLOAT32,
        "tensorflowlitefloat16": FileKind.LITERT_FLOAT16,
    },
    "onnx": dict.fromkeys(("", "onnx10", "onnx12", "onnxfloat16"), FileKind.ONNX),
}
REFUSED = ("coreml", "dockerfile", "vaidk", "openvino")
NAMES = {FileKind.LITERT_FLOAT32: "model.tflite", FileKind.LITERT_FLOAT16: "model.tflite", FileKind.ONNX: "model.onnx"}
EXPORTING, DONE, FAILED = "Exporting", "Done", "Failed"
COPY_BYTES = 1 << 20
# What programs on Windows read of an ONNX file: its images are RGB from 0 to 255.
IMAGES = {"Image.BitmapPixelFormat": "Rgb8", "Image.NominalPixelRange": "NominalRange_0_255"}


def kind_of(platform: str, flavor: str) -> str:
    """The studio's kind of file. Raises `Refused`."""
    if platform.lower() in REFUSED:
        detail = f"{platform} is not supported: export for TensorFlow or ONNX."
        raise Refused("BadRequestProjectUnsupportedExportPlatform", detail)
    kind = KINDS.get(platform.lower(), {}).get(flavor.lower())
    if kind is None:
        detail = f"There is no export {platform} {flavor}: TensorFlow, TensorFlow with TensorFlowLite, and ONNX are."
        raise Refused("BadRequestExportValidationFailed", detail)
    return kind


def export(*, run: TrainingRun, user: User, platform: str | None, flavor: str | None) -> dict[str, Any]:
    """Begin an export; its row as it is kept.

    Raises:
        Refused: it is there already, nothing writes such a file, or the iteration is not trained.
    """
    model, kind = model_of(run), kind_of(platform or "", flavor or "")
    detail = detail_of(run)
    kept = []
    for row in detail.exports:
        if not _is_same(row, platform, flavor):
            kept.append(row)
        elif status_of(model, row) != FAILED:
            raise Refused("BadRequestExportAlreadyInProgress", "This export is there already: get_exports has it.")
    job = None if _file_of(model, kind) else start_export(model=model, user=user, kinds=[kind])
    made = {"platform": platform, "flavor": flavor, "job": None if job is None else str(job.pk)}
    detail.exports = [*kept, made]
    detail.save()
    return made


def _is_same(row: dict[str, Any], platform: str | None, flavor: str | None) -> bool:
    return [(row[name] or "").lower() for name in ("platform", "flavor")] == [
        (text or "").lower() for text in (platform, flavor)
    ]


def _file_of(model: Model, kind: str) -> ModelFile | None:
    return ModelFile.objects.select_related("blob").filter(model=model, kind=kind).first()


def status_of(model: Model, row: dict[str, Any]) -> str:
    """A file that is worse than the model is not kept: such an export has failed."""
    if row["job"] is not None and Job.objects.filter(pk=row["job"]).exclude(state__in=ENDED).exists():
        return EXPORTING
    return DONE if _file_of(model, kind_of(row["platform"], row["flavor"] or "")) else FAILED


def list_exports(request: HttpRequest, run: TrainingRun) -> list[dict[str, Any]]:
    return [export_json(request, run, row) for row in detail_of(run).exports] if run.model is not None else []


def export_json(request: HttpRequest, run: TrainingRun, row: dict[str, Any], status: str = "") -> dict[str, Any]:
    """Platform and flavor as they were asked for; an address that needs no key when it is done."""
    status = status or status_of(model_of(run), row)
    name = row["platform"] + (f"-{row['flavor']}" if row["flavor"] else "")
    path = f"{get_script_prefix()}customvision/v3/training/projects/{run.project_id}/iterations/{run.pk}/export/{name}"
    return {
        "platform": row["platform"],
        "status": status,
        "downloadUri": base_url_of(request) + sign_path(path, seconds=DAY) if status == DONE else None,
        "flavor": row["flavor"],
        "newerVersionAvailable": False,
    }


def write_zip(run: TrainingRun, name: str, target: IO[bytes]) -> None:
    """The export of this name as a zip: the model, `labels.txt` and `cvexport.manifest`.

    Raises:
        Refused: `NotFound`.
    """
    model, (platform, _, flavor) = model_of(run), name.partition("-")
    kind = kind_of(platform, flavor)
    file = _file_of(model, kind)
    if file is None:
        raise missing("Iteration", "There is no such export: export_iteration makes it.")
    labels = "".join(f"{label}\n" for label in model.class_names).encode()
    with zipfile.ZipFile(target, "w") as archive, storage.pinned(file.blob) as path:
        with open(path, "rb") as content_file:
            digest = hashlib.file_digest(content_file, "sha1").hexdigest()
        if kind == FileKind.SAVED_MODEL:
            _copy_entries(path, archive)
        elif kind == FileKind.ONNX:
            content = channels_first(path, IMAGES)
            archive.writestr(NAMES[FileKind.ONNX], content)
            digest = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        else:
            archive.write(path, NAMES[FileKind(kind)])
        archive.writestr("labels.txt", labels)
        archive.writestr("cvexport.manifest", json.dumps(_manifest(run, platform, flavor, kind, digest), indent=2))


def _copy_entries(path: Path, archive: zipfile.ZipFile) -> None:
    """What is in a zip, below `saved_model`."""
    with zipfile.ZipFile(path) as inner:
        for entry in inner.infolist():
            if not entry.is_dir():
                place = entry.filename.removeprefix("saved_model/")
                with inner.open(entry) as source, archive.open(f"saved_model/{place}", "w") as copy:
                    while chunk := source.read(COPY_BYTES):
                        copy.write(chunk)


def _manifest(run: TrainingRun, platform: str, flavor: str, kind: str, digest: str) -> dict[str, Any]:
    domain = BY_ID[detail_of(run).domain]
    return {
        "DomainType": domain.type,
        "Platform": platform,
        "Flavor": flavor or None,
        "ExporterVersion": "2.0 [S1]",
        "ExportedDate": timezone.now().isoformat(),
        "IterationId": str(run.pk),
        "ModelFileName": NAMES.get(FileKind(kind), "saved_model"),
        "LabelFileName": "labels.txt",
        "ModelFileSHA1": digest,
        "SchemaVersion": "1.0",
    }


def temporary_folder() -> Path:
    settings.TEMPORARY_DIR.mkdir(parents=True, exist_ok=True)
    return settings.TEMPORARY_DIR
