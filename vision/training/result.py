"""What a finished training leaves."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field


@dataclass
class TrainingResult:
    """What a finished training leaves.

    Attributes:
        files: kind → path in the work folder (`keras`, `litert-float32`, `labels`).
        metrics: figures on the untouched test split, see `metrics.classification_metrics`.
        mistakes: the most confident errors on the test split.
        outcomes: path of what was predicted of each image of the test split (`ClassifierPredictions`).
        broken: images that could not be decoded, with the reason.
    """

    configuration: dict
    class_names: list[str]
    files: dict[str, str]
    metrics: dict
    validation_metrics: dict
    mistakes: list[dict]
    history: list[dict]
    versions: dict[str, str]
    parameters: int
    seconds: float
    litert_difference: float
    outcomes: str = ""
    broken: list[list[str]] = field(default_factory=list)

    def to_dict(self) -> dict:
        return asdict(self)
