"""From which score on a box, or a label of an image, counts: the best F1 of a label, or of all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vision.runtime.boxes import Detections
from vision.runtime.matching import Matches

# A label with fewer boxes has no threshold of its own.
FEWEST_BOXES = 20
# The same of images, where an image has none to many labels.
FEWEST_IMAGES = 10

# One for all labels, or one for each.
Threshold = float | Sequence[float]


def best_thresholds(matches: Matches) -> dict:
    """The score from which on F1 is largest: `all` labels together, and of each label by its number.

    A label with few boxes has the threshold of all: what is best for a handful is best for them alone.
    """
    labels = range(matches.boxes_of.shape[1])
    everything = _best_threshold(matches.score, matches.hit, int(matches.boxes_of.sum()))
    chosen: dict = {"all": everything}
    for label in labels:
        mine = matches.label == label
        score, hit, total = matches.score[mine], matches.hit[mine], int(matches.boxes_of[:, label].sum())
        if total < FEWEST_BOXES:
            chosen[label] = _at_threshold(score, hit, total, everything["threshold"])
        else:
            chosen[label] = _best_threshold(score, hit, total)
    return chosen


def label_thresholds(probabilities: np.ndarray, truth: np.ndarray) -> list[float]:
    """The score from which on a label of an image counts: where F1 on these images is largest (Lipton et al. 2014).

    A label with few images has the threshold that is best for all labels together.

    Args:
        probabilities: `(images, labels)` float in 0..1, of the validation split: scores of images that a network has
            learned from are too high.
        truth: `(images, labels)` bool or 0 and 1.
    """
    hits = np.asarray(truth, bool)
    common = _best_threshold(probabilities.ravel(), hits.ravel(), int(hits.sum()))["threshold"]
    return [
        common
        if hits[:, label].sum() < FEWEST_IMAGES
        else _best_threshold(probabilities[:, label], hits[:, label], int(hits[:, label].sum()))["threshold"]
        for label in range(hits.shape[1])
    ]


def _best_threshold(score: np.ndarray, hit: np.ndarray, total: int) -> dict:
    """Halfway between the last score that counts and the next: on the score itself a hit a little below were lost."""
    if not len(score) or not total:
        return _at_threshold(score, hit, total, 0.5)
    order = np.argsort(-score, kind="stable")
    right, counted = np.cumsum(hit[order]), np.arange(1, len(order) + 1)
    lower = np.append(score[order][1:], 0.0)
    # Equal scores are on one side of any threshold.
    f1 = np.where(lower < score[order], 2 * right / (counted + total), -1.0)
    best = int(f1.argmax())
    return _at_threshold(score, hit, total, float((score[order][best] + lower[best]) / 2))


def _at_threshold(score: np.ndarray, hit: np.ndarray, total: int, threshold: float) -> dict:
    kept = score >= threshold
    right, count = int(hit[kept].sum()), int(kept.sum())
    return {
        "threshold": threshold,
        "f1": 2 * right / (count + total) if total else 0.0,
        "precision": right / count if count else 0.0,
        "recall": right / total if total else 0.0,
    }


def is_sure(scores: np.ndarray, labels: np.ndarray, threshold: Threshold) -> np.ndarray:
    """`(detections,)` bool: which reach the threshold, or that of their label."""
    limits = np.asarray(threshold, dtype=np.float64)
    return scores >= (limits if limits.ndim == 0 else limits[labels.astype(int)])


def sure_of(one: Detections, threshold: Threshold) -> Detections:
    sure = is_sure(one.scores, one.labels, threshold)
    return Detections(one.boxes[sure], one.scores[sure], one.labels[sure])
