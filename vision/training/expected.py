"""What the training of a classifier takes, from how fast its network is. No Keras: nothing is timed here."""

from __future__ import annotations

from pathlib import Path

import psutil

from vision.training.budget import within_budget
from vision.training.configuration import Configuration, augmentation_strength
from vision.training.data import choose_place, needed_bytes
from vision.training.hooks import PREPARING
from vision.training.resources import Estimate, export_seconds
from vision.training.speeds import Speeds

DECODE_SECONDS_PER_IMAGE = 0.004
# By `solved_head`, with some ten labels.
SOLVED_SECONDS_PER_IMAGE = 0.002


def expected_classifier(configuration: Configuration, counts: dict[str, int], speeds: Speeds, folder: Path) -> Estimate:
    """Add up the phases of a training, within its budget of time.

    Args:
        configuration: resolved.
        counts: images of each split.
        speeds: of its network at its input size; `step` is needed where all weights are trained.
        folder: on the disk on which it will write.
    """
    phases = {PREPARING: speeds.preparing, **_phases(configuration, counts, speeds)}
    size = (configuration.image_size, configuration.image_size)
    place, pixels = choose_place(sum(counts.values()), size, folder), needed_bytes(sum(counts.values()), size)
    weights_bytes = speeds.parameters * 4
    memory = int(speeds.memory_bytes * 1.1) + 4 * weights_bytes + (pixels if place == "memory" else 0)
    estimate = Estimate(
        seconds=round(sum(phases.values()), 1),
        memory_bytes=memory,
        disk_bytes=8 * weights_bytes + (pixels if place == "disk" else 0) + (1 << 20),
        pixels=place,
        seconds_by_phase={name: round(seconds, 1) for name, seconds in phases.items()},
        warnings=_warnings(configuration, memory),
    )
    return within_budget(estimate, configuration)


def _phases(configuration: Configuration, counts: dict[str, int], speeds: Speeds) -> dict[str, float]:
    train, evaluated = counts["train"], counts["validation"]
    batch, forward = min(configuration.batch_size, train), speeds.forward
    phases = {"decoding": sum(counts.values()) * DECODE_SECONDS_PER_IMAGE}

    def epoch(seconds: float | None) -> float:
        assert seconds is not None
        return -(-train // batch) * seconds + evaluated * forward

    if not configuration.uses_pretrained:
        phases["training"] = configuration.epochs * epoch(speeds.step)
    else:
        phases["features"] = (train + evaluated + (counts["test"] if configuration.is_frozen else 0)) * forward
        if configuration.head_solver == "lbfgs":
            phases["head"] = 0.1 + train * SOLVED_SECONDS_PER_IMAGE
        else:
            phases["head"] = configuration.epochs * (0.05 + train / batch * 0.003)
        if not configuration.fine_tune and not augmentation_strength(configuration).is_none:
            phases["head"] = configuration.epochs * (train + evaluated) * forward * 1.15
        if configuration.fine_tune:
            phases["fine_tuning"] = configuration.fine_tune_epochs * epoch(speeds.step)
    phases["export"] = export_seconds(speeds.layers, speeds.parameters)
    if not configuration.is_frozen:
        phases["export"] += (evaluated + counts["test"]) * forward
    return phases


def needs_steps(configuration: Configuration) -> bool:
    """Whether all weights of the network are trained at some time."""
    return not configuration.uses_pretrained or bool(configuration.fine_tune)


def _warnings(configuration: Configuration, memory: int) -> list[str]:
    warnings = []
    available = psutil.virtual_memory().available
    if memory > available:
        warnings.append(
            f"This training needs about {memory / 1e9:.1f} GB of memory and {available / 1e9:.1f} GB are free: "
            "choose a smaller image_size or batch_size."
        )
    if configuration.weights == "none" and configuration.spec.is_backbone:
        warnings.append(
            f"The ImageNet weights of {configuration.architecture} are not on this machine: it is trained from "
            "scratch, which takes longer and needs far more images."
        )
    return warnings
