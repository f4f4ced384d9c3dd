"""How good an iteration is on the test images that were kept out of its training, at any threshold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from custom_vision.errors import missing
from custom_vision.iterations import model_of
from custom_vision.predictions import Tags
from inference.evaluation.evaluations import outcomes_of
from inference.models import Evaluation
from training.models import TrainingRun
from vision.analysis.curves import precision_recall_curve
from vision.analysis.predictions import ClassifierPredictions, DetectorPredictions, MultilabelPredictions
from vision.runtime.matching import boxes_taken

THRESHOLD, OVERLAP = 0.5, 0.3


@dataclass(frozen=True)
class Answers:
    """What a model said of one tag on all test images.

    Attributes:
        scores: `(answers,)` in 0..1.
        right: `(answers,)` bool.
        total: how many there are to find.
    """

    name: str
    scores: np.ndarray
    right: np.ndarray
    total: int

    def counts(self, threshold: float) -> tuple[int, int]:
        """How many are said at the threshold, and how many of these are right."""
        said = self.scores >= threshold
        return int(said.sum()), int((said & self.right).sum())

    @property
    def average_precision(self) -> float:
        curve = precision_recall_curve(self.scores, self.right, self.total)
        return 0.0 if curve is None else float(curve["average_precision"])


def evaluation_of(run: TrainingRun) -> Evaluation:
    """That of the test split which every training ends with.

    Raises:
        Refused: `BadRequestIterationIsNotTrained`, `NotFoundIterationPerformance`.
    """
    rows = Evaluation.objects.filter(model=model_of(run), split="test").exclude(outcomes=None)
    evaluation = rows.select_related("model", "outcomes", "snapshot").order_by("id").first()
    if evaluation is None:
        raise missing("IterationPerformance", "Nothing was kept of how the model did on its test images.")
    return evaluation


def performance_json(run: TrainingRun, threshold: float, overlap: float) -> dict[str, Any]:
    """Precision and recall of each tag and of all together; deviations are not measured, and 0."""
    tags, answers = Tags(run), answers_of(evaluation_of(run), overlap)
    rows = [
        {"id": tags.id_of(row.name), "name": tags.name_of(row.name)}
        | _figures([row.counts(threshold)], row.total, row.average_precision)
        for row in answers
    ]
    found = [row.average_precision for row in answers if row.total]
    counts = [row.counts(threshold) for row in answers]
    overall = _figures(counts, sum(row.total for row in answers), float(np.mean(found)) if found else 0.0)
    return {"perTagPerformance": rows, **overall}


def _figures(counts: Iterable[tuple[int, int]], total: int, average_precision: float) -> dict[str, float]:
    said, right = (sum(column) for column in zip(*counts, strict=True))
    return {
        "precision": right / said if said else 0.0,
        "precisionStdDeviation": 0.0,
        "recall": right / total if total else 0.0,
        "recallStdDeviation": 0.0,
        "averagePrecision": average_precision,
    }


def answers_of(evaluation: Evaluation, overlap: float) -> list[Answers]:
    outcomes = outcomes_of(evaluation)
    if isinstance(outcomes, DetectorPredictions):
        return _of_boxes(outcomes, overlap)
    return _of_labels(outcomes)


def _of_labels(outcomes: ClassifierPredictions | MultilabelPredictions) -> list[Answers]:
    labels = np.arange(len(outcomes.class_names))
    is_many = isinstance(outcomes, MultilabelPredictions)
    truth = outcomes.truth if is_many else outcomes.truth[:, np.newaxis] == labels
    return [
        Answers(name, outcomes.probabilities[:, index], truth[:, index], int(truth[:, index].sum()))
        for index, name in enumerate(outcomes.class_names)
    ]


def _of_boxes(outcomes: DetectorPredictions, overlap: float) -> list[Answers]:
    pairs = list(zip(outcomes.truths, outcomes.found, strict=True))
    labels = np.concatenate([found.labels for _, found in pairs] or [np.zeros(0)])
    scores = np.concatenate([found.scores for _, found in pairs] or [np.zeros(0)])
    right = np.concatenate([boxes_taken(truth, found, overlap) >= 0 for truth, found in pairs] or [np.zeros(0, bool)])
    true = np.concatenate([truth.labels for truth, _ in pairs] or [np.zeros(0)])
    return [
        Answers(name, scores[labels == index], right[labels == index], int((true == index).sum()))
        for index, name in enumerate(outcomes.class_names)
    ]
