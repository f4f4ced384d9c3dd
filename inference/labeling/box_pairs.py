"""Boxes of two sources that belong together."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from vision.runtime.boxes import iou_matrix

OVERLAP = 0.5


def boxes_apart(first: list[dict], second: list[dict]) -> float:
    """Share of the boxes of either model that the other does not have, 0 to 1."""
    if not first and not second:
        return 0.0
    matched = len(_pairs(first, second))
    return 1 - 2 * matched / (len(first) + len(second))


def _pairs(first: list[dict], second: list[dict]) -> list[tuple[int, int]]:
    """Boxes of the same label that overlap, each once, the largest overlap first."""
    if not first or not second:
        return []
    overlap = iou_matrix(box_array(first), box_array(second))
    for row, mine in enumerate(first):
        for column, theirs in enumerate(second):
            if mine["label"] != theirs["label"]:
                overlap[row, column] = 0
    pairs = []
    for flat in np.argsort(-overlap, axis=None, kind="stable"):
        row, column = np.unravel_index(flat, overlap.shape)
        if overlap[row, column] < OVERLAP:
            break
        pairs.append((int(row), int(column)))
        overlap[row, :], overlap[:, column] = 0, 0
    return pairs


def box_array(boxes: Iterable[dict]) -> np.ndarray:
    return np.array([box["box"] for box in boxes], np.float32).reshape(-1, 4)
