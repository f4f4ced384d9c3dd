"""An ONNX graph as a Keras network of ordinary layers, so that it trains and exports like any other.

ONNX has channels first, TensorFlow on a CPU computes with channels last. A tensor of four axes is therefore kept with
its channels last and remembered as *turned*; only where the order matters (a flattening of a map) it is turned back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import onnx
from keras import layers
from onnx import numpy_helper

from training.engine.uploads.layers import UploadError

MAX_NODES = 5000
TURNED_AXES = {0: 0, 1: 3, 2: 1, 3: 2}


@dataclass(frozen=True)
class Value:
    """A tensor of the graph.

    Attributes:
        tensor: what Keras has of it.
        turned: whether Keras has the channels last where the graph has them first.
        positive: whether no number in it is below 0.
    """

    tensor: keras.KerasTensor
    turned: bool = False
    positive: bool = False

    @property
    def shape(self) -> tuple:
        """As the graph sees it; the first entry is the batch."""
        shape = tuple(self.tensor.shape)
        return (shape[0], shape[3], shape[1], shape[2]) if self.turned else shape


@dataclass(frozen=True)
class OnnxInput:
    """What goes in: `(height, width)`, None where the file leaves it open, and whether the channels come first."""

    name: str
    size: tuple[int | None, int | None]
    channels_first: bool
    element_type: int


def load_onnx(path: Path) -> onnx.ModelProto:
    """Raises `UploadError`: `not_a_model`, `unsafe_file`, `too_large`."""
    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception as error:  # protobuf's errors are not part of the interface of onnx
        raise UploadError("not_a_model", "This is no ONNX file, or a damaged one.") from error
    tensors = [*model.graph.initializer]
    for node in model.graph.node:
        tensors += [attribute.t for attribute in node.attribute if attribute.HasField("t")]
        if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
            raise UploadError("unsupported_operation", f"The network has branches or loops ({node.op_type}).")
    if any(one.data_location == onnx.TensorProto.EXTERNAL or one.external_data for one in tensors):
        raise UploadError("unsafe_file", "The weights are in another file. Save the model as one ONNX file.")
    if not model.graph.node:
        raise UploadError("not_a_model", "The ONNX file has no network.")
    if len(model.graph.node) > MAX_NODES:
        raise UploadError("too_large", f"The network has more than {MAX_NODES} operations.")
    return model


def input_of(model: onnx.ModelProto) -> OnnxInput:
    """Raises `UploadError`: `wrong_input`."""
    constants = {one.name for one in model.graph.initializer}
    inputs = [one for one in model.graph.input if one.name not in constants]
    if len(inputs) != 1:
        raise UploadError("wrong_input", f"The network must have one input, an image; it has {len(inputs)}.")
    kind = inputs[0].type.tensor_type
    sides = [one.dim_value or None for one in kind.shape.dim]
    if len(sides) != 4 or (sides[1] != 3 and sides[3] != 3):
        raise UploadError(
            "wrong_input",
            f"The input must be an image with 3 channels, (batch, 3, height, width) or (batch, height, width, 3); "
            f"it is {tuple(side or '?' for side in sides)}.",
        )
    first = sides[1] == 3 and sides[3] != 3
    size = (sides[2], sides[3]) if first else (sides[1], sides[2])
    return OnnxInput(inputs[0].name, size, first, kind.elem_type)


def simplified(model: onnx.ModelProto, image_size: tuple[int, int], folder: Path) -> onnx.ModelProto:
    """The same graph for one image of a fixed size, its constant parts computed (by ONNX Runtime)."""
    import onnxruntime

    given = input_of(model)
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    sides = [1, 3, *image_size] if given.channels_first else [1, *image_size, 3]
    for one in fixed.graph.input:
        if one.name == given.name:
            for dimension, side in zip(one.type.tensor_type.shape.dim, sides, strict=True):
                dimension.dim_value = side
    for one in fixed.graph.output:  # said anew by the shapes of the input
        one.type.tensor_type.ClearField("shape")
    del fixed.graph.value_info[:]
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(folder / "simplified.onnx")
    options.log_severity_level = 3
    try:
        onnxruntime.InferenceSession(
            fixed.SerializeToString(), sess_options=options, providers=["CPUExecutionProvider"]
        )
        return onnx.load(str(folder / "simplified.onnx"), load_external_data=False)
    except Exception as error:  # ONNX Runtime raises classes of its own
        raise UploadError("not_a_model", f"ONNX Runtime cannot load the network: {str(error)[:300]}") from error


def keras_network(model: onnx.ModelProto, image_size: tuple[int, int]) -> keras.Model:
    """The graph as a functional network: `(batch, height, width, 3)` float32 → `(batch, outputs)`.

    Args:
        model: from `simplified`.

    Raises:
        UploadError: `unsupported_operation`, `wrong_output`.
    """
    return _Builder(model, image_size).build()


class _Builder:
    def __init__(self, model: onnx.ModelProto, image_size: tuple[int, int]) -> None:
        self._graph = model.graph
        self._image_size = image_size
        self._given = input_of(model)
        self._constants = {one.name: numpy_helper.to_array(one) for one in self._graph.initializer}
        self._values: dict[str, Value] = {}
        self._number = 0

    def build(self) -> keras.Model:
        image = keras.Input((*self._image_size, 3), name="image", dtype="float32")
        self._values[self._given.name] = Value(image, turned=self._given.channels_first, positive=True)
        for node in self._graph.node:
            self._number += 1
            convert = OPERATIONS.get(node.op_type)
            if convert is None or node.domain not in ("", "ai.onnx"):
                raise _unsupported(node.op_type)
            convert(self, node)
        outputs = [self._values.get(one.name) for one in self._graph.output]
        if len(outputs) != 1 or outputs[0] is None:
            raise UploadError("wrong_output", f"The network must have one output; it has {len(outputs)}.")
        return keras.Model(image, self._flat(outputs[0]), name="uploaded")

    def _flat(self, value: Value) -> keras.KerasTensor:
        return value.tensor if len(value.shape) == 2 else layers.Flatten(name="output")(value.tensor)

    # Helpers of the operations

    def name(self, node) -> str:
        return f"{node.op_type.lower()}_{self._number}"

    def value(self, node, index: int = 0) -> Value:
        name = node.input[index]
        if name not in self._values:
            raise _unsupported(f"{node.op_type} of a constant")
        return self._values[name]

    def constant(self, node, index: int) -> np.ndarray | None:
        """A constant input; None when the node has none there."""
        if index >= len(node.input) or not node.input[index]:
            return None
        found = self._constants.get(node.input[index])
        if found is None:
            raise _unsupported(f"{node.op_type} with a computed parameter")
        return found

    def is_constant(self, node, index: int) -> bool:
        return index < len(node.input) and node.input[index] in self._constants

    def keep(self, node, value: Value) -> None:
        self._values[node.output[0]] = value

    def keep_constant(self, node, array: np.ndarray) -> None:
        self._constants[node.output[0]] = array

    def turned(self, value: Value, node) -> keras.KerasTensor:
        """The tensor with its channels last."""
        if value.turned or len(value.shape) != 4:
            return value.tensor
        return layers.Permute((2, 3, 1), name=f"{self.name(node)}_turn")(value.tensor)

    def plain(self, value: Value, node) -> keras.KerasTensor:
        """The tensor as the graph has it."""
        if not value.turned:
            return value.tensor
        return layers.Permute((3, 1, 2), name=f"{self.name(node)}_turn")(value.tensor)


def _unsupported(what: str) -> UploadError:
    return UploadError(
        "unsupported_operation",
        f"The network has {what}, which cannot be read here. Send it as .keras, or as another format.",
    )


def _attributes(node) -> dict:
    return {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}


def _convolution(b: _Builder, node) -> None:
    given = _attributes(node)
    kernel, bias = b.constant(node, 1), b.constant(node, 2)
    if kernel is None or kernel.ndim != 4:
        raise _unsupported("a convolution that is not of images")
    x = b.turned(b.value(node), node)
    strides, dilations = given.get("strides", [1, 1]), given.get("dilations", [1, 1])
    extent = [(side - 1) * dilation + 1 for side, dilation in zip(kernel.shape[2:], dilations, strict=True)]
    x, padding = _padded(b, node, x, given, extent, strides)
    groups, channels = given.get("group", 1), int(x.shape[-1])
    common = {
        "strides": tuple(strides), "padding": padding, "dilation_rate": tuple(dilations),
        "use_bias": bias is not None, "name": b.name(node),
    }  # fmt: skip
    if groups == channels and groups > 1:
        multiplier = kernel.shape[0] // channels
        layer = layers.DepthwiseConv2D(kernel.shape[2:], depth_multiplier=multiplier, **common)
        weights = kernel.reshape(channels, multiplier, *kernel.shape[2:]).transpose(2, 3, 0, 1)
    else:
        layer = layers.Conv2D(kernel.shape[0], kernel.shape[2:], groups=groups, **common)
        weights = kernel.transpose(2, 3, 1, 0)
    y = layer(x)
    layer.set_weights([weights] + ([bias] if bias is not None else []))
    b.keep(node, Value(y, turned=True))


def _padded(b: _Builder, node, x, given: dict, extent: list[int], strides: list[int], *, fills: bool = True):
    """The input with its padding, or the name of a padding that TensorFlow does by itself."""
    automatic = given.get("auto_pad", b"NOTSET").decode()
    if automatic == "SAME_UPPER":
        return x, "same"
    if automatic not in ("NOTSET", "VALID"):
        raise _unsupported(f"padding {automatic}")
    top, left, bottom, right = given.get("pads", [0, 0, 0, 0])
    if not any((top, left, bottom, right)):
        return x, "valid"
    sides = zip(x.shape[1:3], extent, strides, ((top, bottom), (left, right)), strict=True)
    if all(_same_padding(int(side), *rest) == pads for side, *rest, pads in sides):
        return x, "same"
    if not fills:
        raise _unsupported(f"{node.op_type} with padding")
    return layers.ZeroPadding2D(((top, bottom), (left, right)), name=f"{b.name(node)}_pad")(x), "valid"


def _same_padding(side: int, extent: int, stride: int) -> tuple[int, int]:
    """What TensorFlow adds before and after a side for padding "same"."""
    total = max((-(-side // stride) - 1) * stride + extent - side, 0)
    return total // 2, total - total // 2


def _max_pool(b: _Builder, node) -> None:
    given, value = _attributes(node), b.value(node)
    strides, size = given.get("strides", [1, 1]), given["kernel_shape"]
    _check_pool(given, node)
    # A border of zeros is no border of minus infinity, but where nothing is below 0 it is as good.
    x, padding = _padded(b, node, b.turned(value, node), given, size, strides, fills=value.positive)
    y = layers.MaxPooling2D(tuple(size), tuple(strides), padding=padding, name=b.name(node))(x)
    b.keep(node, Value(y, True, value.positive))


def _average_pool(b: _Builder, node) -> None:
    given, value = _attributes(node), b.value(node)
    strides, size = given.get("strides", [1, 1]), given["kernel_shape"]
    _check_pool(given, node)
    counts_border = bool(given.get("count_include_pad", 0))
    x = b.turned(value, node)
    if counts_border and any(given.get("pads", [])):
        top, left, bottom, right = given["pads"]
        x, padding = layers.ZeroPadding2D(((top, bottom), (left, right)), name=f"{b.name(node)}_pad")(x), "valid"
    else:
        x, padding = _padded(b, node, x, given, size, strides, fills=False)
    y = layers.AveragePooling2D(tuple(size), tuple(strides), padding=padding, name=b.name(node))(x)
    b.keep(node, Value(y, True, value.positive))


def _check_pool(given: dict, node) -> None:
    if given.get("ceil_mode") or any(one != 1 for one in given.get("dilations", [])) or len(given["kernel_shape"]) != 2:
        raise _unsupported(f"{node.op_type} with ceil_mode or dilations")


def _global_pool(layer_class) -> Callable:
    def convert(b: _Builder, node) -> None:
        value = b.value(node)
        y = layer_class(keepdims=True, name=b.name(node))(b.turned(value, node))
        b.keep(node, Value(y, True, value.positive))

    return convert


def _reduce_mean(b: _Builder, node) -> None:
    given, value = _attributes(node), b.value(node)
    axes = given.get("axes")
    if axes is None:
        found = b.constant(node, 1)
        axes = [] if found is None else found.tolist()
    axes = sorted(axis % len(value.shape) for axis in axes)
    spatial = [2, 3] if value.turned else [1, 2]
    if len(value.shape) != 4 or axes != spatial:
        raise _unsupported(f"ReduceMean over the axes {axes}")
    keeps = bool(given.get("keepdims", 1))
    y = layers.GlobalAveragePooling2D(keepdims=keeps, name=b.name(node))(value.tensor)
    b.keep(node, Value(y, value.turned and keeps, value.positive))


def _batch_normalization(b: _Builder, node) -> None:
    value = b.value(node)
    gamma, beta, mean, variance = (b.constant(node, index) for index in range(1, 5))
    layer = layers.BatchNormalization(epsilon=_attributes(node).get("epsilon", 1e-5), name=b.name(node))
    y = layer(b.turned(value, node))
    layer.set_weights([gamma, beta, mean, variance])
    b.keep(node, Value(y, len(value.shape) == 4))


def _gemm(b: _Builder, node) -> None:
    given = _attributes(node)
    if given.get("alpha", 1.0) != 1.0 or given.get("beta", 1.0) != 1.0 or given.get("transA"):
        raise _unsupported("Gemm with factors")
    kernel, bias = b.constant(node, 1), b.constant(node, 2)
    assert kernel is not None
    _dense(b, node, kernel.T if given.get("transB") else kernel, bias)


def _matmul(b: _Builder, node) -> None:
    kernel = b.constant(node, 1)
    if kernel is None or kernel.ndim != 2:
        raise _unsupported("MatMul of two computed tensors")
    _dense(b, node, kernel, None)


def _dense(b: _Builder, node, kernel: np.ndarray, bias: np.ndarray | None) -> None:
    layer = layers.Dense(kernel.shape[1], use_bias=bias is not None, name=b.name(node))
    y = layer(b.plain(b.value(node), node))
    layer.set_weights([kernel] + ([np.broadcast_to(bias.reshape(-1), (kernel.shape[1],))] if bias is not None else []))
    b.keep(node, Value(y))


def _simple(make: Callable[..., layers.Layer], positive: bool | None = None) -> Callable:
    """An operation on every number by itself."""

    def convert(b: _Builder, node) -> None:
        value = b.value(node)
        y = make(name=b.name(node), **{})(value.tensor)
        b.keep(node, Value(y, value.turned, value.positive if positive is None else positive))

    return convert


def _activation(function: str, positive: bool = False) -> Callable:
    return _simple(lambda name: layers.Activation(function, name=name), positive)


def _leaky(b: _Builder, node) -> None:
    value = b.value(node)
    y = layers.LeakyReLU(_attributes(node).get("alpha", 0.01), name=b.name(node))(value.tensor)
    b.keep(node, Value(y, value.turned))


def _elu(b: _Builder, node) -> None:
    value = b.value(node)
    y = layers.ELU(_attributes(node).get("alpha", 1.0), name=b.name(node))(value.tensor)
    b.keep(node, Value(y, value.turned))


def _prelu(b: _Builder, node) -> None:
    value, slope = b.value(node), b.constant(node, 1)
    assert slope is not None
    layer = layers.PReLU(shared_axes=[1, 2] if len(value.shape) == 4 else None, name=b.name(node))
    y = layer(b.turned(value, node))
    channels = int(y.shape[-1])
    slopes = np.broadcast_to(slope.reshape(-1), (channels,))
    layer.set_weights([slopes.reshape(1, 1, channels) if len(value.shape) == 4 else slopes])
    b.keep(node, Value(y, len(value.shape) == 4))


def _clip(b: _Builder, node) -> None:
    given, value = _attributes(node), b.value(node)
    low = given.get("min") if "min" in given else b.constant(node, 1)
    high = given.get("max") if "max" in given else b.constant(node, 2)
    low, high = (None if one is None else float(one) for one in (low, high))
    if low != 0.0:
        raise _unsupported(f"Clip between {low} and {high}")
    y = layers.ReLU(max_value=high, name=b.name(node))(value.tensor)
    b.keep(node, Value(y, value.turned, True))


def _hard_sigmoid(b: _Builder, node) -> None:
    given, value = _attributes(node), b.value(node)
    if abs(given.get("alpha", 0.2) - 1 / 6) > 1e-4 or given.get("beta", 0.5) != 0.5:
        raise _unsupported("HardSigmoid with other slopes than 1/6")
    b.keep(node, Value(layers.Activation("hard_sigmoid", name=b.name(node))(value.tensor), value.turned, True))


def _softmax(b: _Builder, node) -> None:
    value = b.value(node)
    axis = _attributes(node).get("axis", -1) % len(value.shape)
    axis = TURNED_AXES[axis] if value.turned else axis
    b.keep(node, Value(layers.Softmax(axis=axis, name=b.name(node))(value.tensor), value.turned, True))


def _arithmetic(merge, scale_and_offset: Callable | None) -> Callable:
    """Two tensors, or one and a constant: a number, or one for each channel."""

    def convert(b: _Builder, node) -> None:
        if b.is_constant(node, 0) and b.is_constant(node, 1):
            raise _unsupported(f"{node.op_type} of constants")
        if b.is_constant(node, 0) or b.is_constant(node, 1):
            if scale_and_offset is None:
                raise _unsupported(node.op_type)
            _with_constant(b, node, scale_and_offset)
            return
        if merge is None:
            raise _unsupported(f"{node.op_type} of two computed tensors")
        first, second = b.value(node, 0), b.value(node, 1)
        turned = first.turned or second.turned
        tensors = [b.turned(one, node) if turned else one.tensor for one in (first, second)]
        if len(tensors[0].shape) != len(tensors[1].shape):
            raise _unsupported(f"{node.op_type} of tensors with different axes")
        positive = first.positive and second.positive and merge is not layers.Subtract
        b.keep(node, Value(merge(name=b.name(node))(tensors), turned, positive))

    return convert


def _with_constant(b: _Builder, node, scale_and_offset: Callable) -> None:
    index = 0 if b.is_constant(node, 1) else 1
    value, constant = b.value(node, index), b.constant(node, 1 - index)
    assert constant is not None
    scale, offset = scale_and_offset(constant.astype(np.float64), index == 1)
    rank = len(value.shape)
    lists = [_per_channel(one, rank, 1 if value.turned else rank - 1, node) for one in (scale, offset)]
    y = layers.Rescaling(lists[0], offset=lists[1], name=b.name(node))(value.tensor)
    b.keep(node, Value(y, value.turned))


def _per_channel(numbers: np.ndarray, rank: int, axis: int, node):
    numbers = np.asarray(numbers)
    if numbers.size == 1:
        return float(numbers.reshape(()))
    shape = (1,) * (rank - numbers.ndim) + numbers.shape
    if numbers.ndim > rank or any(side != 1 for place, side in enumerate(shape) if place != axis):
        raise _unsupported(f"{node.op_type} with a constant of the shape {numbers.shape}")
    return numbers.reshape(-1).tolist()


def _concatenate(b: _Builder, node) -> None:
    values = [b.value(node, index) for index in range(len(node.input))]
    axis = _attributes(node)["axis"] % len(values[0].shape)
    turned = any(one.turned for one in values)
    tensors = [b.turned(one, node) if turned else one.tensor for one in values]
    axis = TURNED_AXES[axis] if turned else axis
    y = layers.Concatenate(axis=axis, name=b.name(node))(tensors)
    b.keep(node, Value(y, turned, all(one.positive for one in values)))


def _reshape_to(b: _Builder, node, value: Value, shape: list[int]) -> None:
    """A new shape without its batch."""
    is_point = len(value.shape) == 4 and tuple(value.shape[2:]) == (1, 1)
    # The channels of a single point are in the same order either way.
    tensor = value.tensor if is_point else b.plain(value, node)
    if is_point and len(shape) == 3 and shape[1:] == [1, 1]:
        b.keep(node, value)
        return
    b.keep(node, Value(layers.Reshape(tuple(shape), name=b.name(node))(tensor), False, value.positive))


def _reshape(b: _Builder, node) -> None:
    value, shape = b.value(node), b.constant(node, 1)
    assert shape is not None
    target = [int(value.shape[n]) if side == 0 and n else int(side) for n, side in enumerate(shape)]
    if target[0] not in (1, -1, 0) or (target[0] == -1 and -1 in target[1:]):
        raise _unsupported(f"Reshape to {target}, which mixes images")
    _reshape_to(b, node, value, target[1:])


def _flatten(b: _Builder, node) -> None:
    if _attributes(node).get("axis", 1) != 1:
        raise _unsupported("Flatten over images")
    value = b.value(node)
    _reshape_to(b, node, value, [int(np.prod(value.shape[1:]))])


def _squeeze(b: _Builder, node) -> None:
    value = b.value(node)
    axes = _attributes(node).get("axes")
    if axes is None:
        found = b.constant(node, 1)
        axes = [n for n, side in enumerate(value.shape) if n and side == 1] if found is None else found.tolist()
    dropped = {axis % len(value.shape) for axis in axes}
    if 0 in dropped:
        raise _unsupported("Squeeze of the batch")
    _reshape_to(b, node, value, [int(side) for n, side in enumerate(value.shape) if n and n not in dropped])


def _unsqueeze(b: _Builder, node) -> None:
    value = b.value(node)
    axes = _attributes(node).get("axes")
    found = b.constant(node, 1) if axes is None else np.array(axes)
    assert found is not None
    shape = list(value.shape)
    for axis in sorted(one % (len(shape) + len(found)) for one in found.tolist()):
        shape.insert(axis, 1)
    _reshape_to(b, node, value, [int(side) for side in shape[1:]])


def _transpose(b: _Builder, node) -> None:
    value = b.value(node)
    order = list(_attributes(node)["perm"])
    if value.turned and order == [0, 2, 3, 1]:
        b.keep(node, Value(value.tensor, False, value.positive))
    elif not value.turned and order == [0, 3, 1, 2]:
        b.keep(node, Value(value.tensor, True, value.positive))
    elif order[0] == 0:
        y = layers.Permute(tuple(order[1:]), name=b.name(node))(b.plain(value, node))
        b.keep(node, Value(y, False, value.positive))
    else:
        raise _unsupported("Transpose of the batch")


def _pad(b: _Builder, node) -> None:
    given, value = _attributes(node), b.value(node)
    pads = given.get("pads")
    if pads is None:
        found = b.constant(node, 1)
        assert found is not None
        pads = found.tolist()
    filling = b.constant(node, 2) if len(node.input) > 2 else None
    rank = len(value.shape)
    turned = value.turned
    before, after = pads[:rank], pads[rank:]
    rows, columns = (2, 3) if turned else (1, 2)
    others = [n for n in range(rank) if n not in (rows, columns)]
    is_zero = filling is None or float(filling.reshape(-1)[0]) == 0.0
    if (
        given.get("mode", b"constant") != b"constant"
        or not is_zero
        or rank != 4
        or any(before[n] or after[n] for n in others)
    ):
        raise _unsupported("Pad other than zeros around a picture")
    y = layers.ZeroPadding2D(((before[rows], after[rows]), (before[columns], after[columns])), name=b.name(node))(
        value.tensor
    )
    b.keep(node, Value(y, turned, value.positive))


def _slice(b: _Builder, node) -> None:
    """A picture without some of its border."""
    value = b.value(node)
    starts, ends, axes, steps = (b.constant(node, index) for index in range(1, 5))
    rows, columns = (2, 3) if value.turned else (1, 2)
    crop = {rows: (0, 0), columns: (0, 0)}
    if starts is None or ends is None or len(value.shape) != 4 or (steps is not None and set(steps.tolist()) != {1}):
        raise _unsupported("Slice with steps")
    for place, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        axis = place if axes is None else int(axes[place]) % 4
        if axis == 0 and start == 0 and end >= 1:
            continue
        side = int(value.shape[axis])
        start, end = (max(0, min(side, one + side if one < 0 else one)) for one in (start, end))
        if axis in crop:
            crop[axis] = (start, side - end)
        elif (start, end) != (0, side):
            raise _unsupported("Slice of channels")
    y = layers.Cropping2D((crop[rows], crop[columns]), name=b.name(node))(value.tensor)
    b.keep(node, Value(y, value.turned, value.positive))


def _same(b: _Builder, node) -> None:
    if b.is_constant(node, 0):
        found = b.constant(node, 0)
        assert found is not None
        b.keep_constant(node, found)
    else:
        b.keep(node, b.value(node))


def _constant(b: _Builder, node) -> None:
    given = _attributes(node)
    if "value" in given:
        b.keep_constant(node, numpy_helper.to_array(given["value"]))
    elif "value_float" in given:
        b.keep_constant(node, np.array(given["value_float"], np.float32))
    else:
        raise _unsupported("a constant of an unknown kind")


def _dequantize(b: _Builder, node) -> None:
    """Whole numbers back to numbers. Of activations the rounding in between is left out."""
    if not b.is_constant(node, 0):
        _dequantize_value(b, node)
        return
    scale, zero = b.constant(node, 1), b.constant(node, 2)
    assert scale is not None
    numbers = b.constant(node, 0)
    assert numbers is not None
    axis = _attributes(node).get("axis", 1)
    shape = [1] * numbers.ndim
    if scale.ndim:
        shape[axis] = -1
    centred = numbers.astype(np.float32) - (0 if zero is None else zero.astype(np.float32).reshape(shape))
    b.keep_constant(node, (centred * scale.reshape(shape)).astype(np.float32))


def _dequantize_value(b: _Builder, node) -> None:
    value = b.value(node)
    if node.input[0] != b._given.name:
        b.keep(node, value)
        return
    scale, zero = b.constant(node, 1), b.constant(node, 2)
    assert scale is not None
    # The input itself is whole numbers: pixels, as int8 less 128.
    shift = 128 if b._given.element_type == onnx.TensorProto.INT8 else 0
    centre = (0 if zero is None else float(zero)) + shift
    y = layers.Rescaling(float(scale), offset=-float(scale) * centre, name=b.name(node))(value.tensor)
    b.keep(node, Value(y, value.turned))


OPERATIONS: dict[str, Callable[[_Builder, onnx.NodeProto], None]] = {
    "Add": _arithmetic(layers.Add, lambda c, first: (np.ones(()), c)),
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_normalization,
    "Cast": _same,
    "Clip": _clip,
    "Concat": _concatenate,
    "Constant": _constant,
    "Conv": _convolution,
    "DequantizeLinear": _dequantize,
    "Div": _arithmetic(None, lambda c, first: _divided(c, first)),
    "Dropout": _same,
    "DynamicQuantizeLinear": _same,
    "Elu": _elu,
    "Flatten": _flatten,
    "Gemm": _gemm,
    "GlobalAveragePool": _global_pool(layers.GlobalAveragePooling2D),
    "GlobalMaxPool": _global_pool(layers.GlobalMaxPooling2D),
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _activation("hard_silu"),
    "Identity": _same,
    "LeakyRelu": _leaky,
    "LogSoftmax": _softmax,  # a classifier's last step: the probabilities themselves are wanted
    "MatMul": _matmul,
    "MaxPool": _max_pool,
    "Mul": _arithmetic(layers.Multiply, lambda c, first: (c, np.zeros(()))),
    "PRelu": _prelu,
    "Pad": _pad,
    "QuantizeLinear": _same,
    "ReduceMean": _reduce_mean,
    "Relu": _activation("relu", positive=True),
    "Reshape": _reshape,
    "Sigmoid": _activation("sigmoid", positive=True),
    "Slice": _slice,
    "Softmax": _softmax,
    "Softplus": _activation("softplus", positive=True),
    "Squeeze": _squeeze,
    "Sub": _arithmetic(layers.Subtract, lambda c, first: (-np.ones(()), c) if first else (np.ones(()), -c)),
    "Tanh": _activation("tanh"),
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}


def _divided(constant: np.ndarray, constant_first: bool) -> tuple[np.ndarray, np.ndarray]:
    if constant_first or not np.all(constant):
        raise _unsupported("a division by a computed tensor")
    return 1.0 / constant, np.zeros(())
