"""The weights that a detector starts with: of a pretrained backbone, or of an earlier detector."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import keras

from vision.detection.networks import MOBILENETS, NORMALIZE_IMAGENET, SYMMETRIC, Scaling
from vision.training.errors import WeightsError


def scaling_for(path: Path) -> Scaling:
    """How pretrained weights expect pixels: the file of MobileNetV2 as -1..1, presets by ImageNet's statistics."""
    return SYMMETRIC if path.suffix == ".h5" else NORMALIZE_IMAGENET


def load_backbone(model: keras.Model, name: str, path: Path) -> None:
    """Give the backbone pretrained weights: a file of `keras.applications`, or the folder of a KerasHub preset.

    Args:
        name: the backbone's, as `build_retinanet` takes it.

    Raises:
        WeightsError: they are damaged, or of another network.
    """
    if name in MOBILENETS:
        _load_file(model, path)
    else:
        load_preset(model, path)


def _load_file(model: keras.Model, path: Path) -> None:
    try:
        model.get_layer("backbone").load_weights(path)
    except (ValueError, OSError, KeyError) as error:
        raise WeightsError(
            f"The weights file {path.name} cannot be read as weights of {model.name}: {error}. Replace it, or choose "
            "weights=none."
        ) from error


def load_preset(model: keras.Model, folder: Path) -> None:
    """Give the backbone the weights of a KerasHub preset: of the backbone itself, or of a RetinaNet around it.

    Raises:
        WeightsError: the folder is damaged, or of another network.
    """
    import keras_hub

    try:
        preset = keras_hub.models.Backbone.from_preset(str(folder))
    except (ValueError, TypeError, OSError, KeyError) as error:
        raise WeightsError(f"The weights in {folder.name} cannot be read: {error}. Copy the folder again.") from error
    own, other = model.get_layer("backbone").weights, getattr(preset, "image_encoder", preset).weights
    # A preset may go on after what the pyramid needs.
    if len(other) < len(own) or any(a.shape != b.shape for a, b in zip(own, other, strict=False)):
        raise WeightsError(f"The weights in {folder.name} are of another network than {model.name}.")
    for mine, theirs in zip(own, other, strict=False):
        mine.assign(theirs)


def load_earlier(path: Path) -> keras.Model:
    """A detector from a `.keras` file that `export_keras` wrote.

    Raises:
        WeightsError: the file is damaged.
    """
    import keras_hub  # noqa: F401 - registers the layers of its backbones

    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, OSError, KeyError) as error:
        raise WeightsError(f"The base model's file cannot be read: {error}. Choose another base model.") from error


def scaling_of(model: keras.Model) -> Scaling:
    """How a detector scales its pixels."""
    rescale = model.get_layer("rescale")
    return Scaling(rescale.scale, rescale.offset)


def load_matching_weights(model: keras.Model, earlier: keras.Model) -> float:
    """Give the model the weights of an earlier one of its architecture, without the outputs of labels:
    `transfer_label_weights` knows which of them are the same.

    Returns:
        The share of the model's weights that were taken, 0 to 1.

    Raises:
        WeightsError: it is of another architecture.
    """
    if len(earlier.weights) != len(model.weights):
        raise WeightsError("The base model is of another architecture. Choose one of the same architecture.")
    outputs = {id(weight) for weight in model.get_layer("label_head").get_layer("output").weights}
    taken = total = 0
    for own, other in zip(model.weights, earlier.weights, strict=True):
        if id(own) in outputs:
            continue
        total += math.prod(own.shape)
        if own.shape == other.shape:
            own.assign(other)
            taken += math.prod(own.shape)
    return taken / total


def transfer_label_weights(
    model: keras.Model, earlier: keras.Model, names: Sequence[str], earlier_names: Sequence[str]
) -> int:
    """Give the label head what an earlier one knows of the labels that both have. Returns how many there are.

    The outputs of a cell are those of its first anchor for all labels, then of the second…
    """
    kept = [name for name in names if name in earlier_names]
    own, other = (network.get_layer("label_head").get_layer("output") for network in (model, earlier))
    if not kept or other.bias.shape[-1] % len(earlier_names) or own.bias.shape[-1] % len(names):
        return 0
    weights = []
    for mine, theirs in zip(own.get_weights(), other.get_weights(), strict=True):
        new = mine.reshape(*mine.shape[:-1], -1, len(names)).copy()
        old = theirs.reshape(*theirs.shape[:-1], -1, len(earlier_names))
        if new.shape[:-1] != old.shape[:-1]:
            return 0
        for index, name in enumerate(names):
            if name in kept:
                new[..., index] = old[..., list(earlier_names).index(name)]
        weights.append(new.reshape(mine.shape))
    own.set_weights(weights)
    return len(kept)
