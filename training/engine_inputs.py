"""What one engine process may read and take, from its request: named fields only, never texts that a user chose."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psutil
from django.conf import settings

from vision.sandbox.limits import GIB, Limits
from vision.training.architectures import weights_roots

# Modes that look into what strangers have made; they never see a graphics card.
OF_FILES = ("upload", "import", "outputs", "export")
# What decides which images are read, and with how much memory: the same as where they were taken in.
OF_IMAGES = ("MLSTUDIO_MAX_IMAGE_PIXELS", "MLSTUDIO_DECODE_BYTES")
DAYS = 86_400
MEMORY_SHARE = 0.9
# Requests and quick jobs go first on busy cores, then trainings, then jobs that nobody waits for.
TRAINING_NICENESS, JOB_NICENESS = 5, 10


def inputs_of(request: dict) -> Iterator[str]:
    """Paths of images and models that the request names. The folder with the request is readable anyway."""
    for rows in request.get("splits", {}).values():
        yield from (row["path"] for row in rows)
    yield from request.get("images", ())
    yield from request.get("upload", {}).get("images", ())
    yield from request.get("outputs", {}).get("images", ())
    export = request.get("export", {})
    yield from (sample["path"] for sample in export.get("samples", ()))
    yield from export.get("calibration", ())


def uses_gpu(request: dict) -> bool:
    return request.get("mode") not in OF_FILES


def is_closed(request: dict) -> bool:
    """Whether the system is closed to it; `MLSTUDIO_SANDBOX=files` leaves it open to trainings."""
    return not uses_gpu(request) or settings.SANDBOX != "files"


def environment_of(request: dict) -> dict[str, str]:
    """Variables of the engine, besides what every process in the sandbox has."""
    own = {
        "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "3"),
        "MLSTUDIO_WEIGHTS_DIR": os.pathsep.join(map(str, weights_roots())),
        **{name: os.environ[name] for name in OF_IMAGES if name in os.environ},
    }
    return own if uses_gpu(request) else own | {"CUDA_VISIBLE_DEVICES": "-1"}


def readable_of(request: dict, folder: Path) -> tuple[str, ...]:
    return (str(folder), *map(str, weights_roots()), *inputs_of(request))


def limits_of(request: dict) -> Limits:
    """A training works as long and on as much as its user wants; reading a file is short, and on little."""
    if uses_gpu(request):
        # The compiler of TensorFlow's graphs for graphics cards is a program of its own.
        programs = 256 if any(Path("/dev").glob("nvidia*")) else 0
        return Limits(
            memory_bytes=settings.ENGINE_MEMORY_BYTES or round(psutil.virtual_memory().total * MEMORY_SHARE),
            reserved_bytes=1 << 46,
            cpu_seconds=10_000 * DAYS,
            file_bytes=1 << 40,
            folder_bytes=1 << 42,
            threads=8192,
            processes=programs,
            open_files=65_536,
            niceness=TRAINING_NICENESS,
        )
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
