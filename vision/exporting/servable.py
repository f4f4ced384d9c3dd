"""A network in the form that other runtimes take: float32 RGB 0..255 in; probabilities, or boxes and raw output out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from vision.detection.graph import detections_graph
from vision.runtime.boxes import AnchorShapes, anchors_for
from vision.training.errors import EngineError
from vision.training.litert import Served

Outputs = Any


@dataclass
class Servable:
    """A loaded network and its functions.

    Attributes:
        input_size: `(height, width)`.
        batch_size: 1 where the function knows one image only, else None.
        serve: `(batch, height, width, 3)` float32 → probabilities `(batch, labels)`, or a detector's outputs by name.
        serve_parts: as `serve`, of a detector its offsets and logits as two outputs: each has its own scale when
            numbers are rounded to int8, and the arithmetic after them stays exact.
        tracked: the networks that have the weights.
        path: the file it was loaded from.
    """

    input_size: tuple[int, int]
    batch_size: int | None
    serve: Callable[[tf.Tensor], Outputs]
    serve_parts: Callable[[tf.Tensor], Outputs]
    tracked: list
    path: Path

    @property
    def is_detector(self) -> bool:
        return self.batch_size == 1

    def signature(self, batch_size: int | None) -> tf.TensorSpec:
        return tf.TensorSpec((batch_size, *self.input_size, 3), tf.float32, name="image")

    def forward(self, pixels: np.ndarray) -> np.ndarray:
        """Probabilities `(labels,)` or raw output `(anchors, 4 + labels)` of one `(height, width, 3)` uint8 image."""
        outputs = self._compiled(tf.constant(pixels[None], tf.float32))
        return np.asarray(outputs["raw"] if self.is_detector else outputs, dtype=np.float32)[0]

    def saved_model(self, batch_size: int | None, *, parts: bool = False) -> Path:
        """Its folder, written once for all kinds of files that are made of it; `close` removes it."""
        folder = Path(self._folder.name) / f"{batch_size}-{parts}"
        if not (folder / "saved_model.pb").exists():
            function = self.serve_parts if parts else self.serve
            served = Served(function, self.tracked, self.signature(batch_size))
            tf.saved_model.save(served, folder, signatures={"serving_default": served.serve, "serve": served.serve})
        return folder

    def close(self) -> None:
        self._folder.cleanup()

    @cached_property
    def _folder(self) -> tempfile.TemporaryDirectory:
        return tempfile.TemporaryDirectory()

    @cached_property
    def _compiled(self) -> Any:
        return tf.function(self.serve, input_signature=[self.signature(1)])


def keras_classifier(path: Path) -> Servable:
    """A classifier from a `.keras` file of the studio.

    Raises:
        EngineError: the file is damaged.
    """
    model = load_keras(path)
    height, width = model.input_shape[1:3]

    def serve(image: tf.Tensor) -> Any:
        return model(image, training=False)

    return Servable((height, width), None, serve, serve, [model], path)


def keras_detector(path: Path, shapes: AnchorShapes, iou_threshold: float) -> Servable:
    """A detector on KerasHub's backbones from a `.keras` file of the studio."""
    import keras_hub  # noqa: F401 - registers the layers of its backbones

    model = load_keras(path)
    size = (int(model.input_shape[1]), int(model.input_shape[2]))
    anchors = anchors_for(size, shapes)
    parts = keras.Model(model.input, {name: model.get_layer(name).output for name in ("offsets", "logits")})

    def serve(image: tf.Tensor) -> Any:
        return detections_graph(model(image, training=False), anchors, size, iou_threshold)

    def serve_parts(image: tf.Tensor) -> Any:
        return parts(image, training=False)

    return Servable(size, 1, serve, serve_parts, [model], path)


def load_keras(path: Path) -> keras.Model:
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, OSError, KeyError) as error:
        raise EngineError(f"The model's Keras file cannot be read: {error}.") from error
