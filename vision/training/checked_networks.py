"""Building networks of checked configurations, without spending memory on one that is too large."""

from __future__ import annotations

import json
import math
from functools import partial

import keras
from keras import layers

from vision.keras_internals import forget_uninitialized_variables, model_of_keras_2, operation_of
from vision.training.allowed_layers import check_network
from vision.training.errors import UploadError

MAX_ACTIVATIONS = 500_000_000


def build_checked(network: dict, max_parameters: int) -> keras.Model:
    """The network of a Keras configuration, with fresh weights.

    Raises:
        UploadError: `forbidden_layer`, `not_a_model`, `too_large`.
    """
    check_size(network, max_parameters)
    return _from_configuration(network)


def check_size(network: dict, max_parameters: int) -> None:
    """Refuse a network that is too large, without memory for its weights: shapes alone say how large it is.

    Raises:
        UploadError: as `build_checked`.
    """
    check_network(network)
    try:
        with keras.StatelessScope(initialize_variables=False):
            _check_sketch(_from_configuration(network), max_parameters)
    finally:
        # Keras would give the sketch's variables their memory after all, at the end of the next scope in this process.
        forget_uninitialized_variables()


def _from_configuration(network: dict) -> keras.Model:
    try:
        # Keras 2 wrote no modules; the reader of its HDF5 files knows such networks.
        build = keras.models.model_from_json if "module" in network else _of_keras_2
        model = build(json.dumps(network))
    except Exception as error:  # whatever a wrong configuration makes of Keras
        raise UploadError("not_a_model", f"Keras cannot build this network: {str(error)[:300]}") from error
    if not model.inputs or not model.outputs:
        raise UploadError("not_a_model", "The network has no input of a known shape: begin it with an InputLayer.")
    return model


def _of_keras_2(text: str) -> keras.Model:
    return model_of_keras_2(json.loads(text))


def _check_sketch(model: keras.Model, max_parameters: int) -> None:
    parameters = sum(math.prod(weight.shape) for weight in model.weights)
    if parameters > max_parameters:
        raise UploadError(
            "too_large", f"The network has {parameters:,} parameters; at most {max_parameters:,} are taken."
        )
    activations = 0
    for layer in model.layers:
        outputs = layer.output if isinstance(layer.output, list) else [layer.output]
        activations += sum(math.prod(side for side in output.shape[1:] if side) for output in outputs)
    if activations > MAX_ACTIVATIONS:
        raise UploadError(
            "too_large",
            f"One image makes {activations:,} numbers in this network; at most {MAX_ACTIVATIONS:,} are taken.",
        )


def custom_network(
    network: dict, image_size: int, num_classes: int, max_parameters: int, activation: str = "softmax"
) -> keras.Model:
    """A classifier of a user's own design: `(batch, size, size, 3)` float32 RGB 0..255 → probabilities.

    Raises:
        UploadError: as `build_checked`; `wrong_input`, `labels_do_not_fit`.
    """
    model = build_checked(network, max_parameters)
    check_image_input(model)
    if tuple(model.input_shape[1:3]) != (image_size, image_size):
        raise UploadError("wrong_input", f"The input is {model.input_shape[1:3]}, received image_size {image_size}.")
    outputs = model.output_shape
    if len(outputs) != 2 or outputs[1] != num_classes:
        raise UploadError(
            "labels_do_not_fit",
            f"The network's output is {outputs}; for the {num_classes} labels of this data it must be "
            f"(None, {num_classes}). Change the units of its last layer.",
        )
    if ends_in(model, (activation,)):
        return model
    if ends_in(model, ("softmax", "sigmoid")):
        raise UploadError(
            "labels_do_not_fit",
            f"The network ends in another activation than {activation}, which this project needs: leave the activation "
            "of its last layer out.",
        )
    last = layers.Softmax if activation == "softmax" else partial(layers.Activation, activation)
    return keras.Model(model.inputs, last(name="probabilities")(model.outputs[0]), name=model.name)


def check_image_input(model: keras.Model) -> None:
    """Raises `UploadError`: `wrong_input`, `wrong_output`."""
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise UploadError(
            "wrong_input" if len(model.inputs) != 1 else "wrong_output",
            f"A classifier has one input, an image, and one output; this network has {len(model.inputs)} and "
            f"{len(model.outputs)}.",
        )
    shape = model.inputs[0].shape
    if len(shape) != 4 or shape[3] != 3:
        raise UploadError(
            "wrong_input",
            f"The input must be an image with 3 channels, (None, height, width, 3); this network's is {tuple(shape)}.",
        )


def ends_in(model: keras.Model, activations: tuple[str, ...]) -> bool:
    """Whether the last layer is known to give what such an activation gives."""
    last = operation_of(model.outputs[0])
    if isinstance(last, keras.Model):
        return ends_in(last, activations)
    if isinstance(last, layers.Softmax):
        return "softmax" in activations
    if isinstance(last, (layers.Flatten, layers.Reshape)):
        source = last.input
        operation = operation_of(source)
        return isinstance(operation, layers.Softmax) and "softmax" in activations
    return getattr(getattr(last, "activation", None), "__name__", "") in activations
