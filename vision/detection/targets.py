"""Which anchor should say what: the training targets of one image."""

from __future__ import annotations

import numpy as np

from vision.runtime.boxes import encode_offsets, iou_matrix

BACKGROUND, IGNORED = -1.0, -2.0


def anchor_targets(
    anchors: np.ndarray,
    boxes: np.ndarray,
    labels: np.ndarray,
    *,
    positive_iou: float = 0.5,
    negative_iou: float = 0.4,
) -> np.ndarray:
    """Match anchors with boxes as RetinaNet does (Lin et al. 2017, section 4).

    An anchor with an overlap of at least `positive_iou` stands for its best box, below `negative_iou` for background,
    between the two it is ignored. Each box also gets the anchor that fits it best, however little that is, so that
    each has an anchor.

    Args:
        anchors: `(anchors, 4)`; boxes: `(boxes, 4)`, possibly none; labels: `(boxes,)` int.

    Returns:
        `(anchors, 5)` float32: four offsets, and the label, `BACKGROUND` or `IGNORED`.
    """
    targets = np.zeros((len(anchors), 5), dtype=np.float32)
    targets[:, 4] = BACKGROUND
    if len(boxes) == 0:
        return targets
    overlap = iou_matrix(anchors, boxes)
    best_box = overlap.argmax(axis=1)
    best = overlap[np.arange(len(anchors)), best_box]
    positive = best >= positive_iou
    targets[(best >= negative_iou) & ~positive, 4] = IGNORED
    own = overlap.argmax(axis=0)
    has_own = overlap[own, np.arange(len(boxes))] > 0
    # A box that overlaps better with the same anchor keeps it.
    for box in np.argsort(overlap[own, np.arange(len(boxes))]):
        if has_own[box]:
            best_box[own[box]] = box
            positive[own[box]] = True
    targets[positive, :4] = encode_offsets(anchors[positive], boxes[best_box[positive]])
    targets[positive, 4] = labels[best_box[positive]]
    return targets
