"""A whole upload: read, put behind the studio's pixels, run once, write the files that everything else works with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from keras import layers

from vision.imaging.letterbox import load_letterboxed
from vision.imaging.preprocessing import ImageError, load_pixels
from vision.model_import.read import Limits, Network, onto, read_network
from vision.model_import.request import UploadRequest, UploadResult
from vision.training import export
from vision.training.checked_networks import ends_in
from vision.training.errors import UploadError
from vision.training.hooks import TrainingHooks
from vision.training.labels import write_labels
from vision.training.networks import IMAGENET_DEVIATION, IMAGENET_MEAN, caffe_preprocessing
from vision.words import counted

TOLERANCE = 1e-3
ROUNDED_TOLERANCE = 0.25
PATTERNS = 3


def import_upload(request: UploadRequest, folder: Path, hooks: TrainingHooks) -> UploadResult:
    """Turn an uploaded classifier into the studio's own files.

    Raises:
        UploadError: with the code of what is wrong with the file or with what was said of it.
        ExportError: its LiteRT file says something else than Keras.
    """
    hooks.log("Looking into the file")
    size = None if request.image_size is None else (request.image_size[0], request.image_size[1])
    network = read_network(request.format, Path(request.path), size, folder, Limits(request.max_parameters))
    height, width = (int(side) for side in network.model.inputs[0].shape[1:3])
    hooks.log(f"Read {network.way}: {network.model.count_params():,} parameters, input {width} x {height} px")
    image = keras.Input((height, width, 3), name="image", dtype="float32")
    values = prepared(image, request.channels, request.scaling)
    pixels = _images(request, (height, width))
    outputs = keras.Model(image, onto(network.model, values))
    raw = outputs(pixels.astype(np.float32), training=False).numpy()
    difference = _compare(network, keras.Model(image, values), pixels, raw)
    model, added = _as_probabilities(outputs, network.model, raw, request.class_names)
    hooks.log(added or "Its outputs are probabilities")
    probabilities = model(pixels.astype(np.float32), training=False).numpy()
    if not np.isfinite(probabilities).all():
        raise UploadError("wrong_output", "On an image the network answers with something that is no number.")
    hooks.on_progress("export", 0, 1)
    files = {
        "keras": folder / "model.keras",
        "litert-float32": folder / "model-float32.tflite",
        "labels": folder / "labels.txt",
    }
    export.export_keras(model, files["keras"])
    export.export_litert(model, files["litert-float32"])
    write_labels(files["labels"], request.class_names)
    litert_difference = export.check_litert(files["litert-float32"], pixels, probabilities)
    hooks.log(f"LiteRT file agrees with Keras on {len(pixels)} images to {litert_difference:.1e}")
    return UploadResult(
        architecture="uploaded",
        class_names=request.class_names,
        input_size=(height, width),
        files={kind: str(path) for kind, path in files.items()},
        parameters=int(model.count_params()),
        litert_difference=litert_difference,
        origin={
            "format": request.format,
            "read": network.way,
            "channels": request.channels,
            "scaling": request.scaling,
            "output": added or "probabilities",
            "largest_difference": difference,
        },
    )


def prepared(image: keras.KerasTensor, channels: str, scaling: str) -> keras.KerasTensor:
    """RGB pixels 0..255 → what a network was trained on, in layers that every export knows."""
    if scaling == "caffe":
        return caffe_preprocessing(image)
    x = image
    if scaling == "0_1":
        x = layers.Rescaling(1 / 255, name="prepare_scale")(x)
    elif scaling == "-1_1":
        x = layers.Rescaling(1 / 127.5, offset=-1, name="prepare_scale")(x)
    elif scaling == "imagenet":
        scale = [1 / (255 * deviation) for deviation in IMAGENET_DEVIATION]
        offset = [-mean / one for mean, one in zip(IMAGENET_MEAN, IMAGENET_DEVIATION, strict=True)]
        x = layers.Rescaling(scale, offset=offset, name="prepare_scale")(x)
    if channels == "bgr":
        turn = keras.initializers.Constant([[[[0.0, 0, 1], [0, 1, 0], [1, 0, 0]]]])
        x = layers.Conv2D(3, 1, use_bias=False, kernel_initializer=turn, trainable=False, name="prepare_rgb_to_bgr")(x)
    return x


def _compare(network: Network, values: keras.Model, pixels: np.ndarray, raw: np.ndarray) -> float:
    """The largest difference between the file's own runtime and what was read. Raises `conversion_differs`."""
    if network.reference is None:
        return 0.0
    given = values(pixels.astype(np.float32), training=False).numpy()
    expected = network.reference(given).reshape(raw.shape)
    difference = float(np.abs(raw - expected).max() / max(1.0, np.abs(expected).max()))
    if not difference <= (ROUNDED_TOLERANCE if network.is_rounded else TOLERANCE):
        raise UploadError(
            "conversion_differs",
            f"What was read of the file answers differently than its own runtime, by {difference:.2e}. Send the model "
            "in another format, best as .keras.",
        )
    return difference


def _as_probabilities(
    outputs: keras.Model, source: keras.Model, raw: np.ndarray, class_names: list[str]
) -> tuple[keras.Model, str]:
    """The network with one probability for each label, and what was added for that."""
    if raw.ndim != 2:
        raise UploadError("wrong_output", f"The output must be one number for each label; it is {raw.shape[1:]}.")
    image, tensor = outputs.inputs[0], outputs.outputs[0]
    count = raw.shape[1]
    if count == 1 and len(class_names) == 2:
        return _two_of_one(image, tensor, ends_in(source, ("sigmoid",)))
    if count != len(class_names):
        raise UploadError(
            "labels_do_not_fit",
            f"The network has {counted(count, 'output')}, received {counted(len(class_names), 'label')}. Send a label "
            "for each output, in their order.",
        )
    sums_to_one = bool((raw >= -1e-4).all() and np.abs(raw.sum(axis=1) - 1).max() < 1e-2)
    if ends_in(source, ("softmax", "sigmoid")) or sums_to_one:
        return keras.Model(image, tensor, name="uploaded"), ""
    probabilities = layers.Softmax(name="probabilities")(tensor)
    return keras.Model(image, probabilities, name="uploaded"), "A softmax was added: the outputs are no probabilities"


def _two_of_one(image: keras.KerasTensor, tensor: keras.KerasTensor, is_probability: bool) -> tuple[keras.Model, str]:
    """One output says how much it is the second label."""
    if not is_probability:
        tensor = layers.Activation("sigmoid", name="probability")(tensor)
    both = layers.Dense(2, name="probabilities", trainable=False)
    model = keras.Model(image, both(tensor), name="uploaded")
    both.set_weights([np.array([[-1.0, 1.0]], np.float32), np.array([1.0, 0.0], np.float32)])
    return model, "The one output is the probability of the second label"


def _images(request: UploadRequest, size: tuple[int, int]) -> np.ndarray:
    """`(count, height, width, 3)` uint8: images of the project where it has some, and patterns."""
    load: Callable = load_letterboxed if request.resize == "letterbox" else load_pixels
    found = []
    for path in request.images:
        try:
            found.append(load(path, size))
        except (ImageError, OSError):
            continue
    coarse = np.random.default_rng(0).integers(0, 256, (PATTERNS, 8, 8, 3), dtype=np.uint8)
    cell = np.ones((-(-size[0] // 8), -(-size[1] // 8), 1), np.uint8)
    return np.stack(found + [np.kron(guess, cell)[: size[0], : size[1]] for guess in coarse])
