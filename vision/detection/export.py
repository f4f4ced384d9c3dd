"""Files of a trained detector."""

from __future__ import annotations

from pathlib import Path

import keras
import tensorflow as tf

from vision.detection.graph import detections_graph
from vision.runtime.boxes import AnchorShapes, anchors_for
from vision.training.litert import write_litert


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
    anchors = anchors_for(size, shapes)

    def serve(image: tf.Tensor) -> dict[str, tf.Tensor]:
        return detections_graph(model(image, training=False), anchors, size, iou_threshold)

    write_litert(path, serve, model, tf.TensorSpec((1, *size, 3), tf.float32, name="image"))
