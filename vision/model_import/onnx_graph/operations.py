"""Which operation is which, with arithmetic and constants."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
from keras import layers
from onnx import NodeProto, numpy_helper

from vision.model_import.onnx_graph.builder import Builder, Value, attributes_of, unsupported
from vision.model_import.onnx_graph.layer_operations import (
    activation,
    average_pool,
    batch_normalization,
    clip,
    convolution,
    elu,
    gemm,
    global_pool,
    hard_sigmoid,
    leaky,
    matmul,
    max_pool,
    prelu,
    reduce_mean,
    softmax,
)
from vision.model_import.onnx_graph.shape_operations import (
    concatenate,
    crop,
    flatten,
    pad,
    reshape,
    same,
    squeeze,
    transpose,
    unsqueeze,
)


def _arithmetic(merge: Callable | None, scale_and_offset: Callable | None) -> Callable:
    """Two tensors, or one and a constant: a number, or one for each channel."""

    def convert(b: Builder, node: NodeProto) -> None:
        if b.is_constant(node, 0) and b.is_constant(node, 1):
            raise unsupported(f"{node.op_type} of constants")
        if b.is_constant(node, 0) or b.is_constant(node, 1):
            if scale_and_offset is None:
                raise unsupported(node.op_type)
            _with_constant(b, node, scale_and_offset)
            return
        if merge is None:
            raise unsupported(f"{node.op_type} of two computed tensors")
        first, second = b.value(node, 0), b.value(node, 1)
        turned = first.turned or second.turned
        tensors = [b.turned(one, node) if turned else one.tensor for one in (first, second)]
        if len(tensors[0].shape) != len(tensors[1].shape):
            raise unsupported(f"{node.op_type} of tensors with different axes")
        positive = first.positive and second.positive and merge is not layers.Subtract
        b.keep(node, Value(merge(name=b.name(node))(tensors), turned, positive))

    return convert


def _with_constant(b: Builder, node: NodeProto, scale_and_offset: Callable) -> None:
    index = 0 if b.is_constant(node, 1) else 1
    value, constant = b.value(node, index), b.required_constant(node, 1 - index)
    scale, offset = scale_and_offset(constant.astype(np.float64), index == 1)
    rank = len(value.shape)
    lists = [_per_channel(one, rank, 1 if value.turned else rank - 1, node) for one in (scale, offset)]
    y = layers.Rescaling(lists[0], offset=lists[1], name=b.name(node))(value.tensor)
    b.keep(node, Value(y, value.turned))


def _per_channel(numbers: np.ndarray, rank: int, axis: int, node: NodeProto) -> float | list[float]:
    numbers = np.asarray(numbers)
    if numbers.size == 1:
        return float(numbers.reshape(()))
    shape = (1,) * (rank - numbers.ndim) + numbers.shape
    if numbers.ndim > rank or any(side != 1 for place, side in enumerate(shape) if place != axis):
        raise unsupported(f"{node.op_type} with a constant of the shape {numbers.shape}")
    return numbers.reshape(-1).tolist()


def _divided(constant: np.ndarray, constant_first: bool) -> tuple[np.ndarray, np.ndarray]:
    if constant_first or not np.all(constant):
        raise unsupported("a division by a computed tensor")
    return 1.0 / constant, np.zeros(())


def _constant(b: Builder, node: NodeProto) -> None:
    given = attributes_of(node)
    if "value" in given:
        b.keep_constant(node, numpy_helper.to_array(given["value"]))
    elif "value_float" in given:
        b.keep_constant(node, np.array(given["value_float"], np.float32))
    else:
        raise unsupported("a constant of an unknown kind")


def _dequantize(b: Builder, node: NodeProto) -> None:
    """Whole numbers back to numbers. Of activations the rounding in between is left out."""
    if not b.is_constant(node, 0):
        _dequantize_value(b, node)
        return
    scale, zero = b.required_constant(node, 1), b.constant(node, 2)
    numbers = b.required_constant(node, 0)
    axis = attributes_of(node).get("axis", 1)
    shape = [1] * numbers.ndim
    if scale.ndim:
        shape[axis] = -1
    centred = numbers.astype(np.float32) - (0 if zero is None else zero.astype(np.float32).reshape(shape))
    b.keep_constant(node, (centred * scale.reshape(shape)).astype(np.float32))


def _dequantize_value(b: Builder, node: NodeProto) -> None:
    value = b.value(node)
    if node.input[0] != b.given.name:
        b.keep(node, value)
        return
    scale, zero = b.required_constant(node, 1), b.constant(node, 2)
    # The input itself is whole numbers: pixels, as int8 less 128.
    shift = 128 if b.given.element_type == onnx.TensorProto.INT8 else 0
    centre = (0 if zero is None else float(zero)) + shift
    y = layers.Rescaling(float(scale), offset=-float(scale) * centre, name=b.name(node))(value.tensor)
    b.keep(node, Value(y, value.turned))


OPERATIONS: dict[str, Callable[[Builder, onnx.NodeProto], None]] = {
    "Add": _arithmetic(layers.Add, lambda c, first: (np.ones(()), c)),
    "AveragePool": average_pool,
    "BatchNormalization": batch_normalization,
    "Cast": same,
    "Clip": clip,
    "Concat": concatenate,
    "Constant": _constant,
    "Conv": convolution,
    "DequantizeLinear": _dequantize,
    "Div": _arithmetic(None, lambda c, first: _divided(c, first)),
    "Dropout": same,
    "DynamicQuantizeLinear": same,
    "Elu": elu,
    "Flatten": flatten,
    "Gemm": gemm,
    "GlobalAveragePool": global_pool(layers.GlobalAveragePooling2D),
    "GlobalMaxPool": global_pool(layers.GlobalMaxPooling2D),
    "HardSigmoid": hard_sigmoid,
    "HardSwish": activation("hard_silu"),
    "Identity": same,
    "LeakyRelu": leaky,
    "LogSoftmax": softmax,  # a classifier's last step: the probabilities themselves are wanted
    "MatMul": matmul,
    "MaxPool": max_pool,
    "Mul": _arithmetic(layers.Multiply, lambda c, first: (c, np.zeros(()))),
    "PRelu": prelu,
    "Pad": pad,
    "QuantizeLinear": same,
    "ReduceMean": reduce_mean,
    "Relu": activation("relu", positive=True),
    "Reshape": reshape,
    "Sigmoid": activation("sigmoid", positive=True),
    "Slice": crop,
    "Softmax": softmax,
    "Softplus": activation("softplus", positive=True),
    "Squeeze": squeeze,
    "Sub": _arithmetic(layers.Subtract, lambda c, first: (-np.ones(()), c) if first else (np.ones(()), -c)),
    "Tanh": activation("tanh"),
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
}
