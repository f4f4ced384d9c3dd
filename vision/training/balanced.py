"""Accuracy in which every label counts the same."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class BalancedAccuracy(keras.metrics.Metric):
    """Mean of the recalls of all labels that have images (Brodersen et al. 2010), from one-hot truths."""

    def __init__(self, num_classes: int, name: str = "balanced_accuracy") -> None:
        super().__init__(name=name)
        self.right = self.add_variable((num_classes,), "zeros", name="right")
        self.total = self.add_variable((num_classes,), "zeros", name="total")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true = ops.cast(y_true, self.dtype)
        is_right = ops.cast(ops.equal(ops.argmax(y_true, axis=-1), ops.argmax(y_pred, axis=-1)), self.dtype)
        self.right.assign_add(ops.sum(y_true * is_right[:, None], axis=0))
        self.total.assign_add(ops.sum(y_true, axis=0))

    def result(self) -> Any:
        has_images = ops.cast(self.total > 0, self.dtype)
        recalls = self.right / ops.maximum(self.total, 1.0)
        return ops.sum(recalls * has_images) / ops.maximum(ops.sum(has_images), 1.0)
