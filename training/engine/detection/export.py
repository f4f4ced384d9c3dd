"""Files of a trained detector."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from inference.runtime.boxes import AnchorShapes, anchors_for
from training.engine.detection.graph import detections_graph


class DetectionsLayer(keras.layers.Layer):
    """`detections_graph` as a layer."""

    def __init__(self, anchors: np.ndarray, image_size: tuple[int, int], iou_threshold: float, **options) -> None:
        super().__init__(**options)
        self._arguments = (anchors, image_size, iou_threshold)

    def call(self, raw):
        return detections_graph(raw, *self._arguments)


def export_keras(model: keras.Model, path: Path) -> None:
    """The `.keras` archive: graph and weights, no optimizer. Its output is raw; loading it needs `keras_hub`."""
    keras.Model(model.inputs, model.outputs, name=model.name).save(path)


def export_litert(model: keras.Model, path: Path, shapes: AnchorShapes, iou_threshold: float) -> None:
    """A LiteRT file that is usable alone, with float32 weights.

    Input: `(1, height, width, 3)` float32 RGB 0..255, letterboxed. Outputs: `boxes` `(100, 4)` float32
    `x_min, y_min, x_max, y_max` in pixels of the input, `scores` `(100,)`, `labels` `(100,)` int32, `count`: how many
    of them are real; and `raw` `(1, anchors, 4 + labels)` for those who decode by themselves.
    """
    size = (int(model.input_shape[1]), int(model.input_shape[2]))
    image = keras.Input((*size, 3), batch_size=1, name="image")
    anchors = anchors_for(size, shapes)
    outputs = DetectionsLayer(anchors, size, iou_threshold, name="detections")(model(image))
    alone = keras.Model(image, outputs, name=model.name)
    path.write_bytes(tf.lite.TFLiteConverter.from_keras_model(alone).convert())
