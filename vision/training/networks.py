"""Building networks with the Keras functional API. Inputs are float32 RGB in 0..255; rescaling is in the graph."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import layers

from vision.keras_internals import all_layers
from vision.training.architectures import find_weights
from vision.training.base_model import backbone_of
from vision.training.checked_networks import custom_network
from vision.training.configuration import Configuration, augmentation_strength
from vision.training.errors import WeightsError

MAX_CUSTOM_PARAMETERS = 100_000_000
# Layers that put pixels into the values a backbone was trained on; they have nothing to learn.
PREPARATIONS = ("rgb_to_centred_bgr", "prepare_rgb_to_bgr")
BLOCK_FILTERS = (16, 32, 64, 128)
IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of pixels 0..1


@dataclass(frozen=True)
class Network:
    """A classifier and, for transfer learning, its two parts, which share their weights with it.

    Attributes:
        model: `(batch, height, width, 3)` float32 RGB 0..255 → `(batch, classes)` float32 probabilities.
        backbone: the same input → `(batch, features)` float32; None when the network is one piece.
        head: `(batch, features)` → `(batch, classes)`; None when the network is one piece.
    """

    model: keras.Model
    backbone: keras.Model | None = None
    head: keras.Model | None = None


def build_network(
    configuration: Configuration, num_classes: int, start: Path | None = None, activation: str = "softmax"
) -> Network:
    """Build the network of a resolved configuration, with its pretrained weights loaded.

    Args:
        configuration: a resolved configuration.
        num_classes: number of labels, at least 2; 1 is enough with `sigmoid`.
        start: the `.keras` file of the classifier to start from, with `weights="base"`.
        activation: of the last layer: `softmax` for one label an image, `sigmoid` for none to many.

    Raises:
        ValueError: there are fewer labels.
        WeightsError: the weights file is damaged or of another network.
        UploadError: a network of the user's own is too large or does not fit.
    """
    fewest = 2 if activation == "softmax" else 1
    if num_classes < fewest:
        raise ValueError(f"num_classes must be at least {fewest}, received {num_classes}")
    shape = (configuration.image_size, configuration.image_size, 3)
    if configuration.weights == "base":
        assert start is not None
        return _with_head(backbone_of(start), shape, num_classes, configuration, activation)
    if configuration.architecture == "custom":
        assert configuration.network is not None  # `resolved` has looked
        size, limit = configuration.image_size, MAX_CUSTOM_PARAMETERS
        return Network(model=custom_network(configuration.network, size, num_classes, limit, activation))
    if configuration.architecture == "small_cnn":
        return Network(model=_small_cnn(shape, num_classes, configuration, activation))
    return _with_head(_backbone(shape, configuration), shape, num_classes, configuration, activation)


def _small_cnn(
    shape: tuple[int, int, int], num_classes: int, configuration: Configuration, activation: str
) -> keras.Model:
    """Blocks of two 3 × 3 convolutions with batch normalisation, as in VGG (Simonyan and Zisserman 2015)."""
    image = keras.Input(shape, name="image", dtype="float32")
    x = layers.Rescaling(1 / 127.5, offset=-1, name="rescale")(image)
    for block, filters in enumerate(BLOCK_FILTERS, start=1):
        for part in (1, 2):
            name = f"block{block}_conv{part}"
            x = layers.Conv2D(filters, 3, padding="same", use_bias=False, kernel_initializer="he_normal", name=name)(x)
            x = layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)
            x = layers.ReLU(name=f"{name}_relu")(x)
        if block < len(BLOCK_FILTERS):
            x = layers.MaxPooling2D(name=f"block{block}_pool")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(configuration.dropout, name="dropout")(x)
    probabilities = layers.Dense(num_classes, activation=activation, dtype="float32", name="probabilities")(x)
    return keras.Model(image, probabilities, name="small_cnn")


def _with_head(
    backbone: keras.Model,
    shape: tuple[int, int, int],
    num_classes: int,
    configuration: Configuration,
    activation: str = "softmax",
) -> Network:
    features = keras.Input(backbone.output_shape[1:], name="features")
    x = features
    if configuration.uses_pretrained:
        # Frozen, with the statistics of the training features: every feature counts alike (see standardize).
        x = layers.BatchNormalization(center=False, scale=False, epsilon=1e-4, trainable=False, name="standardize")(x)
    x = layers.Dropout(configuration.dropout, name="dropout")(x)
    x = layers.Dense(num_classes, activation=activation, dtype="float32", name="probabilities")(x)
    head = keras.Model(features, x, name="head")
    image = keras.Input(shape, name="image", dtype="float32")
    model = keras.Model(image, head(backbone(image)), name=configuration.architecture)
    return Network(model=model, backbone=backbone, head=head)


def pretrained_backbone(architecture: str, image_size: int) -> keras.Model:
    """A backbone with ImageNet weights, as trainings use it frozen: `(batch, size, size, 3)` → `(batch, features)`.

    Raises:
        WeightsError: the weights are not on this machine, or damaged.
    """
    configuration = Configuration(architecture=architecture, image_size=image_size, weights="imagenet").resolved()
    return _backbone((image_size, image_size, 3), configuration)


def _backbone(shape: tuple[int, int, int], configuration: Configuration) -> keras.Model:
    applications = keras.applications
    image = keras.Input(shape, name="image", dtype="float32")
    common = {"input_shape": shape, "include_top": False, "weights": None}
    name = configuration.architecture
    if name in ("mobilenet_v2", "mobilenet_v2_035"):
        body = applications.MobileNetV2(alpha=0.35 if name.endswith("035") else 1.0, **common)
        x = layers.Rescaling(1 / 127.5, offset=-1, name="rescale")(image)
    elif name == "mobilenet_v3_small":
        body = applications.MobileNetV3Small(include_preprocessing=True, **common)
        x = image
    elif name == "efficientnet_v2_b0":
        body = applications.EfficientNetV2B0(include_preprocessing=True, **common)
        x = image
    elif name in ("resnet50", "resnet101"):
        body = (applications.ResNet50 if name == "resnet50" else applications.ResNet101)(**common)
        x = caffe_preprocessing(image)
    else:
        raise ValueError(f"architecture {name!r} has no backbone")
    if configuration.uses_pretrained:
        _load_weights(body, configuration)
    body = keras.Model(body.inputs, [_middle_of(body), body.output], name=body.name)
    pools = ("middle_pool", "pool")
    pooled = [
        layers.GlobalAveragePooling2D(name=pool, dtype="float32")(maps)
        for pool, maps in zip(pools, body(x), strict=True)
    ]
    return keras.Model(image, layers.Concatenate(name="features")(pooled), name=f"{name}_features")


def _middle_of(body: keras.Model) -> keras.KerasTensor:
    """The last feature maps before the backbone halves its resolution for the last time (stride 16).

    The last maps of a backbone know what ImageNet asks for; textures and shapes that it does not ask for are still
    there a stage earlier (Yosinski et al. 2014; Evci et al. 2022, "Head2Toe").
    """
    side = body.output.shape[1]
    larger = [
        layer.output
        for layer in body.layers
        if len(layer.output.shape) == 4 and layer.output.shape[1] > side and not isinstance(layer, layers.ZeroPadding2D)
    ]
    return larger[-1]


def caffe_preprocessing(image: keras.KerasTensor) -> keras.KerasTensor:
    """BGR minus the ImageNet mean, as the ResNet weights expect it, in layers that every export knows."""
    blue_green_red = layers.Conv2D(
        3,
        1,
        name="rgb_to_centred_bgr",
        trainable=False,
        dtype="float32",
        kernel_initializer=keras.initializers.Constant([[[[0.0, 0, 1], [0, 1, 0], [1, 0, 0]]]]),
        bias_initializer=keras.initializers.Constant([-103.939, -116.779, -123.68]),
    )
    return blue_green_red(image)


def _load_weights(body: keras.Model, configuration: Configuration) -> None:
    path = find_weights(configuration.spec)
    if path is None:
        raise WeightsError(f"The ImageNet weights of {configuration.architecture} are no longer on this machine.")
    try:
        body.load_weights(path)
    except (ValueError, OSError, KeyError) as error:
        raise WeightsError(
            f"The weights file {path.name} cannot be read as weights of {configuration.architecture}: {error}. "
            "Replace it, or choose weights=none."
        ) from error


def standardize(network: Network, mean: np.ndarray, variance: np.ndarray) -> None:
    """Let the head see features with mean 0 and variance 1.

    Args:
        mean, variance: `(features,)` float32, over the training images.
    """
    assert network.head is not None
    network.head.get_layer("standardize").set_weights([mean, variance])


def freeze_backbone(network: Network) -> None:
    assert network.backbone is not None
    network.backbone.trainable = False


def unfreeze_backbone(network: Network) -> None:
    """Make the backbone trainable except batch normalisation, whose statistics a small set would spoil."""
    assert network.backbone is not None
    network.backbone.trainable = True
    for layer in all_layers(network.backbone):
        if isinstance(layer, layers.BatchNormalization) or layer.name in PREPARATIONS:
            layer.trainable = False


def augmentation_layers(configuration: Configuration) -> list[keras.layers.Layer]:
    """Random changes of a `(batch, height, width, 3)` 0..255 batch; empty when there are none."""
    strength = augmentation_strength(configuration)
    seed = configuration.seed
    chain: list[keras.layers.Layer] = []
    if strength.flip != "none":
        chain.append(layers.RandomFlip(strength.flip, seed=seed + 1, name="augment_flip"))
    if strength.rotation:
        chain.append(
            layers.RandomRotation(strength.rotation, fill_mode="reflect", seed=seed + 2, name="augment_rotation")
        )
    if strength.zoom:
        chain.append(
            layers.RandomZoom((-strength.zoom, strength.zoom), fill_mode="reflect", seed=seed + 3, name="augment_zoom")
        )
    if strength.contrast:
        chain.append(
            layers.RandomContrast(strength.contrast, value_range=(0, 255), seed=seed + 4, name="augment_contrast")
        )
    return chain


def with_augmentation(model: keras.Model, configuration: Configuration) -> keras.Model:
    """The model behind its augmentation, for training only; it shares all weights with `model`."""
    chain = augmentation_layers(configuration)
    if not chain:
        return model
    image = keras.Input(model.input_shape[1:], name="image", dtype="float32")
    x = image
    for layer in chain:
        x = layer(x)
    return keras.Model(image, model(x), name=f"{model.name}_with_augmentation")
