"""The labels that are guessed of each image, where an image has none to many of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np


@dataclass(frozen=True)
class LabelSets:
    """Rows of a sparse matrix, one after the other.

    Attributes:
        starts: `(images + 1,)` uint32: where the labels of each image begin, and where those of the last one end.
        labels: `(entries,)` uint16, places of labels.
        chances: `(entries,)` float32: that the image has the label, 0 to 1.
    """

    starts: np.ndarray
    labels: np.ndarray
    chances: np.ndarray

    @classmethod
    def of(cls, probabilities: np.ndarray, is_present: np.ndarray) -> Self:
        """Those of `(images, labels)` probabilities that are present, the likeliest of each image first."""
        rows, labels = np.nonzero(is_present)
        chances = probabilities[rows, labels].astype(np.float32)
        order = np.lexsort((-chances, rows))
        starts = np.concatenate([[0], np.cumsum(is_present.sum(axis=1))])
        return cls(starts.astype(np.uint32), labels[order].astype(np.uint16), np.round(chances[order], 4))

    @classmethod
    def single(cls, labels: np.ndarray, chances: np.ndarray) -> Self:
        """One label an image."""
        return cls(np.arange(len(labels) + 1, dtype=np.uint32), labels, chances)

    def at(self, row: int) -> list[tuple[int, float]]:
        """The labels of an image, each with its chance."""
        part = slice(int(self.starts[row]), int(self.starts[row + 1]))
        return list(zip(self.labels[part].tolist(), self.chances[part].tolist(), strict=True))

    def have(self, is_asked_for: np.ndarray) -> np.ndarray:
        """`(images,)` bool: which have one of the labels.

        Args:
            is_asked_for: `(labels,)` bool.
        """
        has = np.zeros(len(self.starts) - 1, bool)
        has[self._rows()[is_asked_for[self.labels]]] = True
        return has

    @property
    def are_empty(self) -> np.ndarray:
        """`(images,)` bool: which have none of the labels."""
        return self._sizes() == 0

    def count(self, labels: int) -> list[int]:
        """How many images have each label."""
        return np.bincount(self.labels, minlength=labels).tolist()

    def take(self, order: np.ndarray) -> LabelSets:
        """Those of other rows, in their order."""
        sizes = self._sizes()[order]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        shift = np.repeat(self.starts[:-1].astype(np.int64)[order] - starts[:-1], sizes)
        entries = np.arange(int(starts[-1])) + shift
        return LabelSets(starts.astype(np.uint32), self.labels[entries], self.chances[entries])

    def fits(self, images: int, labels: int) -> bool:
        """Whether this is what is said of so many images with so many labels."""
        if self.starts.shape != (images + 1,) or self.labels.shape != self.chances.shape or self.labels.ndim != 1:
            return False
        starts = self.starts.astype(np.int64)
        is_whole = starts[0] == 0 and starts[-1] == len(self.labels) and bool((np.diff(starts) >= 0).all())
        return is_whole and self.labels.dtype.kind == "u" and (not len(self.labels) or int(self.labels.max()) < labels)

    def _rows(self) -> np.ndarray:
        return np.repeat(np.arange(len(self.starts) - 1), self._sizes())

    def _sizes(self) -> np.ndarray:
        """`(images,)` int: how many labels each has."""
        starts = self.starts.astype(np.int64)
        return starts[1:] - starts[:-1]
