"""How much a training does where its user leaves it open: named by what the user wants, not by numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from vision.training.architectures import ARCHITECTURES, default_architecture, find_weights

# More passes over the same images than these teach little.
LONGEST_EFFORT = 2.0


class Timed(Protocol):
    """What settings say of the time that a training takes."""

    @property
    def minutes(self) -> float | None: ...
    @property
    def max_minutes(self) -> float: ...
    @property
    def epochs(self) -> int: ...


@dataclass(frozen=True)
class Preset:
    """What is decided for settings that are left open.

    Attributes:
        effort: epochs as a multiple of the default ones.
        fine_tunes: whether a pretrained backbone of a classifier is trained too.
        growth: sides of the input as a multiple of the architecture's default, rounded to 32 pixels.
        early_stopping: of classifiers: epochs without improvement.
        minutes: of a whole training by task; 0: as long as it takes.
        prefers: architectures that are taken where their weights are on this machine, the best one first.
    """

    name: str
    title: str
    description: str
    effort: float
    fine_tunes: bool
    growth: float
    early_stopping: int
    minutes: dict[str, float]
    prefers: tuple[str, ...] = ()

    def minutes_for(self, settings: Timed, task: str) -> float:
        """How long a training is to take: what its user says, else as usual, unless it is bounded in another way."""
        if settings.minutes is not None:
            return settings.minutes
        return 0.0 if settings.epochs or settings.max_minutes else self.minutes[task]

    def epochs(self, usual: int, fewest: int = 3, *, minutes: float | None = None) -> int:
        """How many at most. A user who gives a training so many `minutes` wants them used."""
        effort = max(self.effort, LONGEST_EFFORT) if minutes else self.effort
        return max(fewest, round(usual * effort))

    def side(self, usual: int) -> int:
        return usual if self.growth == 1 else round(usual * self.growth / 32) * 32

    def architecture(self, task: str) -> str:
        """The network that a training of this task gets by default."""
        chosen = (ARCHITECTURES[name] for name in self.prefers if ARCHITECTURES[name].is_for(task))
        found = next((architecture for architecture in chosen if find_weights(architecture)), None)
        return default_architecture(task) if found is None else found.name


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            name="quick",
            title="Quick",
            description="A first answer: a classifier in about a minute, a detector in about eight. Good for seeing "
            "whether labels and images fit together.",
            effort=0.4,
            fine_tunes=False,
            growth=1,
            early_stopping=10,
            minutes={"classification": 1, "detection": 8},
        ),
        Preset(
            name="balanced",
            title="Balanced",
            description="Good results in reasonable time, at most half an hour: what the studio does where nothing is "
            "set.",
            effort=1,
            fine_tunes=True,
            growth=1,
            early_stopping=10,
            minutes={"classification": 30, "detection": 30},
        ),
        Preset(
            name="best",
            title="Best",
            description="Larger input and more epochs; for classifiers also a larger network where its weights are "
            "on this machine. Takes several times as long, and is not always better.",
            effort=2,
            fine_tunes=True,
            growth=1.3,
            early_stopping=20,
            minutes={"classification": 0, "detection": 0},
            prefers=("efficientnet_v2_b0",),
        ),
    )
}
NAMES = list(PRESETS)
DEFAULT_PRESET = "balanced"


def within(minutes: float, max_minutes: float) -> float:
    """The tighter one of two bounds, of which 0 is none."""
    return min((bound for bound in (minutes, max_minutes) if bound), default=0.0)
