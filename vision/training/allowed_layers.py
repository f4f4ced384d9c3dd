"""Which parts a network from elsewhere may have: data only, so that a network can be refused without Keras."""

from __future__ import annotations

from collections.abc import Iterator

from vision.training.errors import UploadError

# Keras' own layers that compute on images or what becomes of them. Not here: whatever calls functions (Lambda), loads
# files (TFSMLayer, text layers with vocabularies), wraps other frameworks, or keeps a state.
LAYERS = frozenset({
    "Activation", "ActivityRegularization", "Add", "AlphaDropout", "Average", "AveragePooling1D", "AveragePooling2D",
    "BatchNormalization", "CenterCrop", "Concatenate", "Conv1D", "Conv2D", "Conv2DTranspose", "Cropping2D", "Dense",
    "DepthwiseConv2D", "Dot", "Dropout", "ELU", "EinsumDense", "Flatten", "GaussianDropout", "GaussianNoise",
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D",
    "GroupNormalization", "Identity", "InputLayer", "LayerNormalization", "LeakyReLU", "MaxPooling1D", "MaxPooling2D",
    "Maximum", "Minimum", "MultiHeadAttention", "Multiply", "Normalization", "PReLU", "Permute", "RandomBrightness",
    "RandomContrast", "RandomCrop", "RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom", "ReLU",
    "Rescaling", "Reshape", "Resizing", "SeparableConv2D", "Softmax", "SpatialDropout2D", "Subtract",
    "UnitNormalization", "UpSampling2D", "ZeroPadding2D",
})  # fmt: skip
NETWORKS = frozenset({"Functional", "Model", "Sequential"})
# What layers are described with.
PARTS = frozenset({
    "CompileConfig", "Constant", "DTypePolicy", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "L1", "L1L2",
    "L2", "LecunNormal", "LecunUniform", "MaxNorm", "NonNeg", "Ones", "Orthogonal", "Policy", "RandomNormal",
    "RandomUniform", "TruncatedNormal", "UnitNorm", "VarianceScaling", "Zeros", "__keras_tensor__", "__tensor__",
    "__numpy__",
})  # fmt: skip
MODULES = ("keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras")
MAX_LAYERS = 3000
MAX_DEPTH = 100


def check_network(configuration: object) -> None:
    """Refuse a Keras configuration that is more than known layers.

    Raises:
        UploadError: `forbidden_layer`, `not_a_model`.
    """
    if not isinstance(configuration, dict) or configuration.get("class_name") not in NETWORKS:
        raise UploadError(
            "not_a_model",
            "This is no Keras network: a functional or sequential model as `model.to_json()` gives it is expected.",
        )
    count = 0
    for part in parts_of(configuration, 0):
        name = part["class_name"]
        if name in LAYERS or name in NETWORKS:
            count += 1
        elif name not in PARTS:
            raise UploadError(
                "forbidden_layer",
                f"The network has {_what(part)}, which is not taken: only Keras' own layers for images are, without "
                "code of their own. Replace it, or send the model as ONNX or LiteRT.",
            )
        module, registered = part.get("module"), part.get("registered_name")
        if isinstance(module, str) and module.split(".")[0] not in ("keras", "tf_keras") and module not in MODULES:
            raise UploadError("forbidden_layer", f"The network has {name} of {module[:80]!r}, which is not taken.")
        if isinstance(registered, str) and ">" in registered:
            raise UploadError("forbidden_layer", f"The network has a part of its own, {registered[:80]!r}.")
    if count > MAX_LAYERS:
        raise UploadError("too_large", f"The network has {count} layers; at most {MAX_LAYERS} are taken.")


def _what(part: dict) -> str:
    name = str(part["class_name"])[:80]
    if name == "Lambda":
        return "a Lambda layer, which is a piece of program"
    return f"{name!r}"


def parts_of(value: object, depth: int) -> Iterator[dict]:
    """Every dictionary with a class, however deep."""
    if depth > MAX_DEPTH:
        raise UploadError("not_a_model", "The network is nested too deeply.")
    if isinstance(value, dict):
        if "class_name" in value:
            if not isinstance(value["class_name"], str):
                raise UploadError("not_a_model", "A class_name of the network is no text.")
            yield value
        for one in value.values():
            yield from parts_of(one, depth + 1)
    elif isinstance(value, list):
        for one in value:
            yield from parts_of(one, depth + 1)


def square_input(configuration: dict) -> int:
    """Side of the square image that a checked network takes.

    Raises:
        UploadError: `wrong_input`.
    """
    shapes = [
        shape
        for part in parts_of(configuration, 0)
        if part["class_name"] == "InputLayer" and isinstance(part.get("config"), dict)
        for shape in [_shape_of(part["config"])]
        if shape is not None
    ]
    if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][3] != 3 or shapes[0][1] != shapes[0][2]:
        raise UploadError(
            "wrong_input",
            "The network must have one InputLayer of the shape (None, size, size, 3), a square image; found "
            f"{shapes[:3]}.",
        )
    side = shapes[0][1]
    if not isinstance(side, int) or not 32 <= side <= 1024:
        raise UploadError("wrong_input", f"The side of the input must be 32 to 1024 px; it is {side}.")
    return side


def _shape_of(settings: dict) -> list | None:
    shape = settings.get("batch_shape") or settings.get("batch_input_shape")
    return shape if isinstance(shape, list) else None
