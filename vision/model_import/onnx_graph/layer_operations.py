"""Operations that are layers: convolutions, pools, dense layers, activations."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
from keras import layers
from onnx import NodeProto

from vision.model_import.onnx_graph.builder import TURNED_AXES, Builder, Value, attributes_of, unsupported


def convolution(b: Builder, node: NodeProto) -> None:
    given = attributes_of(node)
    kernel, bias = b.constant(node, 1), b.constant(node, 2)
    if kernel is None or kernel.ndim != 4:
        raise unsupported("a convolution that is not of images")
    x = b.turned(b.value(node), node)
    strides, dilations = given.get("strides", [1, 1]), given.get("dilations", [1, 1])
    extent = [(side - 1) * dilation + 1 for side, dilation in zip(kernel.shape[2:], dilations, strict=True)]
    x, padding = _padded(b, node, x, given, extent, strides)
    groups, channels = given.get("group", 1), int(x.shape[-1])
    common = {
        "strides": tuple(strides),
        "padding": padding,
        "dilation_rate": tuple(dilations),
        "use_bias": bias is not None,
        "name": b.name(node),
    }
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


def _padded(
    b: Builder,
    node: NodeProto,
    x: keras.KerasTensor,
    given: dict,
    extent: list[int],
    strides: list[int],
    *,
    fills: bool = True,
) -> tuple[keras.KerasTensor, str]:
    """The input with its padding, or the name of a padding that TensorFlow does by itself."""
    automatic = given.get("auto_pad", b"NOTSET").decode()
    if automatic == "SAME_UPPER":
        return x, "same"
    if automatic not in ("NOTSET", "VALID"):
        raise unsupported(f"padding {automatic}")
    top, left, bottom, right = given.get("pads", [0, 0, 0, 0])
    if not any((top, left, bottom, right)):
        return x, "valid"
    sides = zip(x.shape[1:3], extent, strides, ((top, bottom), (left, right)), strict=True)
    if all(_same_padding(int(side), *rest) == pads for side, *rest, pads in sides):
        return x, "same"
    if not fills:
        raise unsupported(f"{node.op_type} with padding")
    return layers.ZeroPadding2D(((top, bottom), (left, right)), name=f"{b.name(node)}_pad")(x), "valid"


def _same_padding(side: int, extent: int, stride: int) -> tuple[int, int]:
    """What TensorFlow adds before and after a side for padding "same"."""
    total = max((-(-side // stride) - 1) * stride + extent - side, 0)
    return total // 2, total - total // 2


def max_pool(b: Builder, node: NodeProto) -> None:
    given, value = attributes_of(node), b.value(node)
    strides, size = given.get("strides", [1, 1]), given["kernel_shape"]
    _check_pool(given, node)
    # A border of zeros is no border of minus infinity, but where nothing is below 0 it is as good.
    x, padding = _padded(b, node, b.turned(value, node), given, size, strides, fills=value.positive)
    y = layers.MaxPooling2D(tuple(size), tuple(strides), padding=padding, name=b.name(node))(x)
    b.keep(node, Value(y, True, value.positive))


def average_pool(b: Builder, node: NodeProto) -> None:
    given, value = attributes_of(node), b.value(node)
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


def _check_pool(given: dict, node: NodeProto) -> None:
    if (
        given.get("ceil_mode")
        or any(dilation != 1 for dilation in given.get("dilations", []))
        or len(given["kernel_shape"]) != 2
    ):
        raise unsupported(f"{node.op_type} with ceil_mode or dilations")


def global_pool(layer_class: type[layers.Layer]) -> Callable:
    def convert(b: Builder, node: NodeProto) -> None:
        value = b.value(node)
        y = layer_class(keepdims=True, name=b.name(node))(b.turned(value, node))
        b.keep(node, Value(y, True, value.positive))

    return convert


def reduce_mean(b: Builder, node: NodeProto) -> None:
    given, value = attributes_of(node), b.value(node)
    axes = given.get("axes")
    if axes is None:
        found = b.constant(node, 1)
        axes = [] if found is None else found.tolist()
    axes = sorted(axis % len(value.shape) for axis in axes)
    spatial = [2, 3] if value.turned else [1, 2]
    if len(value.shape) != 4 or axes != spatial:
        raise unsupported(f"ReduceMean over the axes {axes}")
    keeps = bool(given.get("keepdims", 1))
    y = layers.GlobalAveragePooling2D(keepdims=keeps, name=b.name(node))(value.tensor)
    b.keep(node, Value(y, value.turned and keeps, value.positive))


def batch_normalization(b: Builder, node: NodeProto) -> None:
    value = b.value(node)
    gamma, beta, mean, variance = (b.constant(node, index) for index in range(1, 5))
    layer = layers.BatchNormalization(epsilon=attributes_of(node).get("epsilon", 1e-5), name=b.name(node))
    y = layer(b.turned(value, node))
    layer.set_weights([gamma, beta, mean, variance])
    b.keep(node, Value(y, len(value.shape) == 4))


def gemm(b: Builder, node: NodeProto) -> None:
    given = attributes_of(node)
    if given.get("alpha", 1.0) != 1.0 or given.get("beta", 1.0) != 1.0 or given.get("transA"):
        raise unsupported("Gemm with factors")
    kernel, bias = b.required_constant(node, 1), b.constant(node, 2)
    _dense(b, node, kernel.T if given.get("transB") else kernel, bias)


def matmul(b: Builder, node: NodeProto) -> None:
    kernel = b.constant(node, 1)
    if kernel is None or kernel.ndim != 2:
        raise unsupported("MatMul of two computed tensors")
    _dense(b, node, kernel, None)


def _dense(b: Builder, node: NodeProto, kernel: np.ndarray, bias: np.ndarray | None) -> None:
    layer = layers.Dense(kernel.shape[1], use_bias=bias is not None, name=b.name(node))
    y = layer(b.plain(b.value(node), node))
    layer.set_weights([kernel] + ([np.broadcast_to(bias.reshape(-1), (kernel.shape[1],))] if bias is not None else []))
    b.keep(node, Value(y))


def _simple(make: Callable[..., layers.Layer], positive: bool | None = None) -> Callable:
    """An operation on every number by itself."""

    def convert(b: Builder, node: NodeProto) -> None:
        value = b.value(node)
        y = make(name=b.name(node), **{})(value.tensor)
        b.keep(node, Value(y, value.turned, value.positive if positive is None else positive))

    return convert


def activation(function: str, positive: bool = False) -> Callable:
    return _simple(lambda name: layers.Activation(function, name=name), positive)


def leaky(b: Builder, node: NodeProto) -> None:
    value = b.value(node)
    y = layers.LeakyReLU(attributes_of(node).get("alpha", 0.01), name=b.name(node))(value.tensor)
    b.keep(node, Value(y, value.turned))


def elu(b: Builder, node: NodeProto) -> None:
    value = b.value(node)
    y = layers.ELU(attributes_of(node).get("alpha", 1.0), name=b.name(node))(value.tensor)
    b.keep(node, Value(y, value.turned))


def prelu(b: Builder, node: NodeProto) -> None:
    value, slope = b.value(node), b.required_constant(node, 1)
    layer = layers.PReLU(shared_axes=[1, 2] if len(value.shape) == 4 else None, name=b.name(node))
    y = layer(b.turned(value, node))
    channels = int(y.shape[-1])
    slopes = np.broadcast_to(slope.reshape(-1), (channels,))
    layer.set_weights([slopes.reshape(1, 1, channels) if len(value.shape) == 4 else slopes])
    b.keep(node, Value(y, len(value.shape) == 4))


def clip(b: Builder, node: NodeProto) -> None:
    given, value = attributes_of(node), b.value(node)
    low = given.get("min") if "min" in given else b.constant(node, 1)
    high = given.get("max") if "max" in given else b.constant(node, 2)
    low, high = (None if one is None else float(one) for one in (low, high))
    if low != 0.0:
        raise unsupported(f"Clip between {low} and {high}")
    y = layers.ReLU(max_value=high, name=b.name(node))(value.tensor)
    b.keep(node, Value(y, value.turned, True))


def hard_sigmoid(b: Builder, node: NodeProto) -> None:
    given, value = attributes_of(node), b.value(node)
    if abs(given.get("alpha", 0.2) - 1 / 6) > 1e-4 or given.get("beta", 0.5) != 0.5:
        raise unsupported("HardSigmoid with other slopes than 1/6")
    b.keep(node, Value(layers.Activation("hard_sigmoid", name=b.name(node))(value.tensor), value.turned, True))


def softmax(b: Builder, node: NodeProto) -> None:
    value = b.value(node)
    axis = attributes_of(node).get("axis", -1) % len(value.shape)
    axis = TURNED_AXES[axis] if value.turned else axis
    b.keep(node, Value(layers.Softmax(axis=axis, name=b.name(node))(value.tensor), value.turned, True))
