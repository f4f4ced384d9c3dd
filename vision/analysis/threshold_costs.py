"""What a lowest score costs: how many answers are right and wrong, and how many are left to a person."""

from __future__ import annotations

import numpy as np

STEPS = 100


def threshold_costs(scores: np.ndarray, right: np.ndarray, total: int) -> list[dict]:
    """Counts at 101 lowest scores from 0 to 1.

    Args:
        scores: `(answers,)` float: the best label of each image, or boxes.
        right: `(answers,)` bool.
        total: how many there are to find: images with the label, or annotated boxes.

    Returns:
        For each threshold `right`, `wrong`, `left` (answers below it), `missed` (of `total`), and `precision`, `recall`
        and `f1`; a precision is None without an answer, a recall without anything to find.
    """
    order = np.argsort(scores, kind="stable")
    sorted_scores, hits = scores[order], np.r_[0, np.cumsum(right[order])]
    limits = np.arange(STEPS + 1) / STEPS  # `linspace` has 0.7000000000000001
    rows = []
    for limit, below in zip(limits, np.searchsorted(sorted_scores, limits, side="left").tolist(), strict=True):
        kept, hit = len(scores) - below, int(hits[-1] - hits[below])
        rows.append(
            {
                "threshold": float(limit),
                "right": hit,
                "wrong": kept - hit,
                "left": below,
                "missed": total - hit,
                "precision": hit / kept if kept else None,
                "recall": hit / total if total else None,
                "f1": 2 * hit / (kept + total) if kept + total else None,
            }
        )
    return rows
