"""What a finished training leaves."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Self


@dataclass
class TrainingResult:
    """What a finished training leaves.

    Attributes:
        input_size: `(height, width)` of the network.
        files: kind → path in the work folder (`keras`, `litert-float32`, `labels`).
        metrics: figures on the untouched test split, see `metrics.classification_metrics` or
            `multilabel_metrics.multilabel_metrics`.
        mistakes: the most confident errors on the test split; of detectors the images with the most false alarms and
            misses.
        outcomes: path of what was predicted of each image of the test split (`ClassifierPredictions`,
            `MultilabelPredictions` or `DetectorPredictions`).
        detector: what reading a detector's output takes: anchors, thresholds, suppression; None of a classifier.
        thresholds: the score from which on each label of an image counts, where it has none to many; else None.
        peak_memory_bytes: of the process, where the training had one of its own.
        broken: images that could not be decoded, with the reason.
    """

    configuration: dict
    class_names: list[str]
    input_size: tuple[int, int]
    files: dict[str, str]
    metrics: dict
    validation_metrics: dict
    mistakes: list[dict]
    history: list[dict]
    versions: dict[str, str]
    parameters: int
    seconds: float
    litert_difference: float
    detector: dict | None = None
    thresholds: list[float] | None = None
    outcomes: str = ""
    broken: list[list[str]] = field(default_factory=list)
    peak_memory_bytes: int = 0

    def to_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> Self:
        """What `to_dict` gave, also that of an earlier release, which had no size for classifiers."""
        side = values["configuration"]["image_size"]
        values = {"input_size": (side, side), **values}
        names = {own.name for own in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in names})
