"""A function with its weights as a SavedModel and as a LiteRT file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import tensorflow as tf


class Served(tf.Module):
    """A function and the variables it reads. Keras' own exports write every weight twice (3.15), and each layer."""

    def __init__(self, function: Callable, models: Iterable[Any], signature: tf.TensorSpec) -> None:
        super().__init__()
        variables = [variable for model in models for variable in model.variables]
        # Those of Keras 2 are TensorFlow's own; Keras 3 has them inside of its own.
        self.weights = [variable if isinstance(variable, tf.Variable) else variable.value for variable in variables]
        self.serve = tf.function(function, input_signature=[signature])


def write_litert(path: Path, function: Callable, model: Any, signature: tf.TensorSpec) -> None:
    """A LiteRT file with float32 weights.

    `Model.export` and the converter's `from_keras_model` make the same file in twice to five times the time.

    Args:
        function: the images of `signature` → a tensor, or a dictionary of them whose keys name the file's outputs.
        model: of Keras 3 or 2, with the weights that `function` reads.
    """
    served = Served(function, [model], signature)
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(served, folder, signatures={"serving_default": served.serve})
        path.write_bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())


def write_litert_graph(path: Path, function: Callable, model: Any, signature: tf.TensorSpec) -> None:
    """As `write_litert`, in half of the time and without a signature: no SavedModel is written and read again.

    For files that are run by their only input and output, or become part of another one.
    """
    served = Served(function, [model], signature)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([served.serve.get_concrete_function()], served)
    converter.experimental_lower_to_saved_model = False
    path.write_bytes(converter.convert())
