"""How unsure a model is of an image, by what it answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inference.models import Model
from inference.serving.prediction import LOWEST_SCORE, Prediction, PredictionOptions
from projects.models import Task
from vision.analysis.selection import box_uncertainty, decision_uncertainty, margin_uncertainty


def uncertainty_options(model: Model) -> PredictionOptions:
    """What to ask a model for: doubt lives below the threshold too."""
    if Task(model.task).has_boxes:
        return PredictionOptions(threshold=LOWEST_SCORE)
    if model.task == Task.MULTILABEL:
        return PredictionOptions()  # which has every label, and its own threshold
    return PredictionOptions(threshold=0.0, limit=len(model.class_names))


def uncertainty_of(model: Model, prediction: Prediction) -> float:
    """0 (sure) to 1, of a prediction that was asked for with `uncertainty_options`."""
    if model.task == Task.DETECTION:
        scores = np.array([box["score"] for box in prediction.boxes])
        return float(box_uncertainty([scores], model.detector["score_threshold"])[0])
    if model.task == Task.MULTILABEL:
        scores, thresholds = (
            np.array([[answer[name] for answer in prediction.labels]]) for name in ("score", "threshold")
        )
        return float(decision_uncertainty(scores, thresholds)[0])
    return float(margin_uncertainty(distribution(prediction, model.class_names)[None])[0])


def distribution(prediction: Prediction, names: Sequence[str]) -> np.ndarray:
    """`(names,)` float, which sums to 1."""
    scores = {answer["label"]: answer["score"] for answer in prediction.labels}
    values = np.array([scores.get(name, 0.0) for name in names])
    return values / max(values.sum(), 1e-9)
