"""Files of a trained model. Each export is verified against Keras on real images before it is offered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from vision.runtime.interpreters import LiteRTClassifier
from vision.training.errors import ExportError
from vision.training.joining import append_head
from vision.training.labels import write_labels
from vision.training.litert import write_litert
from vision.training.networks import Network

LITERT_TOLERANCE = 1e-4


def write_files(
    network: Network,
    class_names: list[str],
    folder: Path,
    *,
    backbone: Path | None,
    images: np.ndarray,
    reported: np.ndarray,
) -> tuple[dict[str, str], float]:
    """Write the `.keras` archive, the LiteRT file and the labels, and compare the LiteRT file with Keras.

    Args:
        backbone: the network's backbone as a LiteRT file: the head is put behind it, and nothing is converted.
        images: `(count, height, width, 3)` uint8 of the test split.
        reported: `(count, classes)` float32, what the figures of the training say of them: the file must agree.

    Returns:
        kind → path, and the largest difference of a probability.

    Raises:
        ExportError: see `check_litert`.
    """
    paths = {
        "keras": folder / "model.keras",
        "litert-float32": folder / "model-float32.tflite",
        "labels": folder / "labels.txt",
    }
    export_keras(network.model, paths["keras"])
    write_labels(paths["labels"], class_names)
    difference = 0.0
    if backbone is None:
        export_litert(network.model, paths["litert-float32"])
    else:
        assert network.head is not None
        export_head_litert(network.head, backbone, paths["litert-float32"])
        by_keras = np.asarray(network.model(images.astype(np.float32), training=False), np.float32)
        difference = check_litert(paths["litert-float32"], images, by_keras)
    difference = max(difference, check_litert(paths["litert-float32"], images, reported))
    return {kind: str(path) for kind, path in paths.items()}, difference


def export_keras(model: keras.Model, path: Path) -> None:
    """The `.keras` archive: graph and weights, no optimizer, no augmentation."""
    inference = keras.Model(model.inputs, model.outputs, name=model.name)
    inference.save(path)


def export_litert(model: keras.Model, path: Path) -> None:
    """A LiteRT file with float32 weights; input `(1, height, width, 3)` float32 RGB 0..255, output probabilities."""
    exact = _float32_copy(model)
    signature = tf.TensorSpec((None, *exact.input_shape[1:]), tf.float32, name="image")
    write_litert(path, lambda image: exact(image, training=False), exact, signature)


def export_head_litert(head: keras.Model, backbone: Path, path: Path) -> None:
    """As `export_litert`, of a head (`networks.Network`) on a backbone that is a LiteRT file already.

    The standardisation becomes part of the layer behind it, in float64: `(x - mean) / deviation` times a kernel is x
    times another kernel, plus another bias.
    """
    norm = head.get_layer("standardize")
    last = head.get_layer("probabilities")
    kernel, bias = (np.asarray(weight, np.float64) for weight in last.get_weights())
    mean, variance = (np.asarray(weight, np.float64) for weight in norm.get_weights())
    kernel /= np.sqrt(variance + norm.epsilon)[:, None]
    append_head(backbone, kernel, bias - mean @ kernel, path, last.activation.__name__)


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
