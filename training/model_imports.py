"""Models from elsewhere, converted in a process of their own."""

from __future__ import annotations

import json

from django.conf import settings

from datasets.models import Image
from inference.model_uploads import KIND
from inference.services import register_model
from projects.jobs import JobContext, handles
from projects.models import Project
from storage import services as storage
from training.process import EngineProcess, remove_folder, result_of

MAX_SECONDS = 1800
PROOF_IMAGES = 4


@handles(KIND)
def import_model(context: JobContext) -> dict:
    """Let the engine read the uploaded file, and register what it made of it."""
    job = context.job
    folder = settings.WORK_DIR / "model-imports" / str(job.pk)
    folder.mkdir(parents=True, exist_ok=True)
    assert job.input_blob is not None  # start_model_import gave it one
    storage.copy_to(job.input_blob, folder / "model.h5")
    images = Image.objects.filter(dataset__project=job.project_id).select_related("blob")[:PROOF_IMAGES]
    request = {
        "mode": "import",
        "path": str(folder / "model.h5"),
        "images": [str(storage.pin(image.blob, folder / "images")) for image in images],
        **{key: job.parameters[key] for key in ("class_names", "image_size", "anchors")},
    }
    (folder / "request.json").write_text(json.dumps(request))
    process = EngineProcess(folder)
    try:
        result = result_of(process, context, "model_import_died", MAX_SECONDS)
        return _register(job, result)
    finally:
        process.kill()
        remove_folder(folder)


def _register(job, result: dict) -> dict:
    model = register_model(
        project=Project.objects.get(pk=job.project_id),
        name=job.parameters["name"] or result["architecture"],
        class_names=result["class_names"],
        architecture=result["architecture"],
        input_size=tuple(result["input_size"]),
        parameters=result["parameters"],
        files=result["files"],
        detector=result["detector"],
        user=job.created_by,
    )
    return {"model": str(model.pk), "version": model.version, "litert_difference": result["litert_difference"]}
