"""What a training aims at: one label an image, or none to many. The rest of a training is the same for both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import keras
import numpy as np

from vision.analysis.predictions import ClassifierPredictions, MultilabelPredictions
from vision.runtime.metrics import classification_metrics, is_uneven, worst_mistakes
from vision.runtime.multilabel_metrics import multilabel_metrics, worst_decisions
from vision.runtime.thresholds import label_thresholds
from vision.training.compiling import compile_for
from vision.training.configuration import Configuration
from vision.training.data import AnySample, TrainingData, labels_of, sample_weights
from vision.training.fitting import ValidationScore, score_classifier
from vision.training.hooks import TrainingHooks
from vision.training.multilabel import compile_multilabel, positive_weights, score_multilabel, solve_multilabel_head
from vision.training.solved_head import solve_head


@dataclass(frozen=True)
class Measured:
    """The figures of a trained network.

    Attributes:
        metrics, validation_metrics: on the test and on the validation split.
        thresholds: of each label, chosen on the validation split; None where the best label is the answer.
    """

    metrics: dict
    validation_metrics: dict
    mistakes: list[dict]
    predictions: ClassifierPredictions | MultilabelPredictions
    thresholds: list[float] | None


@dataclass(frozen=True)
class CompileSettings:
    """What an optimizer is made of, and labels that say what is uneven."""

    peak: float
    steps: int
    label_smoothing: float
    train_labels: np.ndarray
    validation_labels: np.ndarray


class Objective(Protocol):
    """Labels are arrays of one row an image, as `labels_of` gives them."""

    @property
    def activation(self) -> str: ...

    @property
    def evaluate(self) -> Callable[[int, dict], ValidationScore]: ...

    def labels_of(self, samples: Sequence[AnySample]) -> np.ndarray: ...

    def image_weights(self, labels: np.ndarray, mode: str) -> np.ndarray | None:
        """`(images,)` float32: how much each training image counts; None: all the same."""

    def compile(self, model: keras.Model, configuration: Configuration, settings: CompileSettings) -> None: ...

    def solve_head(
        self,
        head: keras.Model,
        features: dict[str, np.ndarray],
        labels: dict[str, np.ndarray],
        mode: str,
        hooks: TrainingHooks,
    ) -> tuple[dict, float]:
        """The entry of its history, and its score, as `evaluate` has it."""

    def measure(
        self, labels: dict[str, np.ndarray], probabilities: dict[str, np.ndarray], test_keys: list[str]
    ) -> Measured:
        """Args: labels and probabilities of `validation` and `test`."""


def objective_of(data: TrainingData) -> Objective:
    return Multilabel(data.class_names) if data.is_multilabel else SingleLabel(data.class_names)


class SingleLabel:
    """The one label of an image: softmax and categorical cross-entropy."""

    activation = "softmax"
    evaluate = staticmethod(score_classifier)

    def __init__(self, class_names: list[str]) -> None:
        self._names = class_names

    def labels_of(self, samples: Sequence[AnySample]) -> np.ndarray:
        """`(images,)` int64."""
        return np.array([labels_of(sample)[0] for sample in samples], dtype=np.int64)

    def image_weights(self, labels: np.ndarray, mode: str) -> np.ndarray:
        return sample_weights(labels, len(self._names), mode)

    def compile(self, model: keras.Model, configuration: Configuration, settings: CompileSettings) -> None:
        compile_for(
            model,
            configuration,
            peak=settings.peak,
            steps=settings.steps,
            label_smoothing=settings.label_smoothing,
            is_uneven=is_uneven(np.bincount(settings.validation_labels)),
        )

    def solve_head(
        self,
        head: keras.Model,
        features: dict[str, np.ndarray],
        labels: dict[str, np.ndarray],
        mode: str,
        hooks: TrainingHooks,
    ) -> tuple[dict, float]:
        entry = solve_head(head, features, labels, self.image_weights(labels["train"], mode), hooks)
        return entry, entry["val_accuracy"]

    def measure(
        self, labels: dict[str, np.ndarray], probabilities: dict[str, np.ndarray], test_keys: list[str]
    ) -> Measured:
        truth, said, names = labels["test"], probabilities["test"], self._names
        return Measured(
            metrics=classification_metrics(said, truth, names),
            validation_metrics=classification_metrics(probabilities["validation"], labels["validation"], names),
            mistakes=worst_mistakes(said, truth, test_keys, names),
            predictions=ClassifierPredictions(test_keys, truth, said, names),
            thresholds=None,
        )


class Multilabel:
    """Each label of an image by itself: sigmoid and binary cross-entropy."""

    activation = "sigmoid"
    evaluate = staticmethod(score_multilabel)

    def __init__(self, class_names: list[str]) -> None:
        self._names = class_names

    def labels_of(self, samples: Sequence[AnySample]) -> np.ndarray:
        """`(images, labels)` float32 of 0 and 1."""
        rows = np.zeros((len(samples), len(self._names)), np.float32)
        for row, sample in zip(rows, samples, strict=True):
            row[labels_of(sample)] = 1.0
        return rows

    def image_weights(self, labels: np.ndarray, mode: str) -> None:
        return None

    def compile(self, model: keras.Model, configuration: Configuration, settings: CompileSettings) -> None:
        compile_multilabel(
            model,
            configuration,
            peak=settings.peak,
            steps=settings.steps,
            label_smoothing=settings.label_smoothing,
            weights=positive_weights(settings.train_labels, configuration.class_weights),
        )

    def solve_head(
        self,
        head: keras.Model,
        features: dict[str, np.ndarray],
        labels: dict[str, np.ndarray],
        mode: str,
        hooks: TrainingHooks,
    ) -> tuple[dict, float]:
        entry = solve_multilabel_head(head, features, labels, positive_weights(labels["train"], mode), hooks)
        return entry, entry["val_average_precision"]

    def measure(
        self, labels: dict[str, np.ndarray], probabilities: dict[str, np.ndarray], test_keys: list[str]
    ) -> Measured:
        truth, said, names = labels["test"] > 0, probabilities["test"], self._names
        thresholds = label_thresholds(probabilities["validation"], labels["validation"])
        return Measured(
            metrics=multilabel_metrics(said, truth, names, thresholds),
            validation_metrics=multilabel_metrics(
                probabilities["validation"], labels["validation"] > 0, names, thresholds
            ),
            mistakes=worst_decisions(said, truth, test_keys, names, thresholds),
            predictions=MultilabelPredictions(test_keys, truth, said, names, thresholds),
            thresholds=thresholds,
        )
