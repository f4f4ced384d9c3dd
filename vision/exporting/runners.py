"""Each kind of file, run by the runtime that will run it."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from vision.exporting.servable import Servable, load_keras
from vision.runtime.interpreters import LiteRTClassifier, LiteRTDetector
from vision.runtime.kinds import KINDS
from vision.runtime.onnx import OnnxNetwork

# (height, width, 3) uint8 → probabilities (labels,), or raw output (anchors, 4 + labels)
Run = Callable[[np.ndarray], np.ndarray]
THREADS = os.cpu_count() or 1


def runner_of(kind: str, path: Path, servable: Servable) -> Run:
    """A function that runs the file on one image.

    Raises:
        ModelFileError: the runtime cannot load it.
    """
    runtime = KINDS[kind].runtime
    if runtime == "litert":
        network = LiteRTDetector if servable.is_detector else LiteRTClassifier
        return network(path, max_interpreters=1, num_threads=THREADS).run
    if runtime == "onnxruntime":
        return OnnxNetwork(path, num_threads=THREADS).run
    return runner_for(kind, path)


def runner_for(kind: str, path: Path) -> Run:
    """As `runner_of`, for the kinds that TensorFlow runs."""
    return _saved_model(path) if KINDS[kind].runtime == "tensorflow" else _keras(path)


def _saved_model(path: Path) -> Run:
    folder = tempfile.mkdtemp(dir=path.parent)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    loaded = tf.saved_model.load(str(Path(folder) / "saved_model"))
    return lambda pixels: _chosen(loaded.serve(tf.constant(pixels[None], tf.float32)))


def _keras(path: Path) -> Run:
    model = load_keras(path)
    forward = tf.function(lambda image: model(image, training=False), reduce_retracing=True)
    return lambda pixels: _chosen(forward(tf.constant(pixels[None], tf.float32)))


def _chosen(outputs: Any) -> np.ndarray:
    return np.asarray(outputs["raw"] if isinstance(outputs, dict) else outputs, dtype=np.float32)[0]
