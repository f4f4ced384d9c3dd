"""From a file of any format to a Keras network, and the file's own runtime beside it to compare with."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import tensorflow as tf

from vision.keras_internals import output_for
from vision.model_import import containers
from vision.model_import.litert import check_litert
from vision.model_import.onnx_graph.files import load_onnx, simplified
from vision.model_import.onnx_graph.inputs import input_of
from vision.model_import.onnx_graph.network import keras_network
from vision.model_import.saved_model.read import read_saved_model
from vision.runtime.kinds import ONNX_OPSET
from vision.training.checked_networks import check_image_input, check_size
from vision.training.errors import UploadError
from vision.training.to_onnx import function_to_onnx

BYTES_A_PARAMETER = 8
Size = tuple[int, int]


@dataclass(frozen=True)
class Limits:
    """What is taken at most."""

    parameters: int

    @property
    def weights_bytes(self) -> int:
        return self.parameters * BYTES_A_PARAMETER


@dataclass(frozen=True)
class Network:
    """A network that was read.

    Attributes:
        model: `(batch, height, width, 3)` float32, in the values that it was trained on → `(batch, outputs)`.
        way: how it was read, in words.
        reference: the same batch → the outputs of the file's own runtime; None where Keras itself read it.
        is_rounded: whether the file computes with whole numbers, so that the two differ a little.
    """

    model: keras.Model
    way: str
    reference: Callable[[np.ndarray], np.ndarray] | None = None
    is_rounded: bool = False


def read_network(format: str, path: Path, size: Size | None, folder: Path, limits: Limits) -> Network:
    """Read a file.

    Args:
        format: `keras`, `h5`, `litert`, `onnx` or `saved_model`.
        size: `(height, width)` where the file leaves it open.
        folder: for what is unpacked.

    Raises:
        UploadError: the file is damaged, unsafe, too large or of another kind of network.
    """
    return READERS[format](path, size, folder, limits)


def _keras(path: Path, size: Size | None, folder: Path, limits: Limits) -> Network:
    clean = containers.unpack_keras(path, folder, limits.weights_bytes)
    with zipfile.ZipFile(clean) as archive:
        check_size(json.loads(archive.read("config.json")), limits.parameters)
    try:
        model = keras.saving.load_model(clean, compile=False, safe_mode=True)
    except Exception as error:  # whatever a damaged file makes of Keras
        raise UploadError("not_a_model", f"Keras cannot load the model: {str(error)[:300]}") from error
    return Network(_sized(model, size), "by Keras")


def _hdf5(path: Path, size: Size | None, folder: Path, limits: Limits) -> Network:
    configuration = containers.check_keras_hdf5(path, limits.weights_bytes)
    try:
        check_size(_without_old_settings(json.loads(configuration)), limits.parameters)
    except UploadError as error:
        if error.code != "not_a_model":  # what Keras 3 cannot build may still be read below
            raise
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
        return Network(_sized(model, size), "by Keras")
    except UploadError:
        raise
    except Exception:  # written by Keras 2, with settings that Keras 3 does not know
        return _keras_2(path, size, folder, configuration)


def _keras_2(path: Path, size: Size | None, folder: Path, configuration: str) -> Network:
    import tf_keras

    try:
        model = tf_keras.models.load_model(str(path), compile=False)
    except Exception as error:  # whatever a damaged file makes of Keras
        raise UploadError("not_a_model", f"Keras cannot load the model: {str(error)[:300]}") from error
    shape = model.input_shape
    if isinstance(shape, list) or len(shape) != 4 or shape[3] != 3:
        raise UploadError("wrong_input", f"The input must be one image with 3 channels; this network's is {shape}.")
    height, width = _known(shape[1:3], size)

    def run(batch: np.ndarray) -> np.ndarray:
        return model(batch, training=False).numpy()

    try:
        network = _sized(_translated(path, configuration, folder), size)
        return Network(network, "by Keras, from settings of Keras 2", run)
    except (ValueError, TypeError, KeyError, OSError):
        pass  # the graph has what the settings do not tell
    spec = tf.TensorSpec((1, height, width, 3), tf.float32, name="image")
    network = _through_onnx(lambda image: model(image, training=False), spec, (height, width), folder)
    return Network(network, "by Keras 2 and ONNX", run)


def _translated(path: Path, configuration: str, folder: Path) -> keras.Model:
    """The network by Keras 3, without the settings that only Keras 2 knows and that say nothing."""
    copy = folder / "translated.h5"
    shutil.copyfile(path, copy)
    with h5py.File(copy, "r+") as file:
        file.attrs["model_config"] = json.dumps(_without_old_settings(json.loads(configuration)))
    return keras.saving.load_model(copy, compile=False, safe_mode=True)


def _without_old_settings(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_old_settings(one) for one in value]
    if not isinstance(value, dict):
        return value
    part = {key: _without_old_settings(one) for key, one in value.items()}
    if part.get("class_name") == "DepthwiseConv2D" and part.get("config", {}).get("groups") == 1:
        part["config"].pop("groups")
    return part


def _litert(path: Path, size: Size | None, folder: Path, limits: Limits) -> Network:
    import tf2onnx
    from ai_edge_litert.interpreter import Interpreter

    check_litert(path)
    try:
        interpreter = Interpreter(model_path=str(path), num_threads=1)
        interpreter.allocate_tensors()
        inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    except (ValueError, RuntimeError) as error:
        raise UploadError("not_a_model", f"LiteRT cannot load the file: {str(error)[:300]}") from error
    shape = tuple(int(side) for side in inputs[0]["shape"])
    if len(inputs) != 1 or len(outputs) != 1 or len(shape) != 4 or shape[3] != 3:
        raise UploadError(
            "wrong_input",
            f"A classifier has one input (1, height, width, 3) and one output; this file has inputs "
            f"{[tensor['shape'].tolist() for tensor in inputs]} and outputs "
            f"{[output['shape'].tolist() for output in outputs]}.",
        )
    try:
        proto, _ = tf2onnx.convert.from_tflite(str(path), opset=ONNX_OPSET, output_path=str(folder / "litert.onnx"))
    except Exception as error:  # tf2onnx raises whatever it comes across
        raise UploadError("unsupported_operation", f"The file cannot be converted: {str(error)[:300]}") from error
    size = (shape[1], shape[2])
    model = keras_network(simplified(proto, size, folder), size)
    kinds = {tensor["dtype"] for tensor in interpreter.get_tensor_details()}

    def run(batch: np.ndarray) -> np.ndarray:
        return np.stack([_litert_once(interpreter, inputs[0], outputs[0], image) for image in batch])

    return Network(model, "by way of ONNX", run, is_rounded=bool({np.int8, np.uint8} & kinds))


def _litert_once(interpreter: Any, given: dict, wanted: dict, image: np.ndarray) -> np.ndarray:
    kind = given["dtype"]
    shift = 128 if kind == np.int8 else 0
    values = image if kind == np.float32 else np.clip(np.round(image) - shift, np.iinfo(kind).min, np.iinfo(kind).max)
    interpreter.set_tensor(given["index"], values[None].astype(kind))
    interpreter.invoke()
    found = interpreter.get_tensor(wanted["index"])[0]
    if wanted["dtype"] == np.float32:
        return found.reshape(-1)
    scale, zero = wanted["quantization"]
    return (found.astype(np.float32).reshape(-1) - zero) * scale


def _onnx(path: Path, size: Size | None, folder: Path, limits: Limits) -> Network:
    proto = load_onnx(path)
    parameters = sum(int(np.prod(initializer.dims)) for initializer in proto.graph.initializer)
    if parameters > limits.parameters:
        raise UploadError(
            "too_large", f"The network has {parameters:,} parameters; at most {limits.parameters:,} are taken."
        )
    given = input_of(proto)
    fixed = _known(given.size, size)
    simple = simplified(proto, fixed, folder)
    model = keras_network(simple, fixed)
    return Network(model, "by way of its graph", _onnx_runtime(simple, given))


def _onnx_runtime(proto: Any, given: Any) -> Callable[[np.ndarray], np.ndarray]:
    import onnxruntime

    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])

    def run(batch: np.ndarray) -> np.ndarray:
        values = batch.transpose(0, 3, 1, 2) if given.channels_first else batch
        kind = {2: np.uint8, 3: np.int8}.get(given.element_type, np.float32)
        return np.stack([session.run(None, {given.name: one[None].astype(kind)})[0].reshape(-1) for one in values])

    return run


def _saved_model(path: Path, size: Size | None, folder: Path, limits: Limits) -> Network:
    function = read_saved_model(path, folder, limits.weights_bytes)
    fixed = _known(function.size, size)
    spec = tf.TensorSpec((1, *fixed, 3), tf.float32, name="image")
    model = _through_onnx(function.call, spec, fixed, folder)
    run = tf.function(function.call, input_signature=[spec])
    return Network(
        model, "by way of ONNX", lambda batch: np.concatenate([run(tf.constant(one[None])).numpy() for one in batch])
    )


def _through_onnx(function: Callable, spec: tf.TensorSpec, size: Size, folder: Path) -> keras.Model:
    try:
        proto = function_to_onnx(function, spec)
    except Exception as error:  # tf2onnx raises whatever it comes across
        raise UploadError("unsupported_operation", f"The model cannot be converted: {str(error)[:300]}") from error
    return keras_network(simplified(proto, size, folder), size)


def _known(found: tuple[int | None, int | None], given: Size | None) -> Size:
    """The size of the input from the file, or as given where that leaves it open."""
    height, width = found
    if height and width:
        if given is not None and given != (height, width):
            raise UploadError(
                "wrong_input",
                f"The file's input is {width} x {height} px, received {given[1]} x {given[0]}. Leave the size out.",
            )
        return int(height), int(width)
    if given is None:
        raise UploadError("size_needed", "The file takes images of any size: say input_width and input_height.")
    return given


def _sized(model: keras.Model, size: Size | None) -> keras.Model:
    """The same network with a fixed size of its input."""
    if not model.inputs:
        raise UploadError("wrong_input", "The network does not say what its input is.")
    check_image_input(model)
    shape = model.inputs[0].shape
    fixed = _known((shape[1], shape[2]), size)
    if shape[1] and shape[2]:
        return model
    image = keras.Input((*fixed, 3), name="image", dtype="float32")
    return keras.Model(image, onto(model, image), name=model.name)


def onto(model: keras.Model, tensor: keras.KerasTensor) -> keras.KerasTensor:
    """The network's output for another tensor, by the same layers: one flat graph, whose parts can be told apart."""
    plain = keras.Model(model.inputs, model.outputs)
    return output_for(plain, tensor)


READERS: dict[str, Callable[[Path, Size | None, Path, Limits], Network]] = {
    "keras": _keras,
    "h5": _hdf5,
    "litert": _litert,
    "onnx": _onnx,
    "saved_model": _saved_model,
}
