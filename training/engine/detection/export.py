"""Files of a trained detector, proved against Keras on real images."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from inference.runtime.interpreters import LiteRTNetwork
from training.engine.errors import ExportError

LITERT_TOLERANCE = 1e-3


def export_keras(model: keras.Model, path: Path) -> None:
    """The `.keras` archive: graph and weights, no optimizer."""
    keras.Model(model.inputs, model.outputs, name=model.name).save(path)


def export_litert(model: keras.Model, path: Path) -> None:
    """A LiteRT file with float32 weights: `(1, height, width, 3)` float32 RGB 0..255 → `(1, anchors, 4 + labels)`."""
    model.export(path, format="litert", verbose=False)


def check_litert(path: Path, images: np.ndarray, model: keras.Model) -> float:
    """The largest difference of an offset or a logit on `images` `(count, height, width, 3)` uint8.

    Raises:
        ExportError: it is above 1e-3.
    """
    expected = np.asarray(model(images.astype(np.float32), training=False))
    runtime = LiteRTNetwork(path, max_interpreters=1)
    actual = np.stack([runtime.run(image) for image in images])
    difference = float(np.abs(actual - expected).max())
    if not difference <= LITERT_TOLERANCE:
        raise ExportError(
            f"The exported LiteRT file differs from the trained model by {difference:.2e} (at most "
            f"{LITERT_TOLERANCE:.0e} is allowed), so it is not offered. Please report this with the training's log."
        )
    return difference
