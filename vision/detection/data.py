"""Pixels and targets of a detector's training, batch by batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from vision.detection.augment import BoxAugmentation
from vision.detection.samples import boxes_in_input
from vision.detection.targets import anchor_targets
from vision.training.data import ImageCache
from vision.training.input_pipeline import Batches, in_order, loaded


@dataclass
class DetectionSource:
    """Pixels and targets of one split, batch by batch.

    Attributes:
        store: letterboxed pixels.
        boxes, labels: of each image, boxes in pixels of the input.
        augmentation: None for an unchanged split.
    """

    store: ImageCache
    boxes: list[np.ndarray]
    labels: list[np.ndarray]
    anchors: np.ndarray
    seed: int
    augmentation: BoxAugmentation | None = None

    @property
    def count(self) -> int:
        return len(self.store)

    def batch(self, indices: np.ndarray, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """`(batch, height, width, 3)` uint8 and `(batch, anchors, 5)` float32; the same for the same epoch."""
        pixels = self.store.gather(indices)
        images, targets = [], []
        for index, image in zip(indices, pixels, strict=True):
            boxes, labels = self.boxes[index], self.labels[index]
            if self.augmentation is not None:
                generator = np.random.default_rng((self.seed, int(epoch), int(index)))
                image, boxes, labels = self.augmentation.apply(image, boxes, labels, generator)
            images.append(image)
            targets.append(anchor_targets(self.anchors, boxes, labels))
        return np.stack(images), np.stack(targets)

    def dataset(self, batches: Batches, steps: int) -> tf.data.Dataset:
        """Batches of `(inputs float32, targets float32)`."""
        signature = [
            tf.TensorSpec((None, *self.store.image_size, 3), tf.uint8),
            tf.TensorSpec((None, len(self.anchors), 5), tf.float32),
        ]
        return loaded(batches, steps, self.batch, signature)

    def in_order(self, batch_size: int) -> tf.data.Dataset:
        return self.dataset(lambda: in_order(self.count, batch_size), -(-self.count // batch_size))


def make_source(
    store: ImageCache, sizes: dict[str, tuple[int, int]], anchors: np.ndarray, seed: int, augmentation: Any = None
) -> DetectionSource:
    """A source of the samples that the store could read."""
    labels = [np.array(sample.labels, dtype=np.int64) for sample in store.samples]
    boxes = boxes_in_input(store.samples, sizes, store.image_size)
    return DetectionSource(store, boxes, labels, anchors, seed, augmentation)
