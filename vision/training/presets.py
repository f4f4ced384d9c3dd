"""How much a training does where its user leaves it open: named by what the user wants, not by numbers."""

from __future__ import annotations

from dataclasses import dataclass

from vision.training.architectures import ARCHITECTURES, default_architecture, find_weights


@dataclass(frozen=True)
class Preset:
    """What is decided for settings that are left open.

    Attributes:
        effort: epochs as a multiple of the default ones.
        fine_tunes: whether a pretrained backbone of a classifier is trained too.
        growth: sides of the input as a multiple of the architecture's default, rounded to 32 pixels.
        early_stopping: of classifiers: epochs without improvement.
        prefers: architectures that are taken where their weights are on this machine, the best one first.
    """

    name: str
    title: str
    description: str
    effort: float
    fine_tunes: bool
    growth: float
    early_stopping: int
    prefers: tuple[str, ...] = ()

    def epochs(self, usual: int, fewest: int = 3) -> int:
        return max(fewest, round(usual * self.effort))

    def side(self, usual: int) -> int:
        return usual if self.growth == 1 else round(usual * self.growth / 32) * 32

    def architecture(self, task: str) -> str:
        """The network that a training of this task gets by default."""
        chosen = (ARCHITECTURES[name] for name in self.prefers if ARCHITECTURES[name].task == task)
        found = next((architecture for architecture in chosen if find_weights(architecture)), None)
        return default_architecture(task) if found is None else found.name


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            name="quick",
            title="Quick",
            description="A first answer: fewer epochs, and a pretrained backbone stays as it is. Good for seeing "
            "whether labels and images fit together.",
            effort=0.4,
            fine_tunes=False,
            growth=1,
            early_stopping=10,
        ),
        Preset(
            name="balanced",
            title="Balanced",
            description="Good results in reasonable time: what the studio does where nothing is set.",
            effort=1,
            fine_tunes=True,
            growth=1,
            early_stopping=10,
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
            prefers=("efficientnet_v2_b0",),
        ),
    )
}
NAMES = list(PRESETS)
DEFAULT_PRESET = "balanced"
