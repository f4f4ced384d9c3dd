"""What `fit` is fed with: index batches, read in parallel and in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import tensorflow as tf

Batches = Callable[[], Iterator[tuple[np.ndarray, int]]]


class Feed(Protocol):
    """What a phase is fed with: one split, batch by batch."""

    @property
    def count(self) -> int: ...

    def dataset(self, batches: Batches, steps: int) -> tf.data.Dataset:
        """`steps` batches of what `fit` takes, in order; `batches` yields indices and the number of the epoch."""

    def in_order(self, batch_size: int) -> tf.data.Dataset:
        """The whole split once, unchanged."""


def in_order(count: int, batch_size: int) -> Iterator[tuple[np.ndarray, int]]:
    """Index batches of a split from its first to its last image, as epoch 0."""
    for start in range(0, count, batch_size):
        yield np.arange(start, min(start + batch_size, count)), 0


def loaded(
    batches: Batches, steps: int, read: Callable[[np.ndarray, int], tuple], signature: list[tf.TensorSpec]
) -> tf.data.Dataset:
    """`read(indices, epoch)` for every batch, in parallel and in order, as tensors of `signature`."""

    @tf.autograph.experimental.do_not_convert  # it has nothing to convert, and looking for it takes a while
    def load(indices: tf.Tensor, epoch: tf.Tensor) -> tuple[tf.Tensor, ...]:
        tensors = tf.numpy_function(read, [indices, epoch], [spec.dtype for spec in signature], stateful=False)
        for tensor, spec in zip(tensors, signature, strict=True):
            tensor.set_shape(spec.shape)
        return (tf.cast(tensors[0], tf.float32), *tensors[1:])

    indices = tf.data.Dataset.from_generator(
        batches, output_signature=(tf.TensorSpec((None,), tf.int64), tf.TensorSpec((), tf.int64))
    )
    mapped = indices.map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return mapped.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(2)


@dataclass
class Source:
    """Inputs, targets and weights of one split of a classifier.

    Attributes:
        gather: `(indices,)` → `(batch, …)` uint8 images or float32 features.
        labels: `(count,)` int64, or `(count, num_classes)` float32 of 0 and 1.
        weights: `(count,)` float32.
    """

    gather: Callable[[np.ndarray], np.ndarray]
    labels: np.ndarray
    shape: tuple[int, ...]
    dtype: np.dtype
    num_classes: int
    weights: np.ndarray | None = None

    @property
    def count(self) -> int:
        return len(self.labels)

    def dataset(self, batches: Batches, steps: int) -> tf.data.Dataset:
        """Batches of `(inputs float32, one-hot or multi-hot float32, weight float32)`."""
        weights = np.ones(self.count, np.float32) if self.weights is None else self.weights
        eye = np.eye(self.num_classes, dtype=np.float32)

        def read(indices: np.ndarray, epoch: int) -> tuple:
            labels = self.labels[indices]
            return self.gather(indices), labels if labels.ndim == 2 else eye[labels], weights[indices]

        signature = [
            tf.TensorSpec((None, *self.shape), tf.as_dtype(self.dtype)),
            tf.TensorSpec((None, self.num_classes), tf.float32),
            tf.TensorSpec((None,), tf.float32),
        ]
        return loaded(batches, steps, read, signature)

    def in_order(self, batch_size: int) -> tf.data.Dataset:
        return self.dataset(lambda: in_order(self.count, batch_size), -(-self.count // batch_size))
