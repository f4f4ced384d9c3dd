"""Predicting with models."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
import structlog
from django.conf import settings
from PIL import Image as pillow
from PIL.Image import Image

from inference.errors import ModelFileBroken, ModelNotServable
from inference.models import FileKind, Model, ModelFile, Resize
from projects.models import Task
from storage import services as storage
from vision.imaging.letterbox import to_letterboxed
from vision.imaging.orientation import upright_size
from vision.imaging.preprocessing import decoded, open_image, to_pixels
from vision.runtime.answers import boxes_of, labels_of, labels_with_thresholds, present_labels
from vision.runtime.boxes import AnchorShapes, anchors_for, thresholds_of
from vision.runtime.interpreters import LiteRTClassifier, LiteRTDetector, LiteRTNetwork, ModelFileError, ModelPool
from vision.runtime.overlay import draw_boxes

log = structlog.get_logger(__name__)

DEFAULT_LABELS, DEFAULT_BOXES = 5, 300

# Below this everything is noise, and there is much of it.
LOWEST_SCORE = 0.01


# Prediction


@cache
def model_pool() -> ModelPool:
    """The models that this process keeps ready."""
    threads = settings.PREDICTION_THREADS
    return ModelPool(settings.MAX_LOADED_MODELS, max_interpreters=threads, num_threads=threads)


@dataclass(frozen=True)
class Prediction:
    filename: str
    width: int
    height: int
    labels: list[dict]
    boxes: list[dict]

    @property
    def answers(self) -> list[dict]:
        """What is said of the image: its boxes, or the labels that it has."""
        return self.boxes or present_labels(self.labels)


@dataclass(frozen=True)
class PredictionOptions:
    """What a caller wants of a prediction; None: the model's own choice."""

    threshold: float | None = None
    limit: int | None = None
    iou: float | None = None


AnyNetwork = TypeVar("AnyNetwork", bound=LiteRTNetwork)

Predictor = Callable[[Path | BinaryIO, str], Prediction]


def make_predictor(model: Model, options: PredictionOptions) -> Predictor:
    """A function that predicts one image `(source, filename)`; it raises `ImageError` for a file that is no image.

    Raises:
        ModelNotServable, ModelFileBroken: as `load_runtime`.
    """
    if Task(model.task).has_boxes:
        return partial(detect_objects, load_runtime(model, LiteRTDetector), model, options)
    runtime = load_runtime(model, LiteRTClassifier)
    return partial(classify_image, runtime, model, options)


def load_runtime(model: Model, kind: type[AnyNetwork]) -> AnyNetwork:
    """The model, loaded.

    Raises:
        ModelNotServable: it has no LiteRT file.
        ModelFileBroken: its file is damaged.
    """
    try:
        pool = model_pool()
        return storage.again_if_dropped(lambda: pool.get(str(model.pk), lambda: _verified_path(model), kind))
    except ModelFileError as error:
        log.error("model_file_broken", model=str(model.pk), error=str(error))
        raise ModelFileBroken(
            f"The file of {model} is damaged ({error}). Train it again, or restore the file from a backup."
        ) from error


def _verified_path(model: Model) -> Path:
    row = ModelFile.objects.select_related("blob").filter(model=model, kind=FileKind.LITERT_FLOAT32).first()
    if row is None:
        raise ModelNotServable()
    path = storage.intact_path(row.blob)
    if path is None:
        raise ModelFileError("its content differs from what was stored")
    return path


def predict_pixels(model: Model, options: PredictionOptions, pixels: np.ndarray, filename: str = "") -> Prediction:
    """As `make_predictor`, for an image in memory: `(height, width, 3)` uint8 RGB, upright."""
    image = pillow.fromarray(pixels)
    if Task(model.task).has_boxes:
        return detect_in(load_runtime(model, LiteRTDetector), model, options, image, filename)
    runtime = load_runtime(model, LiteRTClassifier)
    return classify(runtime, model, options, image, filename)


def preprocessor_for(model: Model) -> Callable[[Image, tuple[int, int]], np.ndarray]:
    """How an image becomes the pixels of a classifier's input."""
    return to_letterboxed if model.resize == Resize.LETTERBOX else to_pixels


def classify_image(
    runtime: LiteRTClassifier, model: Model, options: PredictionOptions, source: Path | BinaryIO, filename: str
) -> Prediction:
    """Labels with scores of one image, the best first; of a multilabel model every label, and whether it is present."""
    with open_image(source) as image:
        return classify(runtime, model, options, image, filename)


def classify(
    runtime: LiteRTClassifier, model: Model, options: PredictionOptions, image: Image, filename: str
) -> Prediction:
    """As `classify_image`, of an opened image."""
    width, height = upright_size(image)
    scores = runtime.predict(preprocessor_for(model)(image, runtime.image_size))
    if Task(model.task).has_single_labels:
        labels = labels_of(scores, model.class_names, options.limit or DEFAULT_LABELS, options.threshold or 0.0)
    else:
        thresholds = model.ordered_thresholds if options.threshold is None else options.threshold
        labels = labels_with_thresholds(scores, model.class_names, thresholds, options.limit)
    return Prediction(filename, width, height, labels, [])


def detect_objects(
    runtime: LiteRTNetwork, model: Model, options: PredictionOptions, source: Path | BinaryIO, filename: str
) -> Prediction:
    """Boxes with labels and scores of one image, in pixels of the upright image, the best first."""
    with open_image(source) as image:
        return detect_in(runtime, model, options, image, filename)


def detect_in(
    runtime: LiteRTNetwork, model: Model, options: PredictionOptions, image: Image, filename: str
) -> Prediction:
    """As `detect_objects`, of an opened image."""
    size, detector = upright_size(image), model.detector
    boxes = boxes_of(
        runtime.run(to_letterboxed(image, runtime.image_size)),
        _anchors(runtime.image_size, AnchorShapes.from_dict(detector["anchors"])),
        model.class_names,
        size,
        runtime.image_size,
        thresholds=thresholds_of(detector, model.class_names)
        if options.threshold is None
        else max(options.threshold, LOWEST_SCORE),
        iou_threshold=detector["iou_threshold"] if options.iou is None else options.iou,
        limit=options.limit or DEFAULT_BOXES,
    )
    return Prediction(filename, *size, [], boxes)


def draw_prediction(model: Model, source: Path | BinaryIO, prediction: Prediction, kind: str) -> bytes:
    """The image with its boxes in the colours of the project's labels, as a file of `kind` (png or jpeg)."""
    if not isinstance(source, Path):
        source.seek(0)
    colors = dict(model.project.labels.values_list("name", "color"))
    with open_image(source) as image, decoded(image) as upright:
        return draw_boxes(upright, prediction.boxes, colors, kind)


def with_own_threshold(model: Model, options: PredictionOptions) -> PredictionOptions:
    """What is served: a classifier's own lowest score where the caller names none. Analyses see every score."""
    if options.threshold is not None or not Task(model.task).has_single_labels:
        return options
    return replace(options, threshold=model.score_threshold)


def serving_thresholds(model: Model, asked: float | None = None) -> dict[str, float]:
    """The lowest score that is answered, by label: what was asked for, else the model's own."""
    task = Task(model.task)
    if task is Task.MULTILABEL:
        limits = model.ordered_thresholds if asked is None else [asked] * len(model.class_names)
        return dict(zip(model.class_names, limits, strict=True))
    if not task.has_boxes:
        lowest = model.score_threshold if asked is None else asked
        return dict.fromkeys(model.class_names, lowest or 0.0)
    if asked is not None:
        return dict.fromkeys(model.class_names, max(asked, LOWEST_SCORE))
    own = thresholds_of(model.detector, model.class_names)
    return dict(zip(model.class_names, map(float, own), strict=True))


@lru_cache(maxsize=8)
def _anchors(image_size: tuple[int, int], shapes: AnchorShapes) -> np.ndarray:
    return anchors_for(image_size, shapes)


class Stopwatch:
    def __init__(self) -> None:
        self._started = time.perf_counter()

    @property
    def milliseconds(self) -> float:
        return round((time.perf_counter() - self._started) * 1000, 2)
