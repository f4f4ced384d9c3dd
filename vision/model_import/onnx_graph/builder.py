"""What a graph has been turned into so far, and the helpers of its operations."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
import onnx
from keras import layers
from onnx import NodeProto, numpy_helper

from vision.model_import.onnx_graph.inputs import input_of
from vision.training.errors import UploadError

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


class Builder:
    """The graph as far as it was built: constants and tensors by their names, and what every operation needs."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.graph = model.graph
        self.given = input_of(model)
        self.values: dict[str, Value] = {}
        self.number = 0
        self._constants = {
            initializer.name: numpy_helper.to_array(initializer) for initializer in model.graph.initializer
        }

    def name(self, node: NodeProto) -> str:
        return f"{node.op_type.lower()}_{self.number}"

    def value(self, node: NodeProto, index: int = 0) -> Value:
        name = node.input[index]
        if name not in self.values:
            raise unsupported(f"{node.op_type} of a constant")
        return self.values[name]

    def constant(self, node: NodeProto, index: int) -> np.ndarray | None:
        """A constant input; None when the node has none there."""
        if index >= len(node.input) or not node.input[index]:
            return None
        found = self._constants.get(node.input[index])
        if found is None:
            raise unsupported(f"{node.op_type} with a computed parameter")
        return found

    def required_constant(self, node: NodeProto, index: int) -> np.ndarray:
        """A constant input that the operation cannot do without."""
        constant = self.constant(node, index)
        if constant is None:
            raise unsupported(f"{node.op_type} without its input {index}")
        return constant

    def is_constant(self, node: NodeProto, index: int) -> bool:
        return index < len(node.input) and node.input[index] in self._constants

    def keep(self, node: NodeProto, value: Value) -> None:
        self.values[node.output[0]] = value

    def keep_constant(self, node: NodeProto, array: np.ndarray) -> None:
        self._constants[node.output[0]] = array

    def turned(self, value: Value, node: NodeProto) -> keras.KerasTensor:
        """The tensor with its channels last."""
        if value.turned or len(value.shape) != 4:
            return value.tensor
        return layers.Permute((2, 3, 1), name=f"{self.name(node)}_turn")(value.tensor)

    def plain(self, value: Value, node: NodeProto) -> keras.KerasTensor:
        """The tensor as the graph has it."""
        if not value.turned:
            return value.tensor
        return layers.Permute((3, 1, 2), name=f"{self.name(node)}_turn")(value.tensor)


def unsupported(what: str) -> UploadError:
    return UploadError(
        "unsupported_operation",
        f"The network has {what}, which cannot be read here. Send it as .keras, or as another format.",
    )


def attributes_of(node: NodeProto) -> dict:
    return {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
