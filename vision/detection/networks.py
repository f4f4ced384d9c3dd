"""RetinaNet networks on backbones of KerasHub and `keras.applications`. Inputs are float32 RGB in 0..255."""

from __future__ import annotations

import math
from typing import NamedTuple

import keras
from keras import layers

from vision.runtime.boxes import AnchorShapes

PRIOR = 0.01
# Pyramid and heads of 128 channels would take three times the work of MobileNetV2 itself.
DEFAULT_FILTERS, FILTERS = 128, {"mobilenet_v2": 64}
GROUPS = 32
BACKBONE_LEVELS = (3, 4, 5)
RESNETS: dict[str, tuple[list[int], list[int], str]] = {
    "resnet18": ([64, 128, 256, 512], [2, 2, 2, 2], "basic_block"),
    "resnet50": ([64, 128, 256, 512], [3, 4, 6, 3], "bottleneck_block"),
    "resnet101": ([64, 128, 256, 512], [3, 4, 23, 3], "bottleneck_block"),
}


# Width by name.
MOBILENETS = {"mobilenet_v2": 1.0}
# Keras' own 0.999 is for a million steps: statistics of a short training would still be those of its first ones.
NORM_MOMENTUM = 0.9
# Feature maps of levels 3 to 5 in MobileNetV2 (strides 8, 16, 32): the widest of each stage, as SSDLite takes them
# (Sandler et al. 2018, section 6.2).
MOBILENET_MAPS = ("block_6_expand_relu", "block_13_expand_relu", "out_relu")


class Scaling(NamedTuple):
    """Pixels 0..255 → what a network expects: `scale * pixel + offset`, one for all channels or one each (RGB)."""

    scale: float | list[float]
    offset: float | list[float]


SYMMETRIC = Scaling(1 / 127.5, -1.0)
# Mean and deviation of ImageNet's pixels, as the weights of timm and torchvision expect them.
NORMALIZE_IMAGENET = Scaling(
    [1 / (255 * deviation) for deviation in (0.229, 0.224, 0.225)], [-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225]
)


def build_retinanet(
    backbone: str,
    image_size: tuple[int, int],
    num_classes: int,
    shapes: AnchorShapes,
    *,
    filters: int | None = None,
    head_convolutions: int = 2,
    scaling: Scaling = SYMMETRIC,
) -> keras.Model:
    """A network without weights from elsewhere.

    Args:
        backbone: `resnet18`, `resnet50`, `resnet101`, `efficientnet_lite0` or `mobilenet_v2`.
        image_size: `(height, width)` of the input in pixels, multiples of 32.
        filters: channels of pyramid and heads (256 in the paper; half of it costs a quarter); None: as many as suit
            the backbone.
        head_convolutions: convolutions before the output of each head (4 in the paper).
        scaling: of pixels, as pretrained weights expect it.

    Returns:
        A functional model: `(batch, height, width, 3)` float32 RGB 0..255 → `(batch, anchors, 4 + num_classes)`
        float32, offsets and logits in the order of `anchors_for`.
    """
    filters = filters or FILTERS.get(backbone, DEFAULT_FILTERS)
    image = keras.Input((*image_size, 3), name="image", dtype="float32")
    x = layers.Rescaling(scaling.scale, offset=scaling.offset, name="rescale")(image)
    features = _features(backbone, image_size)(x)
    pyramid = _pyramid(features, shapes, filters)
    box_head = _head("box_head", filters, head_convolutions, shapes.per_cell * 4)
    # Every anchor begins as background with probability 0.99.
    rare = -math.log((1 - PRIOR) / PRIOR)
    label_head = _head("label_head", filters, head_convolutions, shapes.per_cell * num_classes, rare)
    offsets, logits = [], []
    for level in range(shapes.min_level, shapes.max_level + 1):
        maps = pyramid[level]
        offsets.append(layers.Reshape((-1, 4), name=f"offsets_p{level}")(box_head(maps)))
        logits.append(layers.Reshape((-1, num_classes), name=f"logits_p{level}")(label_head(maps)))
    joined = [layers.Concatenate(axis=1, name=n)(p) for n, p in (("offsets", offsets), ("logits", logits))]
    raw = layers.Concatenate(axis=-1, name="raw", dtype="float32")(joined)
    return keras.Model(image, raw, name=f"retinanet_{backbone}")


def _pyramid(features: dict, shapes: AnchorShapes, filters: int) -> dict[int, keras.KerasTensor]:
    """A feature pyramid (Lin et al. 2017, "Feature Pyramid Networks"), with coarser levels from the last one.

    From plain layers: KerasHub's `FeaturePyramid` tells Keras a wrong shape where a level has an odd side (0.32).
    """

    def convolution(size: int, name: str, strides: int = 1) -> layers.Conv2D:
        return layers.Conv2D(
            filters, size, strides, padding="same", kernel_initializer="VarianceScaling", name=f"pyramid_{name}"
        )

    maps = {level: convolution(1, f"lateral{level}")(features[f"P{level}"]) for level in BACKBONE_LEVELS}
    for level in reversed(BACKBONE_LEVELS[:-1]):
        larger = layers.UpSampling2D(2, name=f"pyramid_upsample{level}")(maps[level + 1])
        maps[level] = layers.Add(name=f"pyramid_merge{level}")([maps[level], larger])
    outputs = {level: convolution(3, f"output{level}")(maps[level]) for level in BACKBONE_LEVELS}
    for level in range(BACKBONE_LEVELS[-1] + 1, shapes.max_level + 1):
        finer = outputs[level - 1]
        if level > BACKBONE_LEVELS[-1] + 1:
            finer = layers.ReLU(name=f"pyramid_relu{level - 1}")(finer)
        outputs[level] = convolution(3, f"coarser{level}", strides=2)(finer)
    return outputs


def _head(name: str, filters: int, convolutions: int, outputs: int, bias: float = 0.0) -> keras.Model:
    """One head for all levels: convolutions with group normalisation, started as in the paper, section 4.1.

    From plain layers: KerasHub's `PredictionHead` cannot be loaded again as a part of a functional model (0.32).
    """
    small = keras.initializers.RandomNormal(stddev=0.01)
    maps = keras.Input((None, None, filters), name="maps")
    x = maps
    for number in range(1, convolutions + 1):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False, kernel_initializer=small, name=f"conv{number}")(x)
        x = layers.GroupNormalization(groups=GROUPS, name=f"norm{number}")(x)
        x = layers.ReLU(name=f"relu{number}")(x)
    start = keras.initializers.Constant(bias)
    x = layers.Conv2D(
        outputs, 3, padding="same", kernel_initializer=small, bias_initializer=start, name="output", dtype="float32"
    )(x)
    return keras.Model(maps, x, name=name)


def _features(name: str, image_size: tuple[int, int]) -> keras.Model:
    """The backbone's maps of levels 3 to 5 by name."""
    if name in RESNETS:
        body = _resnet(name, image_size)
    elif name == "efficientnet_lite0":
        body = _efficientnet_lite0(image_size)
    elif name in MOBILENETS:
        return _mobilenet_v2(name, image_size)
    else:
        names = ", ".join([*RESNETS, "efficientnet_lite0", *MOBILENETS])
        raise ValueError(f"backbone must be one of {names}, received {name!r}")
    outputs = {f"P{level}": body.pyramid_outputs[f"P{level}"] for level in BACKBONE_LEVELS}
    return keras.Model(body.inputs, outputs, name="backbone")


def _mobilenet_v2(name: str, image_size: tuple[int, int]) -> keras.Model:
    body = keras.applications.MobileNetV2(
        input_shape=(*image_size, 3), alpha=MOBILENETS[name], include_top=False, weights=None
    )
    for layer in body.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = NORM_MOMENTUM
    maps = zip(BACKBONE_LEVELS, MOBILENET_MAPS, strict=True)
    return keras.Model(
        body.inputs, {f"P{level}": body.get_layer(layer).output for level, layer in maps}, name="backbone"
    )


def _resnet(name: str, image_size: tuple[int, int]) -> keras.Model:
    import keras_hub

    filters, blocks, kind = RESNETS[name]
    return keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=filters,
        stackwise_num_blocks=blocks,
        stackwise_num_strides=[1, 2, 2, 2],
        block_type=kind,
        image_shape=(*image_size, 3),
    )


def _efficientnet_lite0(image_size: tuple[int, int]) -> keras.Model:
    import keras_hub

    return keras_hub.models.EfficientNetBackbone(
        stackwise_kernel_sizes=[3, 3, 5, 3, 5, 5, 3],
        stackwise_num_repeats=[1, 2, 2, 3, 3, 4, 1],
        stackwise_input_filters=[32, 16, 24, 40, 80, 112, 192],
        stackwise_output_filters=[16, 24, 40, 80, 112, 192, 320],
        stackwise_expansion_ratios=[1, 6, 6, 6, 6, 6, 6],
        stackwise_squeeze_and_excite_ratios=[0.0] * 7,
        stackwise_strides=[1, 2, 2, 2, 1, 2, 1],
        stackwise_block_types=["v1"] * 7,
        width_coefficient=1.0,
        depth_coefficient=1.0,
        activation="relu6",
        input_shape=(*image_size, 3),
    )


def freeze_backbone(model: keras.Model) -> None:
    model.get_layer("backbone").trainable = False


def unfreeze_backbone(model: keras.Model) -> None:
    """All but the batch normalisations, whose statistics small batches would spoil (He et al. 2017, section 3.1)."""
    backbone = model.get_layer("backbone")
    backbone.trainable = True
    for layer in backbone.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.trainable = False


def has_frozen_norms(model: keras.Model) -> bool:
    backbone = model.get_layer("backbone")
    return not any(layer.trainable for layer in backbone.layers if isinstance(layer, layers.BatchNormalization))


def keep_frozen_norms(model: keras.Model, earlier: keras.Model) -> None:
    """Batch normalisations that were frozen in an earlier model of the same architecture stay frozen."""
    for own, other in zip(model.get_layer("backbone").layers, earlier.get_layer("backbone").layers, strict=True):
        if isinstance(own, layers.BatchNormalization):
            own.trainable = other.trainable
