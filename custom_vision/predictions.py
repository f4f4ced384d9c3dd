"""Asking the model of an iteration, and its answer as programs read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.utils import timezone
from uuid_utils.compat import uuid7

from custom_vision.errors import Refused
from custom_vision.iterations import detail_of, model_of
from custom_vision.models import TagType
from custom_vision.tags import types_of
from custom_vision.wire import zoned
from datasets.models import Label
from inference.models import Model
from inference.serving.prediction import LOWEST_SCORE, Prediction, PredictionOptions, make_predictor
from projects.models import Task
from training.models import TrainingRun
from vision.imaging.preprocessing import ImageError

MOST_BOXES = 64
CODES = {"file_too_large": "BadRequestImageSizeBytes", "too_many_pixels": "BadRequestImageDimensions"}


def predict(run: TrainingRun, path: Path) -> dict[str, Any]:
    """The answer for an image: every tag, the best first; of a detector boxes from a score of 0.01 on, at most 64.

    Raises:
        Refused: the file is no image, or the iteration is not trained.
        ModelNotServable, ModelFileBroken
    """
    model = model_of(run)
    return {
        "id": str(uuid7()),
        "project": str(run.project_id),
        "iteration": str(run.pk),
        "created": zoned(timezone.now()),
        "predictions": Tags(run).rows(answer_of(model, path)),
    }


def answer_of(model: Model, path: Path) -> Prediction:
    """Raises `Refused`, `ModelNotServable`, `ModelFileBroken`."""
    is_detector = model.task == Task.DETECTION
    options = PredictionOptions(threshold=LOWEST_SCORE, limit=MOST_BOXES)
    if not is_detector:
        options = PredictionOptions(threshold=0.0, limit=len(model.class_names))
    try:
        return make_predictor(model, options)(path, "image")
    except ImageError as error:
        raise Refused(CODES.get(error.code, "BadRequestImageFormat"), str(error)) from error


class Tags:
    """The tags that a model names, with the ids that they had when it was trained and the names that they have now."""

    def __init__(self, run: TrainingRun) -> None:
        self._ids: dict[str, str] = detail_of(run).tags
        labels = Label.objects.filter(project=run.project_id)
        self._names = {str(pk): name for pk, name in labels.values_list("pk", "name")}
        self._by_name = {name: pk for pk, name in self._names.items()}
        self._types = {str(pk): kind for pk, kind in types_of(run.project).items()}

    def id_of(self, name: str) -> str | None:
        return self._ids.get(name) or self._by_name.get(name)

    def name_of(self, name: str) -> str:
        """What the label is called now that had this name."""
        return self._names.get(self.id_of(name) or "", name)

    def describe(self, name: str) -> dict[str, Any]:
        pk = self.id_of(name)
        kind = self._types.get(pk or "", TagType.REGULAR.value)
        return {"tagId": pk, "tagName": self.name_of(name), "tagType": kind}

    def rows(self, prediction: Prediction) -> list[dict[str, Any]]:
        labels = [{"probability": row["score"], **self.describe(row["label"])} for row in prediction.labels]
        return labels + [self._box(row, prediction) for row in prediction.boxes]

    def _box(self, row: dict, prediction: Prediction) -> dict[str, Any]:
        box = bounding_box(row["box"], prediction.width, prediction.height)
        return {"probability": row["score"], **self.describe(row["label"]), "boundingBox": box}


def bounding_box(box: list[float], width: int, height: int) -> dict[str, float]:
    """`box` is xyxy in pixels; edges of the answer are parts of the image, 0..1."""
    left, top = min(max(box[0] / width, 0.0), 1.0), min(max(box[1] / height, 0.0), 1.0)
    right, bottom = min(max(box[2] / width, 0.0), 1.0), min(max(box[3] / height, 0.0), 1.0)
    return {"left": left, "top": top, "width": right - left, "height": bottom - top}
