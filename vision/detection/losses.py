"""The loss of RetinaNet: focal loss of the labels and smooth L1 loss of the offsets (Lin et al. 2017, eq. 5)."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

ALPHA, GAMMA = 0.25, 2.0
SMOOTH_L1_BETA = 0.5


@keras.saving.register_keras_serializable(package="mlstudio")
class RetinaNetLoss(keras.losses.Loss):
    """Both parts, divided by the number of anchors that stand for a box in the batch.

    Args of the call:
        y_true: `(batch, anchors, 5)` float32 from `anchor_targets`.
        y_pred: `(batch, anchors, 4 + labels)` float32: offsets and logits.
    """

    def __init__(self, num_classes: int, name: str = "retinanet_loss", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.num_classes = num_classes

    def call(self, y_true: Any, y_pred: Any) -> Any:
        y_pred = ops.cast(y_pred, "float32")
        code = y_true[..., 4]
        positive = ops.cast(code >= 0, "float32")
        counted = ops.cast(code > -1.5, "float32")
        count = ops.maximum(ops.sum(positive), 1.0)
        labels = ops.one_hot(ops.cast(ops.maximum(code, 0.0), "int32"), self.num_classes) * positive[..., None]
        focal = _focal(labels, y_pred[..., 4:]) * counted[..., None]
        distance = _smooth_l1(y_true[..., :4] - y_pred[..., :4]) * positive[..., None]
        return (ops.sum(focal) + ops.sum(distance)) / count

    def get_config(self) -> dict:
        return {**super().get_config(), "num_classes": self.num_classes}


def _focal(labels: Any, logits: Any) -> Any:
    """From logits, so that nothing overflows."""
    entropy = ops.maximum(logits, 0.0) - logits * labels + ops.log1p(ops.exp(-ops.abs(logits)))
    probability = ops.sigmoid(logits)
    wrong = labels * (1 - probability) + (1 - labels) * probability
    weight = labels * ALPHA + (1 - labels) * (1 - ALPHA)
    return weight * ops.power(wrong, GAMMA) * entropy


def _smooth_l1(difference: Any) -> Any:
    size = ops.abs(difference)
    return ops.where(size < SMOOTH_L1_BETA, 0.5 * size**2 / SMOOTH_L1_BETA, size - 0.5 * SMOOTH_L1_BETA)
