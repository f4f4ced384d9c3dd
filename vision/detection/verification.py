"""Proof that a detector's LiteRT file says what the trained network says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from vision.detection.graph import CANDIDATES, LOWEST_SCORE, MAX_DETECTIONS
from vision.runtime.boxes import AnchorShapes, Detections, anchors_for, detections_from
from vision.runtime.interpreters import LiteRTDetector
from vision.training.errors import ExportError

LITERT_TOLERANCE = 1e-3
BOX_TOLERANCE_PIXELS = 0.1


def check_litert(
    path: Path,
    images: np.ndarray,
    forward: Callable[[np.ndarray], np.ndarray],
    shapes: AnchorShapes,
    iou_threshold: float,
) -> float:
    """The largest difference of an offset or a logit on `images` `(count, height, width, 3)` uint8.

    Raises:
        ExportError: it is above 1e-3, or the file's own boxes are not those of `detections_from`.
    """
    expected = forward(images)
    runtime = LiteRTDetector(path, max_interpreters=1)
    difference = max(_difference(runtime.run(image), raw) for image, raw in zip(images, expected, strict=True))
    if not difference <= LITERT_TOLERANCE:
        raise ExportError(
            f"The exported LiteRT file differs from the trained model by {difference:.2e} (at most "
            f"{LITERT_TOLERANCE:.0e} is allowed), so it is not offered. Please report this with the training's log."
        )
    anchors = anchors_for(runtime.image_size, shapes)
    for image in images:
        found, raw = runtime.detect(image)
        wanted = detections_from(
            anchors,
            raw,
            runtime.image_size,
            score_threshold=LOWEST_SCORE,
            iou_threshold=iou_threshold,
            limit=MAX_DETECTIONS,
            candidates=CANDIDATES,
        )
        if not _agree(found, wanted):
            raise ExportError(
                "The boxes of the exported LiteRT file are not those of the trained model, so it is not offered. "
                "Please report this with the training's log."
            )
    return difference


def _difference(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference, as a share of the largest number where that is above 1: float32 has 7 digits."""
    return float(np.abs(found - expected).max() / max(1.0, np.abs(expected).max()))


def _agree(found: Detections, wanted: Detections) -> bool:
    """The same boxes in the same order; the last ones may differ where a score is at the edge of the list."""
    sure = min(len(found.scores), len(wanted.scores))
    if abs(len(found.scores) - len(wanted.scores)) > 1 + sure // 20:
        return False
    same = np.abs(found.boxes[:sure] - wanted.boxes[:sure]).max(axis=1, initial=0) <= BOX_TOLERANCE_PIXELS
    return bool(same.mean() >= 0.95) if sure else True
