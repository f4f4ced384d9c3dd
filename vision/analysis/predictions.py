"""What a model said of each image of a split, kept as one file of arrays: what figures and comparisons are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vision.analysis.array_files import read_arrays
from vision.runtime.boxes import Detections
from vision.runtime.matching import GroundTruth

# The name of the file.
OUTCOMES = "outcomes.npz"


@dataclass(frozen=True)
class ClassifierPredictions:
    """Of a classifier.

    Attributes:
        keys: ids of the images.
        truth: `(images,)` int, index into `class_names`.
        probabilities: `(images, classes)` float32.
    """

    keys: list[str]
    truth: np.ndarray
    probabilities: np.ndarray
    class_names: list[str]

    @property
    def predicted(self) -> np.ndarray:
        """`(images,)` int."""
        return self.probabilities.argmax(axis=1) if len(self.keys) else np.zeros(0, np.int64)

    def save(self, path: Path) -> None:
        np.savez_compressed(
            path,
            keys=_texts(self.keys),
            truth=self.truth.astype(np.int32),
            probabilities=self.probabilities.astype(np.float32),
            class_names=_texts(self.class_names),
        )

    @classmethod
    def load(cls, path: Path) -> ClassifierPredictions:
        file = read_arrays(path)
        return cls(
            file["keys"].tolist(),
            file["truth"].astype(np.int64),
            file["probabilities"],
            file["class_names"].tolist(),
        )


@dataclass(frozen=True)
class MultilabelPredictions:
    """Of a network that says of each label whether an image has it.

    Attributes:
        keys: ids of the images.
        truth: `(images, classes)` bool.
        probabilities: `(images, classes)` float32.
        thresholds: the score from which on each label counts.
    """

    keys: list[str]
    truth: np.ndarray
    probabilities: np.ndarray
    class_names: list[str]
    thresholds: list[float]

    @property
    def predicted(self) -> np.ndarray:
        """`(images, classes)` bool."""
        return self.probabilities >= np.asarray(self.thresholds, np.float64)

    def save(self, path: Path) -> None:
        np.savez_compressed(
            path,
            keys=_texts(self.keys),
            truth=self.truth.astype(bool),
            probabilities=self.probabilities.astype(np.float32),
            class_names=_texts(self.class_names),
            thresholds=np.array(self.thresholds, np.float64),
        )

    @classmethod
    def load(cls, path: Path) -> MultilabelPredictions:
        with np.load(path, allow_pickle=False) as file:
            return cls(
                file["keys"].tolist(),
                file["truth"],
                file["probabilities"],
                file["class_names"].tolist(),
                file["thresholds"].tolist(),
            )


@dataclass(frozen=True)
class DetectorPredictions:
    """Of a detector: what is on each image, and what was found, with all scores from about 0.01 on."""

    truths: list[GroundTruth]
    found: list[Detections]
    class_names: list[str]

    @property
    def keys(self) -> list[str]:
        return [truth.id for truth in self.truths]

    def save(self, path: Path) -> None:
        np.savez_compressed(
            path,
            keys=_texts(self.keys),
            class_names=_texts(self.class_names),
            true_counts=np.array([len(truth.boxes) for truth in self.truths], np.int32),
            true_boxes=_joined([truth.boxes for truth in self.truths], (0, 4)),
            true_labels=_joined([truth.labels for truth in self.truths], (0,)).astype(np.int32),
            found_counts=np.array([len(detections.boxes) for detections in self.found], np.int32),
            boxes=_joined([detections.boxes for detections in self.found], (0, 4)),
            scores=_joined([detections.scores for detections in self.found], (0,)),
            labels=_joined([detections.labels for detections in self.found], (0,)).astype(np.int32),
        )

    @classmethod
    def load(cls, path: Path) -> DetectorPredictions:
        file = read_arrays(path)
        keys = file["keys"].tolist()
        ends = np.cumsum(file["true_counts"])[:-1]
        boxes, labels = np.split(file["true_boxes"], ends), np.split(file["true_labels"], ends)
        truths = [GroundTruth(*row) for row in zip(keys, boxes, labels, strict=True)] if keys else []
        ends = np.cumsum(file["found_counts"])[:-1]
        columns = [np.split(file[name], ends) for name in ("boxes", "scores", "labels")]
        found = [Detections(*row) for row in zip(*columns, strict=True)] if keys else []
        return cls(truths, found, file["class_names"].tolist())


def _texts(values: Sequence[str]) -> np.ndarray:
    return np.array(values, dtype=np.str_) if values else np.zeros(0, "U1")


def _joined(parts: Sequence[np.ndarray], empty: tuple[int, ...]) -> np.ndarray:
    return np.concatenate(parts).astype(np.float32) if parts else np.zeros(empty, np.float32)
