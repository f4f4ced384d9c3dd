"""Which network gives a project the features of its images, and running it.

A pretrained backbone where its weights are on this machine, else a model of the project itself. The features of one
embedder mean nothing to another, so each has a store of its own; a project stays with one until that is gone, or until
pretrained weights come.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import queue
import shutil
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import structlog
from django.conf import settings
from PIL.Image import Image

from common.errors import StudioError
from inference.models import FileKind, Model, ModelFile
from inference.serving.prediction import preprocessor_for
from jobs.engine.files import made_file
from jobs.engine.process import EngineProcess
from jobs.errors import WorkFailed
from jobs.services import WORK_FOLDERS
from projects.models import Project, Task
from storage import services as storage
from vision.analysis.embedding import Embedder
from vision.engine_requests import BackboneRequest, write_request
from vision.imaging.letterbox import to_letterboxed
from vision.imaging.preprocessing import to_pixels
from vision.runtime.interpreters import LiteRTNetwork
from vision.sandbox.removal import remove_tree
from vision.training.architectures import ARCHITECTURES, find_weights

log = structlog.get_logger(__name__)

WORK_FOLDERS.add("backbones")
# The first whose weights are here: good features for little time on processors without a graphics card.
BACKBONES = ("mobilenet_v2", "mobilenet_v2_035", "mobilenet_v3_small", "efficientnet_v2_b0", "resnet50")
IMAGE_SIZE = 160
CONVERSION_SECONDS = 300
# Of a network of the project: what it has in front of its last layer, whatever that is.
MOST_FEATURES = 2048


class NoEmbedder(StudioError):
    """There are no pretrained weights here, and the project has no model."""

    status = 409
    code = "no_embedder"

    def __init__(self) -> None:
        super().__init__(
            "Nothing here can compare images yet: it takes pretrained weights on this machine (`make weights`, or "
            "System → Storage), or a first trained model of the project."
        )


class Features(Protocol):
    """A network that is ready to run."""

    image_size: tuple[int, int]

    def run(self, pixels: np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True)
class ProjectEmbedder:
    """The embedder of a project.

    Attributes:
        name: names its store; another network, size or file of weights has another name.
        title: what people call it.
        architecture, image_size: of a pretrained backbone; "" and 0 of a model of the project.
        model: of a model of the project.
    """

    name: str
    title: str
    load: Callable[[], Features]
    to_pixels: Callable[[Image, tuple[int, int]], np.ndarray] = to_pixels
    architecture: str = ""
    image_size: int = 0
    model: Model | None = None


def embedder_for(project: Project) -> ProjectEmbedder:
    """That of a project.

    Raises:
        NoEmbedder
    """
    return _backbone() or _own_model(project) or _none()


def _none() -> ProjectEmbedder:
    raise NoEmbedder()


def _backbone() -> ProjectEmbedder | None:
    for architecture in BACKBONES:
        weights = find_weights(ARCHITECTURES[architecture], "imagenet")
        if weights is not None:
            name = _name_of(architecture, IMAGE_SIZE, weights)
            title = f"{ARCHITECTURES[architecture].title}, trained on ImageNet"
            load = partial(_loaded, architecture, name)
            return ProjectEmbedder(name, title, load, architecture=architecture, image_size=IMAGE_SIZE)
    return None


def converted_backbone(architecture: str, image_size: int) -> Path | None:
    """The LiteRT file of a pretrained backbone, where it was converted before with the weights that are here now."""
    weights = find_weights(ARCHITECTURES[architecture], "imagenet")
    path = None if weights is None else _path_of(_name_of(architecture, image_size, weights))
    return path if path is not None and path.exists() else None


def _name_of(architecture: str, image_size: int, weights: Path) -> str:
    return f"{architecture}-{image_size}-{_mark_of(weights)}"


def _path_of(name: str) -> Path:
    return settings.FEATURES_DIR / "backbones" / f"{name}.tflite"


def _mark_of(weights: Path) -> str:
    """Differs for another file of weights; its content is not read for this."""
    stat = weights.stat()
    return hashlib.sha256(f"{weights.name} {stat.st_size} {stat.st_mtime_ns}".encode()).hexdigest()[:8]


def _loaded(architecture: str, name: str) -> Features:
    path = _path_of(name)
    if not path.exists():
        _convert(architecture, path)
    return LiteRTNetwork(path, max_interpreters=1, num_threads=1)


def _convert(architecture: str, path: Path) -> None:
    """Have the backbone's LiteRT file written; some seconds, once.

    Raises:
        WorkFailed
    """
    folder = settings.WORK_DIR / "backbones" / uuid.uuid4().hex
    folder.mkdir(parents=True)
    try:
        write_request(folder, BackboneRequest(architecture, IMAGE_SIZE))
        process = EngineProcess(folder)
        try:
            result = _answer_of(process)
        finally:
            process.kill()
        path.parent.mkdir(parents=True, exist_ok=True)
        written = path.with_name(f"{path.name}.{os.getpid()}")
        shutil.copyfile(made_file(folder, result["path"]), written)
        os.replace(written, path)
    finally:
        remove_tree(folder)


def _answer_of(process: EngineProcess) -> dict:
    deadline = time.monotonic() + CONVERSION_SECONDS
    while time.monotonic() < deadline:
        try:
            message = process.next_message(timeout=1)
        except queue.Empty:
            continue
        if message is None:
            raise WorkFailed("backbone_died", f"The backbone could not be converted: {process.how_it_died()}.")
        if message["event"] == "error":
            raise WorkFailed(message["code"], message["detail"])
        if message["event"] == "result":
            return message["result"]
    raise WorkFailed("backbone_died_slowly", "The conversion of the backbone took too long and was ended.")


def _own_model(project: Project) -> ProjectEmbedder | None:
    """The model whose features are in use already, else the newest one."""
    rows = ModelFile.objects.select_related("blob", "model").filter(
        model__project=project, model__task=project.task, kind=FileKind.LITERT_FLOAT32
    )
    used = [pk for pk in _models_in_use(project) if rows.filter(model=pk).exists()]
    row = rows.filter(model=used[0]).first() if used else rows.order_by("-model__created_at").first()
    if row is None:
        return None
    way = to_letterboxed if project.task == Task.DETECTION else preprocessor_for(row.model)

    def load() -> Features:
        with storage.pinned(row.blob) as path:
            return Embedder(path, dimensions=MOST_FEATURES)

    return ProjectEmbedder(f"model-{row.model_id}", str(row.model), load, way, model=row.model)


def _models_in_use(project: Project) -> list[uuid.UUID]:
    found = []
    for folder in sorted((settings.FEATURES_DIR / "projects" / str(project.pk)).glob("model-*")):
        with contextlib.suppress(ValueError):
            found.append(uuid.UUID(folder.name.removeprefix("model-")))
    return found
