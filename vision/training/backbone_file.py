"""A pretrained backbone as a LiteRT file, which gives the features of images without Keras."""

from __future__ import annotations

from pathlib import Path

import keras
import tensorflow as tf

from vision.engine_requests import BackboneRequest
from vision.training.litert import write_litert_graph
from vision.training.networks import pretrained_backbone

FILENAME = "backbone.tflite"


def write_backbone(request: BackboneRequest, folder: Path) -> dict:
    """Write `backbone.tflite`: `(1, size, size, 3)` float32 RGB 0..255 → `(1, features)` float32.

    Returns:
        `path` and `features`, how many there are.

    Raises:
        WeightsError: the weights are not here, or damaged.
    """
    backbone = pretrained_backbone(request.architecture, request.image_size)
    path = folder / FILENAME
    convert_backbone(backbone, path)
    return {"path": str(path), "features": int(backbone.output_shape[-1])}


def convert_backbone(backbone: keras.Model, path: Path) -> None:
    """As `write_backbone`, of a backbone in memory."""
    signature = tf.TensorSpec((None, *backbone.input_shape[1:]), tf.float32, name="image")
    write_litert_graph(path, lambda image: backbone(image, training=False), backbone, signature)
