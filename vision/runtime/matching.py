"""Which boxes of a detector are on which boxes of the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vision.runtime.boxes import Detections, iou_matrix

MATCH_IOU = 0.5


@dataclass(frozen=True)
class GroundTruth:
    """What is really on an image: its id, `(count, 4)` boxes in its pixels and `(count,)` labels."""

    id: str
    boxes: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class Matches:
    """Every detection with its verdict, per image and label: what thresholds, intervals and confusion are made of.

    Attributes:
        image, label: `(detections,)` int; score: `(detections,)`; hit: `(detections,)` bool.
        boxes_of: `(images, labels)` int, how many boxes there are.
    """

    image: np.ndarray
    label: np.ndarray
    score: np.ndarray
    hit: np.ndarray
    boxes_of: np.ndarray


def match(truths: Sequence[GroundTruth], found: Sequence[Detections], num_classes: int) -> Matches:
    """Match detections with boxes of their label, the best score first, each box once, at an overlap of 0.5."""
    columns: list[tuple[int, int, float, bool]] = []
    boxes_of = np.zeros((len(truths), num_classes), dtype=int)
    for image, (truth, one) in enumerate(zip(truths, found, strict=True)):
        boxes_of[image] = np.bincount(truth.labels.astype(int), minlength=num_classes)
        hits = match_detections(truth, one)
        columns += [
            (image, int(label), float(score), bool(hit))
            for label, score, hit in zip(one.labels, one.scores, hits, strict=True)
        ]
    table = np.array(columns, dtype=float).reshape(-1, 4)
    return Matches(table[:, 0].astype(int), table[:, 1].astype(int), table[:, 2], table[:, 3].astype(bool), boxes_of)


def match_detections(truth: GroundTruth, one: Detections) -> np.ndarray:
    """`(detections,)` bool, see `boxes_taken`."""
    return boxes_taken(truth, one) >= 0


def boxes_taken(truth: GroundTruth, one: Detections, iou: float = MATCH_IOU) -> np.ndarray:
    """As pycocotools does: each detection takes the free box of its label that it overlaps most.

    Args:
        iou: the overlap that it takes, intersection over union in 0..1.

    Returns:
        `(detections,)` int, the index of the box in `truth`; -1: none.
    """
    taken = np.full(len(one.scores), -1)
    if len(truth.boxes) == 0:
        return taken
    overlap = iou_matrix(one.boxes, truth.boxes)
    overlap[one.labels[:, None] != truth.labels[None]] = 0
    free = np.ones(len(truth.boxes), dtype=bool)
    for index in np.argsort(-one.scores, kind="stable"):
        row = np.where(free, overlap[index], 0)
        best = int(row.argmax())
        if row[best] >= iou and row[best] > 0:
            taken[index], free[best] = best, False
    return taken
