"""What one engine process may read and take, by its request: named fields only, never texts that a user chose."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import psutil
from django.conf import settings

from vision.engine_requests import EngineRequest, TrainingRequest
from vision.exporting.request import ExportRequest
from vision.model_import.request import PackageImportRequest
from vision.sandbox.limits import GIB, Limits
from vision.training.architectures import KERAS_RETINANET, weights_roots

# What decides which images are read, and with how much memory: the same as where they were taken in.
OF_IMAGES = ("MLSTUDIO_MAX_IMAGE_PIXELS", "MLSTUDIO_DECODE_BYTES")
DAYS = 86_400
MEMORY_SHARE = 0.9
# Requests and quick jobs go first on busy cores, then trainings, then jobs that nobody waits for.
TRAINING_NICENESS, JOB_NICENESS = 5, 10


def uses_gpu(request: EngineRequest) -> bool:
    """Trainings do; what looks into files that strangers have made never sees a graphics card."""
    return isinstance(request, TrainingRequest)


def is_closed(request: EngineRequest) -> bool:
    """Whether the system is closed to it; `MLSTUDIO_SANDBOX=files` leaves it open to trainings."""
    return not uses_gpu(request) or settings.SANDBOX != "files"


def environment_of(request: EngineRequest) -> dict[str, str]:
    """Variables of the engine, besides what every process in the sandbox has."""
    own = {
        "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "3"),
        "MLSTUDIO_WEIGHTS_DIR": os.pathsep.join(map(str, weights_roots())),
        **{name: os.environ[name] for name in OF_IMAGES if name in os.environ},
    }
    return own if uses_gpu(request) else own | {"CUDA_VISIBLE_DEVICES": "-1"}


def readable_of(request: EngineRequest, folder: Path) -> tuple[str, ...]:
    return (str(folder), *map(str, weights_roots()), *request.inputs)


def needs_other_keras(request: EngineRequest) -> bool:
    """Whether it needs the Keras of keras-retinanet, which cannot be in a process with ours."""
    if isinstance(request, TrainingRequest):
        return request.configuration.get("architecture", "").startswith(KERAS_RETINANET)
    if isinstance(request, ExportRequest):
        return request.engine == "keras_retinanet"
    return isinstance(request, PackageImportRequest)


def limits_of(request: EngineRequest) -> Limits:
    """A training works as long and on as much as its user wants; reading a file is short, and on little."""
    if uses_gpu(request):
        # The compiler of TensorFlow's graphs for graphics cards is a program of its own.
        return replace(largest_limits(), processes=256 if any(Path("/dev").glob("nvidia*")) else 0)
    memory = settings.MODEL_IMPORT_MEMORY_BYTES
    return Limits(
        memory_bytes=memory,
        reserved_bytes=4 * memory,
        cpu_seconds=DAYS,
        file_bytes=16 * GIB,
        folder_bytes=64 * GIB,
        threads=4096,
        niceness=JOB_NICENESS,
    )


def largest_limits() -> Limits:
    """Of a process of which it is not known yet what it works on."""
    return Limits(
        memory_bytes=settings.ENGINE_MEMORY_BYTES or round(psutil.virtual_memory().total * MEMORY_SHARE),
        reserved_bytes=1 << 46,
        cpu_seconds=10_000 * DAYS,
        file_bytes=1 << 40,
        folder_bytes=1 << 42,
        threads=8192,
        open_files=65_536,
        niceness=TRAINING_NICENESS,
    )
