"""From what a network says to labels and boxes, the same way in the studio, on devices and in notebooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..imaging.letterbox import Letterbox, to_letterboxed
from ..imaging.orientation import upright_size
from ..imaging.preprocessing import open_image
from .boxes import AnchorShapes, anchors_for, detections_from, thresholds_of
from .interpreters import LiteRTDetector

MOST_BOXES = 100


def labels_of(scores: np.ndarray, class_names: Sequence[str], limit: int, lowest: float = 0.0) -> list[dict]:
    """`{"label", "score"}` of an image, the best first.

    Args:
        scores: `(labels,)` in 0..1.
        lowest: labels with a lower score are left out.
    """
    order = scores.argsort()[::-1][:limit]
    return [
        {"label": class_names[index], "score": round(float(scores[index]), 6)}
        for index in order
        if scores[index] >= lowest
    ]


def labels_with_thresholds(
    scores: np.ndarray, class_names: Sequence[str], thresholds: float | Sequence[float], limit: int | None = None
) -> list[dict]:
    """`{"label", "score", "threshold", "is_present"}` of an image with none to many labels, the highest score first.

    Args:
        scores: `(labels,)` in 0..1, each by itself.
        thresholds: the score from which on the image has a label, one for all or one a label.
        limit: at most so many; None: all.
    """
    limits = np.broadcast_to(np.asarray(thresholds, np.float64), scores.shape)
    return [
        {
            "label": class_names[index],
            "score": round(float(scores[index]), 6),
            "threshold": round(float(limits[index]), 6),
            "is_present": bool(scores[index] >= limits[index]),
        }
        for index in scores.argsort()[::-1][:limit]
    ]


def present_labels(labels: list[dict]) -> list[dict]:
    """What is said of an image: those that are present, where each label is decided by itself, else the best one."""
    if labels and "is_present" in labels[0]:
        return [answer for answer in labels if answer["is_present"]]
    return labels[:1]


def boxes_of(
    raw: np.ndarray,
    anchors: np.ndarray,
    class_names: Sequence[str],
    size: tuple[int, int],
    image_size: tuple[int, int],
    *,
    thresholds: float | Sequence[float],
    iou_threshold: float,
    limit: int = MOST_BOXES,
) -> list[dict]:
    """`{"label", "score", "box"}` of an image, the best first; boxes in its pixels, upright.

    Args:
        raw: `(anchors, 4 + labels)`, what the network says of the letterboxed image.
        size: `(width, height)` of the upright image.
        image_size: `(height, width)` of the network's input.
        thresholds: the lowest score, one for all labels or one a label.
    """
    width, height = size
    letterbox = Letterbox.fit(width, height, image_size)
    found = detections_from(
        anchors, raw, letterbox.content_size, score_threshold=thresholds, iou_threshold=iou_threshold, limit=limit
    )
    placed = letterbox.to_image(found.boxes, width, height).tolist()
    return [
        {"label": class_names[label], "score": round(score, 6), "box": [round(edge, 2) for edge in box]}
        for box, score, label in zip(placed, found.scores.tolist(), found.labels.tolist())
    ]


class Detector:
    """A detector's LiteRT file with what is needed to read its output.

    Args:
        path: of the `.tflite` file.
        class_names: its labels, in the order of its output.
        detector: `anchors`, `score_threshold`, `label_thresholds`, `iou_threshold`, as a training leaves them.

    Raises:
        ModelFileError: the file cannot be loaded.
    """

    def __init__(self, path: Path, class_names: Sequence[str], detector: Mapping, *, threads: int = 1) -> None:
        self._network = LiteRTDetector(path, max_interpreters=1, num_threads=threads)
        self._names, self._detector = class_names, detector
        self._anchors = anchors_for(self._network.image_size, AnchorShapes.from_dict(detector["anchors"]))

    def predict(self, source: str | Path | bytes | BinaryIO, threshold: float | None = None) -> list[dict]:
        """The boxes of an image, as `boxes_of`.

        Args:
            threshold: the lowest score; else each label has its own.

        Raises:
            ImageError: it is no image that can be read.
        """
        with open_image(source) as image:
            size = upright_size(image)
            pixels = to_letterboxed(image, self._network.image_size)
        return boxes_of(
            self._network.run(pixels),
            self._anchors,
            self._names,
            size,
            self._network.image_size,
            thresholds=thresholds_of(self._detector, self._names) if threshold is None else threshold,
            iou_threshold=self._detector["iou_threshold"],
        )
