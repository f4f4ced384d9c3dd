"""A training that must end in time: fewer epochs, so that its schedule still runs to its end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from vision.training.resources import Estimate

# In the order in which they train; what the first one leaves is for the next.
EPOCHS_OF = {"training": "epochs", "head": "epochs", "fine_tuning": "fine_tune_epochs"}


class Budgeted(Protocol):
    @property
    def max_minutes(self) -> float: ...


def within_budget(estimate: Estimate, configuration: Budgeted) -> Estimate:
    """The estimate of the same training with as many epochs as there is time for; `epochs` of it says how many.

    Decoding and exporting take what they take, and every phase keeps one epoch, so a budget below that is exceeded.
    """
    room = seconds_to_train(estimate, configuration)
    if room is None or estimate.seconds <= configuration.max_minutes * 60:
        return estimate
    seconds, epochs = dict(estimate.seconds_by_phase), {}
    for phase, setting in EPOCHS_OF.items():
        if phase not in seconds:
            continue
        wanted = getattr(configuration, setting)
        if wanted > 1:  # else it has the one epoch that it needs, or is solved at once
            epochs[setting] = max(1, min(wanted, int(wanted * max(0.0, room) / max(seconds[phase], 1e-6))))
            seconds[phase] = round(seconds[phase] * epochs[setting] / wanted, 1)
        room -= seconds[phase]
    return replace(
        estimate,
        seconds=round(sum(seconds.values()), 1),
        seconds_by_phase=seconds,
        epochs=epochs,
        warnings=[*estimate.warnings, _warning(configuration, epochs, room)],
    )


def seconds_to_train(estimate: Estimate, configuration: Budgeted) -> float | None:
    """What the budget leaves for epochs; None without a budget."""
    if not configuration.max_minutes:
        return None
    fixed = sum(seconds for phase, seconds in estimate.seconds_by_phase.items() if phase not in EPOCHS_OF)
    return configuration.max_minutes * 60 - fixed


def _warning(configuration: Budgeted, epochs: dict[str, int], left: float) -> str:
    parts = [f"{count} of {getattr(configuration, setting)} {setting}" for setting, count in epochs.items()]
    enough = "" if left >= 0 else " Even so it takes longer: choose a smaller image_size, or give it more time."
    minutes = "1 minute" if configuration.max_minutes == 1 else f"{configuration.max_minutes:g} minutes"
    return f"In {minutes} there is time for {' and '.join(parts) or 'one epoch'}.{enough}"


@dataclass(frozen=True)
class Deadline:
    """Ends a training that is slower than was estimated, after the epoch with which its time is over."""

    seconds: float | None = None

    def is_over(self, history: list[dict]) -> bool:
        """Whether one more epoch like the last one would end too late. Counts what was trained before a resume."""
        if self.seconds is None or not history:
            return False
        return sum(entry["seconds"] for entry in history) + history[-1]["seconds"] > max(self.seconds, 0.0)
