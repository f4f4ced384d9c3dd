"""What fits into the minutes that a user gives the training of a classifier: phases and input size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from vision.training.configuration import Configuration
from vision.training.expected import expected_classifier
from vision.training.resources import Estimate
from vision.training.speeds import Speeds

# With fewer epochs a phase does more harm than good: it costs time that a smaller input would use better.
FEWEST = {"training": 8, "head": 10, "fine_tuning": 4}
SETTING_OF = {"training": "epochs", "head": "epochs", "fine_tuning": "fine_tune_epochs"}
# An estimate may be so much longer than what was asked for.
TOLERANCE = 1.05


def fit_classifier(
    configuration: Configuration,
    counts: dict[str, int],
    speeds_of: Callable[[Configuration], Speeds | None],
    folder: Path,
) -> Configuration:
    """The resolved configuration whose training fits its minutes, changing as little as possible.

    First the whole network is not trained any more, then the input gets smaller. What its user has set stays, and
    epochs are left to the budget of the training itself (`within_budget`), which knows how fast the machine is then.

    Args:
        configuration: as its user made it.
        counts: images of each split.
        speeds_of: of the network of a resolved configuration; None where nothing is known of it.
        folder: on the disk on which it will write.

    Raises:
        ConfigurationError, WeightsError: as `Configuration.resolved`.
    """
    usual = configuration.resolved()
    if not usual.minutes:
        return usual
    choice = usual
    for candidate in _candidates(configuration, usual):
        speeds = speeds_of(candidate)
        if speeds is None:
            return choice
        choice = candidate
        if _fits(choice, expected_classifier(choice, counts, speeds, folder)):
            break
    return choice


def _candidates(configuration: Configuration, usual: Configuration) -> Iterator[Configuration]:
    yield usual
    phases = configuration
    if usual.fine_tune and configuration.fine_tune is None:
        phases = replace(configuration, fine_tune=False)
        yield phases.resolved()
    if configuration.image_size or usual.architecture == "custom" or usual.weights == "base":
        return
    for size in sorted(usual.spec.image_sizes, reverse=True):
        if size < usual.image_size:
            yield replace(phases, image_size=size).resolved()


def _fits(configuration: Configuration, estimate: Estimate) -> bool:
    assert configuration.minutes
    few = any(
        SETTING_OF[phase] in estimate.epochs and estimate.epochs[SETTING_OF[phase]] < FEWEST[phase]
        for phase in estimate.seconds_by_phase
        if phase in FEWEST
    )
    return not few and estimate.seconds <= TOLERANCE * 60 * configuration.minutes
