"""The model that a job names, and what it predicts of images."""

from __future__ import annotations

from datasets.models import Image
from inference.models import Model
from inference.serving.prediction import Prediction, PredictionOptions, make_predictor
from jobs.errors import WorkFailed
from storage import services as storage
from vision.imaging.preprocessing import ImageError


def get_model_or_fail(pk: str) -> Model:
    """The model of a job. Raises `WorkFailed` when it is gone."""
    model = Model.objects.select_related("project").filter(pk=pk).first()
    if model is None:
        raise WorkFailed("model_deleted", "The model was deleted meanwhile.")
    return model


def predictions_of(
    model: Model, images: list[Image], options: PredictionOptions | None = None
) -> list[tuple[Image, Prediction]]:
    """Predictions of images, without those whose file is damaged."""
    predict = make_predictor(model, options or PredictionOptions())
    predictions = []
    for image in images:
        try:
            with storage.opened(image.blob) as file:
                predictions.append((image, predict(file, image.filename)))
        except ImageError:
            continue
    return predictions
