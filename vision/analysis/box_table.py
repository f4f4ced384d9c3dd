"""The boxes of all images of an evaluation as columns: what is behind a figure is found without a loop over images."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from vision.analysis.array_files import read_arrays
from vision.runtime.boxes import Detections, areas
from vision.runtime.matching import MATCH_IOU, GroundTruth
from vision.runtime.thresholds import Threshold, is_sure


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
        """Of a file of `DetectorPredictions`."""
        file = read_arrays(path)
        keys = file["keys"].tolist()
        images = np.arange(len(keys))
        return cls(
            keys,
            file["class_names"].tolist(),
            np.repeat(images, file["true_counts"]),
            file["true_boxes"],
            file["true_labels"].astype(int),
            np.repeat(images, file["found_counts"]),
            file["boxes"],
            file["scores"],
            file["labels"].astype(int),
        )

    def sure(self, threshold: Threshold) -> BoxTable:
        """Without the boxes below the threshold, or below that of their label."""
        kept = is_sure(self.scores, self.labels, threshold)
        return BoxTable(
            self.keys,
            self.class_names,
            self.true_image,
            self.true_boxes,
            self.true_labels,
            self.image[kept],
            self.boxes[kept],
            self.scores[kept],
            self.labels[kept],
        )

    def of_image(self, index: int) -> tuple[GroundTruth, Detections]:
        true, found = self.rows_of(index)
        return (
            GroundTruth(self.keys[index], self.true_boxes[true], self.true_labels[true]),
            Detections(self.boxes[found], self.scores[found], self.labels[found]),
        )

    def rows_of(self, index: int) -> tuple[slice, slice]:
        """Where the annotated and the found boxes of an image are."""
        return (
            slice(*np.searchsorted(self.true_image, [index, index + 1])),
            slice(*np.searchsorted(self.image, [index, index + 1])),
        )

    @cached_property
    def _together(self) -> tuple[np.ndarray, np.ndarray]:
        """All pairs of a found and an annotated box of one image, as indexes."""
        first, last = (np.searchsorted(self.true_image, self.image, side=side) for side in ("left", "right"))
        counts = last - first
        found = np.repeat(np.arange(len(self.image), dtype=np.int32), counts)
        starts = (first - np.r_[0, np.cumsum(counts)[:-1]]).astype(np.int32)
        return found, np.repeat(starts, counts) + np.arange(len(found), dtype=np.int32)

    def _overlapping(self, found: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Those pairs that overlap enough to match, with their overlaps. Most are apart: one side tells it."""
        shared = np.ones(len(found), np.float32)
        for low, high in ((0, 2), (1, 3)):
            side = np.minimum(self.boxes[found, high], self.true_boxes[true, high])
            side -= np.maximum(self.boxes[found, low], self.true_boxes[true, low])
            near = side > 0
            found, true, shared = found[near], true[near], shared[near] * side[near]
        union = areas(self.boxes[found]) + areas(self.true_boxes[true]) - shared
        overlap = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
        enough = overlap >= MATCH_IOU
        return found[enough], true[enough], overlap[enough]

    @cached_property
    def hits(self) -> np.ndarray:
        """`(found boxes,)` int, the annotated box that each one takes as `boxes_taken` has it; -1: none."""
        found, true = self._together
        same = self.labels[found] == self.true_labels[true]
        found, true, overlap = self._overlapping(found[same], true[same])
        return self._greedy(found, true, np.lexsort((-overlap, found, -self.scores[found])))

    @cached_property
    def pairs(self) -> np.ndarray:
        """The same whatever the labels, the largest overlap first: as the confusion matrix counts."""
        found, true, overlap = self._overlapping(*self._together)
        return self._greedy(found, true, np.argsort(-overlap, kind="stable"))

    @cached_property
    def best(self) -> np.ndarray:
        """`(images,)` float: the highest score of a box, 0 where there is none."""
        best = np.zeros(len(self.keys))
        if len(self.image):
            starts = np.flatnonzero(np.r_[True, np.diff(self.image) > 0])
            best[self.image[starts]] = np.maximum.reduceat(self.scores, starts)
        return best

    @cached_property
    def missed(self) -> np.ndarray:
        """`(annotated boxes,)` bool: those that nothing hits."""
        return self.free(self.hits)

    @cached_property
    def errors(self) -> np.ndarray:
        """`(images,)` int: false alarms and misses."""
        return self.per_image(self.image[self.hits < 0]) + self.per_image(self.true_image[self.missed])

    def _greedy(self, found: np.ndarray, true: np.ndarray, order: np.ndarray) -> np.ndarray:
        taken = np.full(len(self.image), -1)
        is_free = np.ones(len(self.true_image), bool)
        for mine, other in zip(found[order].tolist(), true[order].tolist(), strict=True):
            if taken[mine] < 0 and is_free[other]:
                taken[mine], is_free[other] = other, False
        return taken

    def free(self, taken: np.ndarray) -> np.ndarray:
        """`(annotated boxes,)` bool: those that no found box takes."""
        free = np.ones(len(self.true_image), bool)
        free[taken[taken >= 0]] = False
        return free

    def per_image(self, images: np.ndarray) -> np.ndarray:
        """`(images,)` int: how often each image is named."""
        return np.bincount(images, minlength=len(self.keys))
