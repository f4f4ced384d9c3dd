"""How fast networks train on this machine, for estimates that nobody has to wait for."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

import structlog
from django.conf import settings

from datasets.models import Image, Snapshot, SnapshotImage
from training.models import TrainingRun
from vision.detection.configuration import DetectionConfiguration
from vision.detection.expected import expected_detector
from vision.detection.minutes import fit_detector
from vision.detection.samples import input_size
from vision.training.budget import EPOCHS_OF
from vision.training.configuration import Configuration
from vision.training.expected import expected_classifier, needs_steps
from vision.training.minutes import fit_classifier
from vision.training.resources import Estimate
from vision.training.speeds import SpeedFile, Speeds, network_of, read_speeds
from vision.training.typical import typical_speeds

log = structlog.get_logger(__name__)

AnyConfiguration = Configuration | DetectionConfiguration
# The shape of the input follows the median image; so many of them say which that is.
SAMPLE = 500
# An estimate that was off by more says nothing of how fast the machine is.
MOST_WRONG = 20.0


def speed_file() -> SpeedFile:
    return SpeedFile(settings.SPEEDS_FILE)


def keep_speeds(values: dict) -> Speeds | None:
    """Keep what an engine process has measured; what it should not say is left out."""
    speeds = read_speeds(values)
    if speeds is None:
        log.warning("speeds_not_kept", reason=f"no measurement: {values}"[:200])
        return None
    try:
        if speeds.network:
            speed_file().add(speeds)
    except OSError as error:  # an estimate is not worth a failure
        log.warning("speeds_not_kept", reason=str(error)[:200])
    return speeds


def fitted(configuration: AnyConfiguration, snapshot: Snapshot) -> AnyConfiguration:
    """The configuration with every open choice made, for the minutes that the training may take on this machine.

    Raises:
        EngineError: as `resolved` of the configuration.
    """
    counts = counts_of(snapshot)
    if isinstance(configuration, DetectionConfiguration):
        return fit_detector(configuration, counts, lambda other: _likely(other, snapshot), settings.DATA_DIR)
    return fit_classifier(configuration, counts, lambda other: _likely(other, snapshot), settings.DATA_DIR)


def quick_estimate(configuration: AnyConfiguration, snapshot: Snapshot, *, has_base: bool) -> Estimate | None:
    """What a training takes, from what was measured on this machine; None where such a network never was."""
    speeds = _about(configuration, snapshot)
    return None if speeds is None else estimate_with(configuration, snapshot, speeds, has_base=has_base)


def estimate_with(
    configuration: AnyConfiguration, snapshot: Snapshot, speeds: Speeds, *, has_base: bool = False
) -> Estimate:
    counts, folder = counts_of(snapshot), settings.DATA_DIR
    if isinstance(configuration, DetectionConfiguration):
        from_scratch = not has_base and not configuration.uses_pretrained
        return expected_detector(configuration, counts, speeds, folder, from_scratch=from_scratch)
    return expected_classifier(configuration, counts, speeds, folder)


def known_speeds(configuration: dict, snapshot: Snapshot) -> Speeds | None:
    """What was measured of just such a training, so that it need not measure again; None for a head alone, of which
    that takes a moment."""
    kind = DetectionConfiguration if snapshot.project.kind.has_boxes else Configuration
    resolved = kind.from_dict(configuration)
    if isinstance(resolved, Configuration) and not needs_steps(resolved):
        return None
    return _usable(speed_file().exactly(network_of(resolved), *_size_of(resolved, snapshot)), resolved)


def learn_speeds(run: TrainingRun, history: list[dict], epochs: dict[str, int]) -> None:
    """Keep how fast the network of a training was in truth, where that was estimated from steps.

    Args:
        history: its epochs.
        epochs: how many there were to be, by the setting of their phase.
    """
    speeds = known_speeds(run.configuration, run.snapshot)
    planned = (run.estimate or {}).get("seconds_by_phase", {})
    for phase in ("training", "fine_tuning"):
        took = [entry["seconds"] for entry in history if entry.get("phase") == phase]
        expected = planned.get(phase, 0) / max(1, epochs.get(EPOCHS_OF[phase], 1))
        if speeds is None or not took or not expected:
            continue
        ratio = median(took) / expected
        if MOST_WRONG >= ratio >= 1 / MOST_WRONG and speeds.step:
            faster = min(1.0, ratio)
            keep_speeds(
                replace(
                    speeds,
                    step=speeds.step * ratio,
                    forward=speeds.forward * ratio,
                    preparing=round(speeds.preparing * faster, 1),
                ).to_dict()
            )


def _about(configuration: AnyConfiguration, snapshot: Snapshot) -> Speeds | None:
    return _usable(speed_file().about(network_of(configuration), *_size_of(configuration, snapshot)), configuration)


def _likely(configuration: AnyConfiguration, snapshot: Snapshot) -> Speeds | None:
    size = _size_of(configuration, snapshot)
    return _about(configuration, snapshot) or typical_speeds(configuration.architecture, *size)


def _usable(speeds: Speeds | None, configuration: AnyConfiguration) -> Speeds | None:
    wants_steps = isinstance(configuration, DetectionConfiguration) or needs_steps(configuration)
    return None if speeds is None or (wants_steps and speeds.step is None) else speeds


def _size_of(configuration: AnyConfiguration, snapshot: Snapshot) -> tuple[int, int, int]:
    """Height and width of the input, and the images of a step."""
    side = configuration.image_size
    batch = min(configuration.batch_size, counts_of(snapshot)["train"])
    if not isinstance(configuration, DetectionConfiguration):
        return side, side, batch
    rows = SnapshotImage.objects.filter(snapshot=snapshot, split="train", image__isnull=False).order_by("image_key")
    sizes = list(Image.objects.filter(pk__in=rows.values("image")[:SAMPLE]).values_list("width", "height"))
    height, width = input_size(sizes, side) if sizes else (side, side)
    return height, width, batch


def counts_of(snapshot: Snapshot) -> dict[str, int]:
    """Images of each split."""
    return {split: snapshot.counts["splits"].get(split, 0) for split in ("train", "validation", "test")}
