"""What the training of a detector takes, from how fast its network is. No Keras: nothing is timed here."""

from __future__ import annotations

from pathlib import Path

from vision.detection.configuration import DetectionConfiguration
from vision.training.budget import within_budget
from vision.training.data import choose_place, needed_bytes
from vision.training.hooks import PREPARING
from vision.training.resources import Estimate, export_seconds
from vision.training.speeds import Speeds

JUDGED_TIMES = 12
DECODE_SECONDS_PER_IMAGE = 0.01
JUDGE_SECONDS_PER_IMAGE = 0.02
# Between two epochs: the average of the weights is put in and taken out, and the next batches are begun.
EPOCH_SECONDS = 0.3
FROM_SCRATCH = (
    "There are no pretrained weights for this detector on this machine: the network is trained from scratch, which "
    "takes longer and needs more images."
)


def expected_detector(
    configuration: DetectionConfiguration, counts: dict[str, int], speeds: Speeds, folder: Path, *, from_scratch: bool
) -> Estimate:
    """Add up the phases of a training, within its budget of time.

    Args:
        configuration: resolved.
        counts: images of each split.
        speeds: of its network at its input size.
        folder: on the disk on which it will write.
        from_scratch: whether it starts without weights of any kind.
    """
    assert speeds.step is not None
    batch, forward = min(configuration.batch_size, counts["train"]), speeds.forward
    one_judgement = counts["validation"] * (forward + JUDGE_SECONDS_PER_IMAGE)
    steps = -(-counts["train"] // batch)
    phases = {
        PREPARING: speeds.preparing,
        "decoding": sum(counts.values()) * DECODE_SECONDS_PER_IMAGE,
        "training": configuration.epochs * (EPOCH_SECONDS + steps * speeds.step + counts["validation"] * forward)
        + JUDGED_TIMES * one_judgement,
        "export": export_seconds(speeds.layers, speeds.parameters)
        + one_judgement
        + counts["test"] * (forward + JUDGE_SECONDS_PER_IMAGE),
    }
    size = (speeds.height, speeds.width)
    place, pixels = choose_place(sum(counts.values()), size, folder), needed_bytes(sum(counts.values()), size)
    weights_bytes = speeds.parameters * 4
    estimate = Estimate(
        seconds=round(sum(phases.values()), 1),
        memory_bytes=int(speeds.memory_bytes * 1.35) + 5 * weights_bytes + (pixels if place == "memory" else 0),
        disk_bytes=9 * weights_bytes + (pixels if place == "disk" else 0) + (1 << 20),
        pixels=place,
        seconds_by_phase={name: round(seconds, 1) for name, seconds in phases.items()},
        warnings=[FROM_SCRATCH] if from_scratch else [],
    )
    return within_budget(estimate, configuration)
