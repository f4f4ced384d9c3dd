"""What fits into the minutes that a user gives the training of a detector: its input size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from vision.detection.configuration import DetectionConfiguration
from vision.detection.expected import expected_detector
from vision.training.speeds import Speeds

# So many images should pass through the network: with fewer, a smaller input finds more.
ENOUGH_VIEWS = {"none": 6000, "pretrained": 4000}


def fit_detector(
    configuration: DetectionConfiguration,
    counts: dict[str, int],
    speeds_of: Callable[[DetectionConfiguration], Speeds | None],
    folder: Path,
) -> DetectionConfiguration:
    """The resolved configuration with the largest usual input size at which enough images are seen in its minutes.

    What its user has set stays, and epochs are left to the budget of the training itself (`within_budget`), which
    knows how fast the machine is then. Arguments and errors are those of `vision.training.minutes.fit_classifier`.
    """
    train = counts["train"]
    usual = configuration.resolved(train)
    if not usual.minutes:
        return usual
    choice = usual
    for candidate in _candidates(configuration, usual, train):
        speeds = speeds_of(candidate)
        if speeds is None:
            return choice
        choice = candidate
        estimate = expected_detector(choice, counts, speeds, folder, from_scratch=False)
        epochs = estimate.epochs.get("epochs", choice.epochs)
        if epochs == choice.epochs or epochs * train >= ENOUGH_VIEWS["pretrained" if usual.uses_pretrained else "none"]:
            break
    return choice


def _candidates(
    configuration: DetectionConfiguration, usual: DetectionConfiguration, train: int
) -> Iterator[DetectionConfiguration]:
    yield usual
    if not configuration.image_size:
        for size in sorted(usual.spec.image_sizes, reverse=True):
            if size < usual.image_size:
                yield replace(configuration, image_size=size).resolved(train)
