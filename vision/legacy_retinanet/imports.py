"""Models that keras-retinanet made elsewhere: read as data, checked, and turned into what the studio serves."""

from __future__ import annotations

import json
import re
from pathlib import Path

import h5py
import numpy as np
import tf_keras
from keras_retinanet.models import backbone as package_backbone

from vision.detection.evaluation import LETTERBOX, NMS_IOU
from vision.detection.verification import check_litert
from vision.imaging.letterbox import load_letterboxed
from vision.imaging.preprocessing import ImageError
from vision.legacy_retinanet.networks import DEFAULT_SHAPES, export_litert, levels_of, raw_model
from vision.model_import.hdf5 import check_hdf5
from vision.model_import.request import PackageAnchors, UploadResult
from vision.runtime.boxes import AnchorShapes
from vision.training.allowed_layers import PARTS, parts_of
from vision.training.errors import EngineError
from vision.training.hooks import TrainingHooks
from vision.training.labels import write_labels
from vision.training.machine import library_versions
from vision.words import counted

# All that the package's networks are made of. A Lambda is code, so a file that has one is not loaded.
LAYERS = {
    "Activation", "Add", "Anchors", "AveragePooling2D", "BatchNormalization", "ClipBoxes", "Concatenate", "Conv2D",
    "DepthwiseConv2D", "Dropout", "FilterDetections", "Functional", "InputLayer", "MaxPooling2D", "Model", "Permute",
    "ReLU", "RegressBoxes", "Reshape", "UpsampleLike", "ZeroPadding2D",
}  # fmt: skip
# How the package begins its head for labels.
OWN_PARTS = {"PriorProbability"}
MODULES = ("keras", "tf_keras", "keras_retinanet", "keras_resnet")
TENSORFLOW_MODULES = ("tensorflow.keras", "tensorflow.python.keras")
MAX_LAYERS = 5000
MAX_BYTES = 4 << 30


class ModelImportError(EngineError):
    """The file cannot be served; `code` says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def import_model(
    path: Path,
    class_names: list[str],
    image_size: tuple[int, int],
    folder: Path,
    *,
    anchors: PackageAnchors | None = None,
    images: list[str],
    hooks: TrainingHooks,
) -> UploadResult:
    """Turn an `.h5` file of the package, from training or converted, into a LiteRT file.

    Args:
        class_names: in the order of the network's outputs.
        image_size: `(height, width)` of the input to serve, multiples of 32.
        anchors: needed when a training model was made with other anchors than the package's own.
        images: paths of images to verify the file on; without any, noise is taken.

    Raises:
        ModelImportError: the file is none of the package's, or does not fit `class_names` or `anchors`.
    """
    configuration = check_configuration(path)
    hooks.log("Reading the model")
    model = load_package_model(path, configuration)
    name, levels = backbone_of(model), _levels(model)
    shapes = _shapes(model, levels, anchors)
    _check_outputs(model, shapes, class_names)
    raw = raw_model(model, image_size, name, levels=levels)
    hooks.log(f"A {name} with {model.count_params():,} parameters; writing its LiteRT file")
    hooks.on_progress("export", 0, 1)
    own, litert, labels = folder / "model.h5", folder / "model.tflite", folder / "labels.txt"
    # What trainings and exports start from is written here; the file that came is read once.
    model.save(own, include_optimizer=False)
    export_litert(model, litert, image_size, name, shapes, NMS_IOU)
    pixels = _images(images, image_size)

    def forward(batch: np.ndarray) -> np.ndarray:
        return raw(batch.astype(np.float32), training=False).numpy()

    difference = check_litert(litert, pixels, forward, shapes, NMS_IOU)
    hooks.log(f"LiteRT file agrees with Keras on {len(pixels)} images to {difference:.1e}")
    write_labels(labels, class_names)
    return UploadResult(
        architecture=f"keras_retinanet_{name}",
        class_names=class_names,
        input_size=image_size,
        files={"keras-h5": str(own), "litert-float32": str(litert), "labels": str(labels)},
        versions=library_versions("tf_keras", "keras-retinanet"),
        parameters=int(model.count_params()),
        litert_difference=difference,
        detector={
            "anchors": shapes.to_dict(),
            "score_threshold": 0.5,
            "label_thresholds": {},
            "iou_threshold": NMS_IOU,
            "letterbox": LETTERBOX,
        },
    )


def check_configuration(path: Path) -> str:
    """The network in a file as JSON; a file that is more than layers of the package is refused before it is built.

    Raises:
        ModelImportError: `not_a_model`, `weights_only`, `unknown_layers`.
        UploadError: as `check_hdf5`.
    """
    check_hdf5(path, MAX_BYTES)
    try:
        with h5py.File(path, "r") as file:
            text = file.attrs.get("model_config")
    except OSError as error:
        raise ModelImportError("not_a_model", "This is no HDF5 file, or a damaged one. Send the .h5 file.") from error
    if text is None:
        raise ModelImportError(
            "weights_only",
            "The file has weights but no network. Send a snapshot of the training or a converted model.",
        )
    try:
        configuration = json.loads(text)
        unknown, count = _unknown(configuration)
    except (ValueError, TypeError, UnicodeDecodeError, RecursionError) as error:
        raise ModelImportError("not_a_model", "The network in this file cannot be read.") from error
    if unknown or not 0 < count <= MAX_LAYERS:
        raise ModelImportError(
            "unknown_layers",
            f"This is no network of keras-retinanet: it has {', '.join(sorted(unknown)[:5]) or 'no usable layers'}.",
        )
    return json.dumps(configuration)


def _unknown(configuration: dict) -> tuple[set[str], int]:
    """Classes that are not taken, wherever they are named, and how many layers there are."""
    unknown, count = set(), 0
    for part in parts_of(configuration, 0):
        name, module = part["class_name"], part.get("module")
        count += name in LAYERS
        if name not in LAYERS | PARTS | OWN_PARTS:
            unknown.add(name[:80])
        if module is not None and str(module).split(".")[0] not in MODULES and module not in TENSORFLOW_MODULES:
            unknown.add(str(module)[:80])
    return unknown, count


def load_package_model(path: Path, configuration: str) -> tf_keras.Model:
    """The model of a file whose configuration was checked.

    Raises:
        ModelImportError: `not_a_model`.
    """
    is_resnet = '"res2a_branch2a"' in configuration
    # Only the ResNets have a batch normalisation of their own under the common name.
    objects = package_backbone("resnet50" if is_resnet else "vgg16").custom_objects
    try:
        return tf_keras.models.load_model(str(path), custom_objects=objects, compile=False)
    except Exception as error:  # whatever a damaged file makes of Keras
        raise ModelImportError("not_a_model", f"The model cannot be read: {str(error)[:300]}") from error


def backbone_of(model: tf_keras.Model) -> str:
    """The package's name of the backbone, told from the names of its layers.

    Raises:
        ModelImportError: `unknown_backbone`.
    """
    names = {layer.name for layer in model.layers}
    for layer, name in (
        ("res4b35_branch2a", "resnet152"),
        ("res4b22_branch2a", "resnet101"),
        ("res4f_branch2a", "resnet50"),
        ("block5_conv4", "vgg19"),
        ("block5_conv3", "vgg16"),
        ("conv4_block48_concat", "densenet201"),
        ("conv4_block32_concat", "densenet169"),
        ("conv4_block24_concat", "densenet121"),
    ):
        if layer in names:
            return name
    if "conv_pw_13_relu" in names:
        return f"mobilenet224_{model.get_layer('conv1').filters / 32:g}".replace("_1", "_1.0").replace("_1.0.0", "_1.0")
    raise ModelImportError(
        "unknown_backbone", "The backbone is none of ResNet, MobileNet, VGG and DenseNet as keras-retinanet has them."
    )


def _levels(model: tf_keras.Model) -> list[int]:
    found = sorted(int(match[1]) for layer in model.layers if (match := re.fullmatch(r"P(\d)", layer.name)))
    if not found or found != list(range(found[0], found[-1] + 1)):
        raise ModelImportError("unknown_layers", f"The pyramid has the levels {found}; levels in a row are expected.")
    return found


def _shapes(model: tf_keras.Model, levels: list[int], given: PackageAnchors | None) -> AnchorShapes:
    own = [layer for layer in model.layers if type(layer).__name__ == "Anchors"]
    if own:
        own.sort(key=lambda layer: layer.stride)
        anchors = PackageAnchors(
            [one.size for one in own],
            [one.stride for one in own],
            list(map(float, own[0].ratios)),
            list(map(float, own[0].scales)),
        )
    elif given is not None:
        anchors = given
    elif levels == levels_of(DEFAULT_SHAPES):
        return DEFAULT_SHAPES
    else:
        raise ModelImportError("anchors_needed", f"Levels {levels} have no default anchors: send the anchors.")
    return _as_shapes(anchors, levels)


def _as_shapes(anchors: PackageAnchors, levels: list[int]) -> AnchorShapes:
    strides = [2**level for level in levels]
    if list(anchors.strides) != strides or len(anchors.sizes) != len(levels):
        raise ModelImportError(
            "anchors_do_not_fit",
            f"The anchors have sizes {anchors.sizes} and strides {anchors.strides}; this network's levels have strides "
            f"{strides}.",
        )
    factors = [size / stride for size, stride in zip(anchors.sizes, strides, strict=True)]
    return AnchorShapes(
        levels[0],
        levels[-1],
        tuple(factors[0] * scale for scale in anchors.scales),
        tuple(anchors.ratios),
        () if len(set(factors)) == 1 else tuple(factor / factors[0] for factor in factors),
    )


def _check_outputs(model: tf_keras.Model, shapes: AnchorShapes, class_names: list[str]) -> None:
    per_cell = model.get_layer("regression_submodel").get_layer("pyramid_regression").filters // 4
    if per_cell != shapes.per_cell:
        raise ModelImportError(
            "anchors_do_not_fit",
            f"The network has {counted(per_cell, 'anchor')} a cell, the ratios and scales give {shapes.per_cell}. Send "
            "the anchors that it was trained with.",
        )
    count = model.get_layer("classification_submodel").get_layer("pyramid_classification").filters // per_cell
    if count != len(class_names):
        raise ModelImportError(
            "labels_do_not_fit",
            f"The network knows {counted(count, 'label')}, received {len(class_names)}. Send all, in order.",
        )


def _images(paths: list[str], image_size: tuple[int, int]) -> np.ndarray:
    found = []
    for path in paths:
        try:
            found.append(load_letterboxed(path, image_size))
        except (ImageError, OSError):
            continue
    if not found:
        found.append(np.random.default_rng(0).integers(0, 255, (*image_size, 3), dtype=np.uint8))
    return np.stack(found)
