"""Starting a classifier from an earlier one: all but its last layer becomes the backbone of the new network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import layers

from vision.keras_internals import inputs_of, operation_of
from vision.training.errors import WeightsError

# The last maps of a network know what its own labels ask for; what others ask for may still be there in earlier ones
# (Yosinski et al. 2014; Evci et al. 2022, "Head2Toe"). So many of them, evenly over the depth, become features too.
EARLIER_MAPS = 5
COARSE = 8  # pixels for a cell of a map that is looked at
ACTIVATIONS = (layers.Activation, layers.ReLU, layers.LeakyReLU, layers.PReLU, layers.ELU, layers.Add)
# What may stand between the last layer with weights and the output, or between that layer and its features.
BETWEEN = (layers.Softmax, layers.Activation, layers.Flatten, layers.Reshape, layers.Dropout, layers.Identity)


def backbone_of(path: Path) -> keras.Model:
    """The features of a classifier from a `.keras` file of the studio.

    Returns:
        `(batch, height, width, 3)` float32 RGB 0..255 → `(batch, features)` float32.

    Raises:
        WeightsError: the file is damaged, or the network does not end in a layer that tells labels apart.
    """
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, OSError, KeyError) as error:
        raise WeightsError(f"The base model's file cannot be read: {error}. Choose another base model.") from error
    tensor = _last_given(model.outputs[0])
    features = tensor
    if len(features.shape) == 4:
        features = layers.GlobalAveragePooling2D(name="features_pool", dtype="float32")(features)
    if len(features.shape) != 2:
        raise WeightsError("The base model's last layer has no plain features in front of it. Choose another one.")
    pooled = [
        layers.GlobalAveragePooling2D(name=f"earlier_pool_{number}", dtype="float32")(maps)
        for number, maps in enumerate(_earlier_maps(model, tensor))
    ]
    if pooled:
        features = layers.Concatenate(name="features")([*pooled, features])
    return keras.Model(model.inputs, features, name="earlier_features")


@dataclass(frozen=True)
class EarlierHead:
    """The last layer of an earlier classifier, on features as its backbone gives them.

    Attributes:
        kernel: `(features, labels)` float32, for features with mean 0 and deviation 1 by the two below.
        bias: `(labels,)` float32.
        mean, deviation: `(features,)` float32.
    """

    kernel: np.ndarray
    bias: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray


def head_of(path: Path) -> EarlierHead | None:
    """What a classifier knows of its labels; None when it is not one layer on the features of `backbone_of`."""
    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    tensor = model.outputs[0]
    while not isinstance(_source(tensor)[0], keras.Model) and not _tells_apart(_source(tensor)[0]):
        tensor = _source(tensor)[1]
    last, norm = _source(tensor)[0], None
    if isinstance(last, keras.Model):
        parts = [layer for layer in last.layers if layer.weights]
        norm = parts[0] if len(parts) == 2 and isinstance(parts[0], layers.BatchNormalization) else None
        if len(parts) > 2 or (len(parts) == 2 and (norm is None or norm.scale or norm.center)):
            return None
        last = parts[-1]
    if not _tells_apart(last):
        return None
    kernel = np.asarray(last.kernel).reshape(-1, last.kernel.shape[-1])
    bias = np.zeros(kernel.shape[1], np.float32) if last.bias is None else np.asarray(last.bias)
    mean, deviation = np.zeros(len(kernel), np.float32), np.ones(len(kernel), np.float32)
    if norm is not None:
        mean, variance = (np.asarray(weight) for weight in (norm.moving_mean, norm.moving_variance))
        deviation = np.sqrt(variance + norm.epsilon)
    return EarlierHead(kernel, bias, mean, deviation)


def keep_head_rows(head: keras.Model, start: Path, names: Sequence[str], earlier_names: Sequence[str]) -> int:
    """As `transfer_head_rows`, of the classifier in a file; 0 where it has no such head."""
    earlier = head_of(start)
    return 0 if earlier is None else transfer_head_rows(head, earlier, names, earlier_names)


def transfer_head_rows(
    head: keras.Model, earlier: EarlierHead, names: Sequence[str], earlier_names: Sequence[str]
) -> int:
    """Let a new head say of the labels that it shares with an earlier one what that said, before it learns.

    The features of the earlier head are the last ones of the new head; they were perhaps standardised with other
    statistics, so the rows are put into the new ones. New labels begin with nothing.

    Args:
        head: with its statistics set, see `networks.standardize`.

    Returns:
        How many rows were kept; 0 when the features do not fit.
    """
    dense, norm = head.get_layer("probabilities"), head.get_layer("standardize")
    kernel, bias = (np.array(weight) for weight in dense.get_weights())
    offset = len(kernel) - len(earlier.kernel)
    kept = [name for name in names if name in earlier_names]
    if offset < 0 or not kept or earlier.kernel.shape[1] != len(earlier_names):
        return 0
    mean, variance = (np.asarray(weight)[offset:] for weight in norm.get_weights())
    deviation = np.sqrt(variance + norm.epsilon)
    kernel[:] = 0
    for column, name in enumerate(names):
        if name in earlier_names:
            row = earlier.kernel[:, earlier_names.index(name)] / earlier.deviation
            kernel[offset:, column] = row * deviation
            bias[column] = earlier.bias[earlier_names.index(name)] + row @ (mean - earlier.mean)
    others = [column for column, name in enumerate(names) if name not in earlier_names]
    bias[others] = np.mean([bias[column] for column, name in enumerate(names) if name in earlier_names])
    dense.set_weights([kernel, bias])
    return len(kept)


def _earlier_maps(model: keras.Model, last: keras.KerasTensor) -> list[keras.KerasTensor]:
    """Maps from all over a flat network, none of one whose features are ready (its backbone is a layer of it)."""
    if isinstance(operation_of(last), keras.Model):
        return []
    side = model.inputs[0].shape[1]
    maps = [
        layer.output
        for layer in model.layers
        if isinstance(layer, ACTIVATIONS) and len(layer.output.shape) == 4 and side / layer.output.shape[1] >= COARSE
    ]
    step = max(1, len(maps) // EARLIER_MAPS)
    return maps[::-1][step::step][: EARLIER_MAPS - 1]


def _last_given(tensor: keras.KerasTensor) -> keras.KerasTensor:
    """The tensor that the last layer with weights of its own gets."""
    while True:
        operation, given = _source(tensor)
        if isinstance(operation, keras.Model) or _tells_apart(operation):
            break
        if not isinstance(operation, BETWEEN):
            raise WeightsError(
                f"The base model ends in {type(operation).__name__}, which cannot be replaced by new labels. Choose "
                "another base model."
            )
        tensor = given
    tensor = given
    while isinstance(_source(tensor)[0], (layers.Dropout, layers.Identity)):
        tensor = _source(tensor)[1]
    return tensor


def _tells_apart(operation: keras.Operation) -> bool:
    # The two outputs that the studio made of one are no layer that learned anything.
    is_dense = isinstance(operation, layers.Dense) and operation.trainable
    return is_dense or (isinstance(operation, layers.Conv2D) and operation.kernel_size == (1, 1))


def _source(tensor: keras.KerasTensor) -> tuple:
    """The operation that made a tensor, and what it was given."""
    given = inputs_of(tensor)
    if len(given) != 1:
        raise WeightsError("The base model ends in parallel branches. Choose another base model.")
    return operation_of(tensor), given[0]
