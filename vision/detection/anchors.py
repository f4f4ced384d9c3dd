"""Anchors that fit the boxes of a dataset."""

from __future__ import annotations

import numpy as np

from vision.runtime.boxes import AnchorShapes, iou_matrix


def propose_anchors(boxes: np.ndarray, seed: int = 0) -> AnchorShapes:
    """Anchor shapes that fit boxes of a training set.

    The sizes cover an octave, as in the paper; what is chosen is where it begins and the ratios, such that the mean
    overlap of a box with its best anchor at its own centre is largest.

    Args:
        boxes: `(count, 4)` in pixels of the input.
    """
    if len(boxes) == 0:
        return AnchorShapes()
    if len(boxes) > 5000:
        boxes = boxes[np.random.default_rng(seed).choice(len(boxes), 5000, replace=False)]
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0)
    spread = np.exp(np.quantile(np.log(sides[:, 1] / sides[:, 0]), [0.15, 0.5, 0.85]))
    ratios = [round(float(ratio), 2) for ratio in np.clip(spread, 0.2, 5.0)]
    # Ratios nearer than a fifth to each other are one.
    chosen = [ratios[1]] + [r for r in (ratios[0], ratios[2]) if max(r / ratios[1], ratios[1] / r) > 1.2]
    octave = [2 ** (step / 3) for step in range(3)]
    candidates = [
        AnchorShapes(sizes=tuple(round(base * step, 2) for step in octave), ratios=tuple(sorted(chosen)))
        for base in (1.5, 2.0, 2.5, 3.0, 4.0)
    ]
    return max(candidates, key=lambda shapes: _mean_fit(sides, shapes))


def _mean_fit(sides: np.ndarray, shapes: AnchorShapes) -> float:
    anchors = np.array(
        [
            (size * 2**level / ratio**0.5, size * 2**level * ratio**0.5)
            for level in range(shapes.min_level, shapes.max_level + 1)
            for size in shapes.sizes
            for ratio in shapes.ratios
        ]
    )
    centred = [np.concatenate([-half, half], axis=1) for half in (sides / 2, anchors / 2)]
    return float(iou_matrix(*centred).max(axis=1).mean())
