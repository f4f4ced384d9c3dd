"""Writing a temperature into a trained classifier, so that every file made of it has it."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from vision.analysis.calibration import SOFTMAX, Calibration, Link, link_of, reason_against
from vision.keras_internals import inputs_of, operation_of

# What may stand between the layer that gives the logits and the activation: of logits that are divided it gives the
# same, divided.
BETWEEN = (layers.Flatten, layers.Reshape, layers.Dropout, layers.Identity, layers.GlobalAveragePooling2D)
TOLERANCE = 1e-4
NO_LOGITS = (
    "The network's last layer is none whose weights give logits. End it in a Dense layer of its own with softmax, or "
    "with sigmoid for several labels an image."
)


def calibrate(
    model: keras.Model,
    inputs: np.ndarray,
    probabilities: dict[str, np.ndarray],
    labels: dict[str, np.ndarray],
) -> tuple[dict[str, np.ndarray], Calibration]:
    """Fit a temperature on the validation split and divide the model's logits by it: kernel and bias of its last layer.

    No answer changes, only how sure it is.

    Args:
        inputs: some inputs of the model: of these it must say after the change what follows from what it said before.
        probabilities: of each split, `(images, labels)` float32.
        labels: of each split, `(images,)` int, or `(images, labels)` of 0 and 1 where an image has several.

    Returns:
        The probabilities as the model gives them now, and what was done.
    """
    validation = probabilities["validation"]
    link = link_of(labels["validation"])
    error = _error(link, probabilities["test"], labels["test"])
    reason = reason_against(len(validation))
    if not reason:
        temperature = link.fit(validation, labels["validation"])
        if scale_logits(model, temperature, inputs, link):
            after = {split: link.scaled(rows, temperature) for split, rows in probabilities.items()}
            return after, Calibration(temperature, len(validation), error, _error(link, after["test"], labels["test"]))
        reason = NO_LOGITS
    return probabilities, Calibration(1.0, len(validation), error, error, reason)


def scale_logits(model: keras.Model, temperature: float, inputs: np.ndarray, link: Link = SOFTMAX) -> bool:
    """Divide the logits by the temperature. False where that is not possible; the model is then as it was."""
    layer = _logits_layer(model, link.activation)
    if layer is None:
        return False
    inputs = inputs.astype(np.float32)
    wanted = link.scaled(np.asarray(model(inputs, training=False), np.float32), temperature)
    weights = layer.get_weights()
    layer.set_weights([weight / temperature for weight in weights])
    # A layer that is used twice, or whose weights others have, changes more than the logits.
    if np.abs(np.asarray(model(inputs, training=False), np.float32) - wanted).max(initial=0) <= TOLERANCE:
        return True
    layer.set_weights(weights)
    return False


def _logits_layer(model: keras.Model, activation: str) -> keras.layers.Layer | None:
    tensor = model.outputs[0]
    operation = operation_of(tensor)
    if isinstance(operation, keras.Model):
        return _logits_layer(operation, activation)
    if _gives_logits(operation, activation):
        return operation
    is_softmax = activation == "softmax" and isinstance(operation, layers.Softmax)
    is_activation = is_softmax or _activation_of(operation) == activation
    while is_activation or isinstance(operation, BETWEEN):
        is_activation = False
        (tensor,) = inputs_of(tensor)
        operation = operation_of(tensor)
        if _gives_logits(operation, "linear"):
            return operation
    return None


def _gives_logits(operation: keras.Operation, activation: str) -> bool:
    return isinstance(operation, (layers.Dense, layers.Conv2D)) and _activation_of(operation) == activation


def _activation_of(operation: keras.Operation) -> str:
    return getattr(getattr(operation, "activation", None), "__name__", "")


def _error(link: Link, probabilities: np.ndarray, labels: np.ndarray) -> float | None:
    return link.error(probabilities, labels) if len(labels) else None
