"""Networks of keras-retinanet: built, read from its files, and made to speak as the studio's detectors do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from keras_retinanet import losses, models
from keras_retinanet.models import convert_model
from keras_retinanet.utils.anchors import AnchorParameters

from vision.detection.graph import detections_graph
from vision.runtime.boxes import OFFSET_SCALE, AnchorShapes, anchors_for
from vision.training.errors import WeightsError
from vision.training.litert import write_litert

# Adam's step does not depend on the gradient's size; this is the package's own default against wild ones.
CLIPNORM = 0.001
# A corner moves by this share of the anchor's side for a 1 of the network (keras_retinanet.utils.anchors).
CORNER_SCALE = 0.2
CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)
CAFFE_BACKBONES = ("resnet", "vgg")
# The anchors of the package: 32 px on a level with cells of 8 px, and so on.
DEFAULT_SHAPES = AnchorShapes(3, 7, tuple(4 * 2 ** (step / 3) for step in range(3)), (0.5, 1.0, 2.0))


@dataclass
class PackageNetwork:
    """A network as the package trains and saves it, and the layers of its backbone."""

    model: tf_keras.Model
    backbone: list[tf_keras.layers.Layer]


def build(backbone: str, num_classes: int, shapes: AnchorShapes) -> PackageNetwork:
    """The package's training model without weights from elsewhere.

    Args:
        backbone: its name in the package, such as `resnet50` or `mobilenet224_1.0`.
    """
    seen: list[tf_keras.Model] = []

    def remember(body: tf_keras.Model) -> tf_keras.Model:
        seen.append(body)
        return body

    model = models.backbone(backbone).retinanet(
        num_classes, num_anchors=shapes.per_cell, modifier=remember, pyramid_levels=levels_of(shapes)
    )
    return PackageNetwork(model, list(seen[0].layers))


def levels_of(shapes: AnchorShapes) -> list[int]:
    return list(range(shapes.min_level, shapes.max_level + 1))


def anchor_parameters(shapes: AnchorShapes) -> AnchorParameters:
    """The same anchors in the package's words."""
    strides = [2**level for level in levels_of(shapes)]
    return AnchorParameters(
        sizes=strides,
        strides=strides,
        ratios=np.array(shapes.ratios, np.float32),
        scales=np.array(shapes.sizes, np.float32),
    )


def load_weights(network: PackageNetwork, path: Path) -> None:
    """Weights of an `.h5` file, by the names of the layers; what does not fit stays as it is.

    Raises:
        WeightsError: the file cannot be read.
    """
    try:
        network.model.load_weights(str(path), by_name=True, skip_mismatch=True)
    except (ValueError, OSError, KeyError) as error:
        raise WeightsError(f"The weights in {path.name} cannot be read: {error}. Copy the file again.") from error


def compile_for_training(model: tf_keras.Model, learning_rate: float) -> None:
    """Loss and optimizer of the package's own `train.py`."""
    model.compile(
        loss={"regression": losses.smooth_l1(), "classification": losses.focal()},
        optimizer=tf_keras.optimizers.Adam(learning_rate=learning_rate, clipnorm=CLIPNORM),
    )


def prediction_model(model: tf_keras.Model, shapes: AnchorShapes, **options: Any) -> tf_keras.Model:
    """The package's own inference model (its `convert_model`, with its options): boxes, scores and labels out."""
    return convert_model(model, anchor_params=anchor_parameters(shapes), pyramid_levels=levels_of(shapes), **options)


def raw_model(
    model: tf_keras.Model,
    image_size: tuple[int, int],
    backbone: str,
    *,
    levels: list[int],
    batch_size: int | None = None,
) -> tf_keras.Model:
    """What every detector of the studio is: RGB pixels 0..255 in, offsets and logits out.

    Args:
        model: a training or inference model of the package.
        backbone: decides how the package prepares pixels.
        levels: of its pyramid, fine to coarse.

    Returns:
        `(batch, height, width, 3)` float32 → `(batch, anchors, 4 + labels)` float32, in the order of `anchors_for`.
    """
    image = tf_keras.Input((*image_size, 3), batch_size=batch_size, name="image")
    body = tf_keras.Model(model.inputs, [model.get_layer(f"P{level}").output for level in levels])
    maps = body(_prepared(image, backbone))
    corners, logits = model.get_layer("regression_submodel"), _logits(model.get_layer("classification_submodel"))
    joined = [
        tf_keras.layers.Concatenate(axis=1, name=name)([head(one) for one in maps])
        for name, head in (("corners", corners), ("logits", logits))
    ]
    return tf_keras.Model(image, RawOutput(name="raw")(joined), name="retinanet")


def _prepared(image: tf.Tensor, backbone: str) -> tf.Tensor:
    """Blue first, and scaled as the package does; as a convolution of 1 x 1, which every runtime knows."""
    is_caffe = backbone.startswith(CAFFE_BACKBONES)
    layer = tf_keras.layers.Conv2D(3, 1, name="prepare", trainable=False)
    prepared = layer(image)
    scale, bias = (1.0, [-mean for mean in CAFFE_MEAN_BGR]) if is_caffe else (1 / 127.5, [-1.0] * 3)
    layer.set_weights([np.eye(3, dtype=np.float32)[::-1].reshape(1, 1, 3, 3) * scale, np.array(bias, np.float32)])
    return prepared


def _logits(head: tf_keras.Model) -> tf_keras.Model:
    """The head of labels without its last layer, the sigmoid: scores near 1 keep their order."""
    return tf_keras.Model(head.inputs, head.get_layer("pyramid_classification_reshape").output)


class RawOutput(tf_keras.layers.Layer):
    """Corners that move by shares of the anchor → centre and logarithm of the sides, as `encode_offsets` has them."""

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        corners, logits = inputs
        low, high = corners[..., :2] * CORNER_SCALE, corners[..., 2:] * CORNER_SCALE
        sides = tf.math.log(tf.maximum(1.0 + high - low, 1e-3))
        centres = (low + high) / 2
        return tf.concat([tf.concat([centres, sides], axis=-1) / OFFSET_SCALE, logits], axis=-1)


def export_litert(
    model: tf_keras.Model, path: Path, image_size: tuple[int, int], backbone: str, shapes: AnchorShapes, iou: float
) -> None:
    """A LiteRT file with the inputs and outputs of `vision.detection.export.export_litert`."""
    raw = raw_model(model, image_size, backbone, levels=levels_of(shapes), batch_size=1)
    anchors = anchors_for(image_size, shapes)

    def serve(image: tf.Tensor) -> dict[str, tf.Tensor]:
        return detections_graph(raw(image, training=False), anchors, image_size, iou)

    write_litert(path, serve, raw, tf.TensorSpec((1, *image_size, 3), tf.float32, name="image"))
