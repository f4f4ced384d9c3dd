"""Files of a trained model. Each export is verified against Keras on real images before it is offered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from vision.runtime.interpreters import LiteRTClassifier
from vision.training.errors import ExportError
from vision.training.litert import write_litert

LITERT_TOLERANCE = 1e-4


def export_keras(model: keras.Model, path: Path) -> None:
    """The `.keras` archive: graph and weights, no optimizer, no augmentation."""
    inference = keras.Model(model.inputs, model.outputs, name=model.name)
    inference.save(path)


def export_litert(model: keras.Model, path: Path) -> None:
    """A LiteRT file with float32 weights; input `(1, height, width, 3)` float32 RGB 0..255, output probabilities."""
    exact = _float32_copy(model)
    signature = tf.TensorSpec((None, *exact.input_shape[1:]), tf.float32, name="image")
    write_litert(path, lambda image: exact(image, training=False), exact, signature)


def check_litert(path: Path, images: np.ndarray, expected: np.ndarray) -> float:
    """Run the exported file and compare.

    Args:
        images: `(count, height, width, 3)` uint8.
        expected: `(count, classes)` float32 probabilities of the Keras model on them.

    Returns:
        The largest absolute difference of a probability.

    Raises:
        ExportError: it is above 1e-4.
    """
    runtime = LiteRTClassifier(path, max_interpreters=1)
    actual = np.stack([runtime.predict(image) for image in images])
    difference = float(np.abs(actual - expected).max())
    if not difference <= LITERT_TOLERANCE:
        raise ExportError(
            f"The exported LiteRT file differs from the trained model by {difference:.2e} (at most "
            f"{LITERT_TOLERANCE:.0e} is allowed), so it is not offered. Please report this with the training's log."
        )
    return difference


def _float32_copy(model: keras.Model) -> keras.Model:
    """The model itself, or its float32 twin when it was trained in mixed precision."""
    if keras.mixed_precision.dtype_policy().compute_dtype == "float32":
        return model
    configuration = _without_mixed_precision(model.get_config())
    copy = keras.Model.from_config(configuration)
    copy.set_weights(model.get_weights())
    return copy


def _without_mixed_precision(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get("class_name") == "DTypePolicy":
            return {**value, "config": {"name": "float32"}}
        return {key: _without_mixed_precision(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_without_mixed_precision(item) for item in value)
    return "float32" if value == "mixed_float16" else value
