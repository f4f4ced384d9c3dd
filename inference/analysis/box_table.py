"""The boxes of all images of an evaluation as columns: what is behind a figure is found without a loop over images."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from inference.runtime.boxes import Detections, areas
from inference.runtime.detection_metrics import MATCH_IOU, Threshold, Truth, is_sure


@dataclass(frozen=True)
class BoxTable:
    """What is annotated and what was found, a row a box, in the order of the images.

    Attributes:
        keys: ids of the images.
        true_image, image: `(boxes,)` int, index into `keys`, ascending.
        true_boxes, boxes: `(boxes, 4)` float32 xyxy in pixels of the upright image.
        true_labels, labels: `(boxes,)` int, index into `class_names`.
        scores: `(boxes,)` float32.
    """

    keys: list[str]
    class_names: list[str]
    true_image: np.ndarray
    true_boxes: np.ndarray
    true_labels: np.ndarray
    image: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray

    @classmethod
    def load(cls, path: Path) -> BoxTable:
        """Of a file of `BoxOutcomes`."""
        with np.load(path, allow_pickle=False) as file:
            keys = file["keys"].tolist()
            images = np.arange(len(keys))
            return cls(
                keys, file["class_names"].tolist(), np.repeat(images, file["true_counts"]), file["true_boxes"],
                file["true_labels"].astype(int), np.repeat(images, file["found_counts"]), file["boxes"],
                file["scores"], file["labels"].astype(int),
            )  # fmt: skip

    def sure(self, threshold: Threshold) -> BoxTable:
        """Without the boxes below the threshold, or below that of their label."""
        kept = is_sure(self.scores, self.labels, threshold)
        return BoxTable(
            self.keys, self.class_names, self.true_image, self.true_boxes, self.true_labels, self.image[kept],
            self.boxes[kept], self.scores[kept], self.labels[kept],
        )  # fmt: skip

    def of_image(self, index: int) -> tuple[Truth, Detections]:
        true = slice(*np.searchsorted(self.true_image, [index, index + 1]))
        found = slice(*np.searchsorted(self.image, [index, index + 1]))
        return (
            Truth(self.keys[index], self.true_boxes[true], self.true_labels[true]),
            Detections(self.boxes[found], self.scores[found], self.labels[found]),
        )

    @cached_property
    def overlapping(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pairs of a found and an annotated box of one image that overlap enough to match: indexes and overlaps."""
        first, last = (np.searchsorted(self.true_image, self.image, side=side) for side in ("left", "right"))
        counts = last - first
        found = np.repeat(np.arange(len(self.image)), counts)
        true = np.repeat(first - np.r_[0, np.cumsum(counts)[:-1]], counts) + np.arange(len(found))
        one, other = self.boxes[found], self.true_boxes[true]
        shared = (np.minimum(one[:, 2:], other[:, 2:]) - np.maximum(one[:, :2], other[:, :2])).clip(0).prod(axis=1)
        union = areas(one) + areas(other) - shared
        overlap = np.divide(shared, union, out=np.zeros(len(shared)), where=union > 0)
        enough = overlap >= MATCH_IOU
        return found[enough], true[enough], overlap[enough]

    @cached_property
    def hits(self) -> np.ndarray:
        """`(found boxes,)` int, the annotated box that each one takes as `boxes_taken` has it; -1: none."""
        found, true, overlap = self.overlapping
        same = self.labels[found] == self.true_labels[true]
        found, true, overlap = found[same], true[same], overlap[same]
        return self._greedy(found, true, np.lexsort((-overlap, found, -self.scores[found])))

    @cached_property
    def pairs(self) -> np.ndarray:
        """The same whatever the labels, the largest overlap first: as the confusion matrix counts."""
        found, true, overlap = self.overlapping
        return self._greedy(found, true, np.argsort(-overlap, kind="stable"))

    def _greedy(self, found: np.ndarray, true: np.ndarray, order: np.ndarray) -> np.ndarray:
        taken = np.full(len(self.image), -1)
        is_free = np.ones(len(self.true_image), bool)
        for mine, other in zip(found[order].tolist(), true[order].tolist(), strict=True):
            if taken[mine] < 0 and is_free[other]:
                taken[mine], is_free[other] = other, False
        return taken

    def missed(self, taken: np.ndarray) -> np.ndarray:
        """`(annotated boxes,)` bool: those that no found box takes."""
        missed = np.ones(len(self.true_image), bool)
        missed[taken[taken >= 0]] = False
        return missed

    def per_image(self, images: np.ndarray) -> np.ndarray:
        """`(images,)` int: how often each image is named."""
        return np.bincount(images, minlength=len(self.keys))
