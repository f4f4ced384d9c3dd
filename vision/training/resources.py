"""What a training is expected to take, estimated before it starts: time, memory and disk."""

from __future__ import annotations

import json
import resource
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import psutil

from vision.training.errors import DiskFullError, OutOfMemoryError
from vision.training.hooks import TrainingHooks
from vision.training.speeds import Speeds

TIMED_SECONDS = 2.0
# How long is measured again before a budget of time takes epochs away.
AGAIN_SECONDS = 30.0
AGAIN_SHARE = 0.05  # of the whole training


@dataclass(frozen=True)
class Estimate:
    """What a training is expected to take. Early stopping may end it sooner; a busy machine takes longer.

    Attributes:
        seconds: whole training, from decoding to the exported files.
        seconds_by_phase: the same, by phase.
        memory_bytes: peak resident memory of the training process.
        disk_bytes: largest use of the disk while it runs, model files included.
        pixels: where decoded images are kept: "memory", "disk" or "stream".
        epochs: settings of epochs that a budget of time has made smaller.
        speeds: what was measured for it; None where that was known before.
    """

    seconds: float
    memory_bytes: int
    disk_bytes: int
    pixels: str
    seconds_by_phase: dict[str, float] = field(default_factory=dict)
    epochs: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    speeds: Speeds | None = None

    def to_dict(self) -> dict:
        """Without `speeds`, which are of the machine."""
        return {name: value for name, value in asdict(self).items() if name != "speeds"}


def estimated(
    folder: Path,
    known: Speeds | None,
    measure: Callable[[], Speeds],
    expect: Callable[[Speeds], Estimate],
    hooks: TrainingHooks,
    on_estimate: Callable[[Estimate], None],
) -> Estimate:
    """The estimate of this training, made once: a resumed training keeps its estimate.

    Args:
        known: how fast its network is on this machine, where that was measured earlier.
        measure: times its network.
        expect: what it takes with a network of such speeds.

    Raises:
        OutOfMemoryError, DiskFullError: it cannot fit here.
    """
    saved = folder / "estimate.json"
    if saved.exists():
        estimate = Estimate(**json.loads(saved.read_text()))
        on_estimate(estimate)  # the process is another one
        return estimate
    estimate = measured(measure, expect, is_trained_next=True) if known is None else expect(known)
    require_room(estimate, folder)
    saved.write_text(json.dumps(estimate.to_dict()))
    for line in estimate.warnings:
        hooks.log(line)
    hooks.log(
        f"Expected: about {estimate.seconds / 60:.1f} minutes if not stopped early, "
        f"{estimate.memory_bytes / 1e6:.0f} MB memory, {estimate.disk_bytes / 1e6:.0f} MB disk"
    )
    on_estimate(estimate)
    return estimate


def measured(
    measure: Callable[[], Speeds],
    expect: Callable[[Speeds], Estimate],
    clock: Callable[[], float] = time.monotonic,
    *,
    is_trained_next: bool = False,
) -> Estimate:
    """The estimate, with the `speeds` that were measured for it. Where it takes epochs away they are measured again,
    and the fastest ones count.

    Other programs only make steps slower, and a moment of theirs must not cost epochs. Where they stay, the deadline
    ends the training in time. What measuring took is part of the estimate: it traces the steps, as the training does.

    Args:
        is_trained_next: in the same process, which then traces them again.
    """
    began = clock()
    speeds, started = measure(), clock()
    speeds = replace(speeds, preparing=round(started - began, 1))

    def expected(found: Speeds) -> Estimate:
        return expect(replace(found, preparing=2 * found.preparing) if is_trained_next else found)

    estimate = expected(speeds)
    until = started + min(AGAIN_SECONDS, AGAIN_SHARE * estimate.seconds)
    while estimate.epochs and clock() < until:
        other = replace(measure(), preparing=speeds.preparing)
        faster = expected(other)
        if not faster.epochs or sum(faster.epochs.values()) > sum(estimate.epochs.values()):
            estimate, speeds = faster, other
    return replace(estimate, speeds=speeds)


def mean_seconds(step: Callable[[], object]) -> float:
    """Of as many calls as fit into a moment: a shared machine is not equally fast at every instant."""
    count, started = 0, time.perf_counter()
    while count < 3 or time.perf_counter() - started < TIMED_SECONDS:
        step()
        count += 1
    return (time.perf_counter() - started) / count


def export_seconds(layers: int, parameters: int) -> float:
    """To write and verify the files of a network, and to hand them over. Its converter goes through it layer by layer.

    Fitted to the classifiers and detectors of the catalogue, 33 to 230 layers, on two cores.
    """
    return 1.5 + 0.02 * layers + 0.2e-6 * parameters


def require_room(estimate: Estimate, folder: Path) -> None:
    """Refuse a training that cannot fit, with the numbers.

    Raises:
        OutOfMemoryError, DiskFullError.
    """
    total, free = psutil.virtual_memory().total, shutil.disk_usage(folder).free
    if estimate.memory_bytes > total:
        raise OutOfMemoryError(
            f"This training needs about {estimate.memory_bytes / 1e9:.1f} GB of memory and this machine has "
            f"{total / 1e9:.1f} GB. Choose a smaller image_size or batch_size."
        )
    if estimate.disk_bytes > free:
        raise DiskFullError(
            f"This training needs about {estimate.disk_bytes / 1e6:.0f} MB on disk and {free / 1e6:.0f} MB "
            "are free. Free some space and start it again."
        )


def peak_memory() -> int:
    """The largest resident memory of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
