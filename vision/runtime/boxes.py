"""Boxes in numpy: overlap, anchors, offsets, suppression.

Boxes are `(x_min, y_min, x_max, y_max)` in pixels, float32, unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

# Offsets are divided by these, so that the network's numbers are near 1 (Ren et al. 2015, Faster R-CNN's code).
OFFSET_SCALE = np.array([0.1, 0.1, 0.2, 0.2], dtype=np.float32)
MAX_LOG_SCALE = float(np.log(1000 / 16))
# Boxes that are compared with each other at once: many take memory, few take many calls of numpy.
BLOCK = 128


def areas(boxes: np.ndarray) -> np.ndarray:
    """`(count,)` float32; 0 for boxes that are turned round."""
    return np.clip(boxes[:, 2] - boxes[:, 0], 0, None) * np.clip(boxes[:, 3] - boxes[:, 1], 0, None)


def iou_matrix(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Intersection over union of all pairs: `(n, 4)`, `(m, 4)` → `(n, m)` float32 in 0..1."""
    shared = _shared_side(first, second, 0)
    shared *= _shared_side(first, second, 1)
    union = areas(first)[:, None] + areas(second)[None] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def _shared_side(first: np.ndarray, second: np.ndarray, axis: int) -> np.ndarray:
    high = np.minimum(first[:, None, 2 + axis], second[None, :, 2 + axis])
    high -= np.maximum(first[:, None, axis], second[None, :, axis])
    return high.clip(0)


@dataclass(frozen=True)
class AnchorShapes:
    """Which anchors a detector has; kept with the model, for without them its output means nothing.

    Attributes:
        min_level, max_level: pyramid levels; level n has one cell for 2ⁿ × 2ⁿ pixels.
        sizes: sides of the square anchors of a cell, as multiples of the cell's side.
        ratios: height over width.
        factors: of the sizes, one a level; none for the same sizes on every level.
    """

    min_level: int = 3
    max_level: int = 7
    sizes: tuple[float, ...] = (2.0, 2.52, 3.17)
    ratios: tuple[float, ...] = (0.7, 1.0, 1.4)
    factors: tuple[float, ...] = ()

    @property
    def per_cell(self) -> int:
        return len(self.sizes) * len(self.ratios)

    def to_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> AnchorShapes:
        sizes, ratios, factors = (tuple(values.get(name, ())) for name in ("sizes", "ratios", "factors"))
        return cls(values["min_level"], values["max_level"], sizes, ratios, factors)


def anchors_for(image_size: tuple[int, int], shapes: AnchorShapes) -> np.ndarray:
    """All anchors of an input, level by level, row by row: `(anchors, 4)` float32.

    Args:
        image_size: `(height, width)` of the network's input, multiples of the coarsest cell or not.
    """
    levels = []
    for level in range(shapes.min_level, shapes.max_level + 1):
        stride = 2**level
        rows, columns = (-(-side // stride) for side in image_size)
        y, x = np.mgrid[:rows, :columns]
        centres = (np.stack([x, y, x, y], axis=-1).reshape(-1, 1, 4) + 0.5) * stride
        factor = shapes.factors[level - shapes.min_level] if shapes.factors else 1.0
        levels.append((centres + _cell_anchors(stride * factor, shapes)).reshape(-1, 4))
    return np.concatenate(levels).astype(np.float32)


def _cell_anchors(stride: float, shapes: AnchorShapes) -> np.ndarray:
    """`(1, per_cell, 4)` around the origin; the area depends on the size alone."""
    sides = np.array([(size / ratio**0.5, size * ratio**0.5) for ratio in shapes.ratios for size in shapes.sizes])
    half = sides * stride / 2
    return np.concatenate([-half, half], axis=1)[None]


def encode_offsets(anchors: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """What the network should say for each pair of anchor and box (Girshick et al. 2014, eq. 6 to 9), scaled."""
    anchor_sides, sides = anchors[:, 2:] - anchors[:, :2], np.maximum(boxes[:, 2:] - boxes[:, :2], 1e-3)
    centres = ((boxes[:, :2] + boxes[:, 2:]) - (anchors[:, :2] + anchors[:, 2:])) / 2 / anchor_sides
    return np.concatenate([centres, np.log(sides / anchor_sides)], axis=1).astype(np.float32) / OFFSET_SCALE


def decode_offsets(anchors: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """The inverse of `encode_offsets`; growth is limited so that a wild output stays finite."""
    offsets = offsets * OFFSET_SCALE
    sides = anchors[:, 2:] - anchors[:, :2]
    centres = (anchors[:, :2] + anchors[:, 2:]) / 2 + offsets[:, :2] * sides
    half = sides * np.exp(np.minimum(offsets[:, 2:], MAX_LOG_SCALE)) / 2
    return np.concatenate([centres - half, centres + half], axis=1)


def suppress(boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray, iou_threshold: float, limit: int) -> np.ndarray:
    """Greedy non-maximum suppression within each label: indices of what stays, the best score first.

    Args:
        boxes: `(count, 4)`; scores: `(count,)`; labels: `(count,)` int.
        iou_threshold: a box that overlaps a better one of its label by more is dropped.
        limit: how many stay at most.
    """
    order = np.argsort(-scores, kind="stable")
    boxes, labels = boxes[order], labels[order]
    kept = np.zeros(0, dtype=np.int64)
    for start in range(0, len(order), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(order)))
        rows = rows[~_clashes(boxes, labels, kept, rows, iou_threshold).any(axis=0)]
        clashes = _clashes(boxes, labels, rows, rows, iou_threshold)
        stays = np.ones(len(rows), dtype=bool)
        for index in range(len(rows)):
            if stays[index]:
                stays[index + 1 :] &= ~clashes[index, index + 1 :]
        kept = np.concatenate([kept, rows[stays]])
        if len(kept) >= limit:
            break
    return order[kept[:limit]]


def _clashes(
    boxes: np.ndarray, labels: np.ndarray, first: np.ndarray, second: np.ndarray, iou_threshold: float
) -> np.ndarray:
    """`(len(first), len(second))` bool: which rows have the same label and overlap by more than the threshold."""
    overlap = iou_matrix(boxes[first], boxes[second])
    return ~(overlap <= iou_threshold) & (labels[first][:, None] == labels[second][None])


@dataclass(frozen=True)
class Detections:
    """Boxes of one image, the best score first: `(count, 4)` float32, `(count,)` float32, `(count,)` int64."""

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray


def detections_from(
    anchors: np.ndarray,
    raw: np.ndarray,
    image_size: tuple[int, int],
    *,
    score_threshold: float | Sequence[float] = 0.05,
    iou_threshold: float = 0.5,
    limit: int = 300,
    candidates: int = 1000,
) -> Detections:
    """What a network's raw output says about one input. An anchor speaks for its best label only.

    Args:
        raw: `(anchors, 4 + labels)` float32: offsets, then logits.
        image_size: `(height, width)` of the part of the input that is image; boxes are clipped to it.
        score_threshold: one for all labels, or one a label.
        candidates: how many of the best scores are looked at.
    """
    labels = raw[:, 4:].argmax(axis=1)
    # Ordered by logits: the scores of a network that is very sure are all 1.
    logits = raw[np.arange(len(raw)), 4 + labels]
    lowest = np.broadcast_to(np.asarray(score_threshold, dtype=np.float32), (raw.shape[1] - 4,))
    rows = np.flatnonzero(_sigmoid(logits) >= lowest[labels])
    labels, logits = labels[rows], logits[rows]
    if len(logits) > candidates:
        best = np.argpartition(-logits, candidates)[:candidates]
        rows, labels, logits = rows[best], labels[best], logits[best]
    boxes = decode_offsets(anchors[rows], raw[rows, :4])
    height, width = image_size
    boxes = np.clip(boxes, 0, np.array([width, height, width, height], dtype=np.float32))
    good = areas(boxes) > 0
    boxes, logits, labels = boxes[good], logits[good], labels[good]
    kept = suppress(boxes, logits, labels, iou_threshold, limit)
    scores = _sigmoid(logits[kept]).astype(np.float32)
    return Detections(boxes[kept].astype(np.float32), scores, labels[kept].astype(np.int64))


def thresholds_of(detector: Mapping, class_names: Sequence[str]) -> list[float]:
    """The score from which on a box of each label counts: what serves, and what figures are computed with.

    Args:
        detector: with `score_threshold`, and `label_thresholds` for labels that have one of their own.
    """
    own = detector.get("label_thresholds") or {}
    return [own.get(name, detector["score_threshold"]) for name in class_names]


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(logits, -80, 80)))
