"""What a training process has measured of the test images: looked into before anything is made of it or kept."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import structlog

from datasets.models import Snapshot, SnapshotImage
from inference.evaluation.evaluations import read_outcomes
from jobs.engine.files import made_file
from training.models import TrainingRun
from vision.analysis.curves import curves_of
from vision.analysis.predictions import (
    OUTCOMES,
    ClassifierPredictions,
    DetectorPredictions,
    MultilabelPredictions,
)
from vision.runtime.detection_metrics import MAX_DETECTIONS
from vision.training.result import TrainingResult

log = structlog.get_logger(__name__)

SPLIT = "test"
# More than the arrays of an image have: its key, its numbers, what was found on it. Headers and names are in the rest.
IMAGE_BYTES = 1024 + 64 * MAX_DETECTIONS
BOX_BYTES = 64
REST_BYTES = 4 << 20
NAME_BYTES = 1024


def measured_by(run: TrainingRun, result: TrainingResult, folder: Path) -> tuple[dict[str, Path], dict]:
    """The file of outcomes, by its name, and the curves of it; nothing of a result of an earlier release.

    A file that does not hold what such a training can say is left out: the model keeps its figures.

    Raises:
        WorkFailed: the process names a file that is not its own.
    """
    if not result.outcomes:
        return {}, {}
    path = made_file(folder, str(result.outcomes))
    keys = _test_keys(run.snapshot)
    try:
        outcomes = checked_outcomes(path, run.snapshot, keys, result.class_names)
        return {OUTCOMES: path}, curves_of(outcomes)
    # What numpy and zipfile raise on crafted files is of many types.
    except Exception as error:
        log.warning("outcomes_left_out", work=str(run.pk), reason=f"{type(error).__name__}: {error}"[:500])
        return {}, {}


def thresholds_by_label(result: TrainingResult) -> dict[str, float]:
    """Label → the score from which on an image has it; empty where an image has one label, or boxes.

    Raises:
        ValueError: the process says something else.
    """
    if result.thresholds is None:
        return {}
    values = np.array(result.thresholds, np.float64)
    _require(values.shape == (len(result.class_names),), "other labels")
    _require(bool(((values >= 0) & (values <= 1)).all()), "odd thresholds")
    return dict(zip(result.class_names, values.tolist(), strict=True))


def _test_keys(snapshot: Snapshot) -> set[str]:
    rows = SnapshotImage.objects.filter(snapshot=snapshot, split=SPLIT)
    return {str(key) for key in rows.values_list("image_key", flat=True)}


def checked_outcomes(
    path: Path, snapshot: Snapshot, known: set[str], names: list[str]
) -> ClassifierPredictions | MultilabelPredictions | DetectorPredictions:
    """Raises `ValueError`, or what reading raises, when it is not of images that are known and of these labels."""
    boxes = sum(splits.get(SPLIT, 0) for splits in snapshot.counts.get("annotations", {}).values())
    _check_size(path, REST_BYTES + len(known) * (IMAGE_BYTES + 8 * len(names)) + BOX_BYTES * boxes, len(names))
    found = read_outcomes(path, snapshot.project.task)
    _require(len(set(found.keys)) == len(found.keys) and set(found.keys) <= known, "other images")
    _require(found.class_names == names, "other labels")
    if isinstance(found, DetectorPredictions):
        for truth in found.truths:
            _check_boxes(truth.boxes, truth.labels, len(names))
        for other in found.found:
            _check_boxes(other.boxes, other.labels, len(names))
            _check_numbers(other.scores, (len(other.boxes),))
            _require(len(other.boxes) <= MAX_DETECTIONS, "too many boxes")
    elif isinstance(found, MultilabelPredictions):
        _check_numbers(found.probabilities, (len(found.keys), len(names)))
        _require(found.truth.shape == found.probabilities.shape and found.truth.dtype == bool, "odd labels")
        _check_numbers(np.array(found.thresholds, np.float32), (len(names),))
    else:
        _check_numbers(found.probabilities, (len(found.keys), len(names)))
        _check_labels(found.truth, (len(found.keys),), len(names))
    return found


def _check_size(path: Path, most: int, labels: int) -> None:
    """Before anything is unpacked: a small file can unpack to more than there is memory."""
    with zipfile.ZipFile(path) as file:
        _require(sum(entry.file_size for entry in file.infolist()) <= most + NAME_BYTES * labels, "too large")


def _check_boxes(boxes: np.ndarray, labels: np.ndarray, count: int) -> None:
    _check_numbers(boxes, (len(boxes), 4))
    _check_labels(labels, (len(boxes),), count)


def _check_numbers(values: np.ndarray, shape: tuple[int, ...]) -> None:
    _require(values.shape == shape and values.dtype == np.float32 and bool(np.isfinite(values).all()), "odd numbers")


def _check_labels(values: np.ndarray, shape: tuple[int, ...], count: int) -> None:
    _require(values.shape == shape and values.dtype.kind in "if", "odd labels")
    _require(bool(((values >= 0) & (values < count)).all()), "unknown labels")


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise ValueError(problem)
