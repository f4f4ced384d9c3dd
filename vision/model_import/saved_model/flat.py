"""A signature as one flat graph: calls replaced by what they call, variables by their values. Nothing is run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from tensorflow.core.framework.attr_value_pb2 import AttrValue
from tensorflow.core.framework.function_pb2 import FunctionDef
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.core.framework.op_def_pb2 import OpDef
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow.core.framework.versions_pb2 import VersionDef
from tensorflow.python.framework import op_def_registry

from vision.model_import.saved_model.operations import CALLS, check_computing
from vision.model_import.saved_model.variables import NUMBER_TYPES
from vision.training.errors import UploadError

IMAGE = "image"
MAX_NODES, MAX_DEPTH = 20_000, 40
MAX_CONSTANT = 100_000_000  # numbers
NUMBERS = {dtype.as_datatype_enum for dtype in NUMBER_TYPES}
READING, PASSING = ("ReadVariableOp",), ("Identity", "EnsureShape")


@dataclass(frozen=True)
class Variable:
    """In the place of a tensor: what only `ReadVariableOp` may read."""

    number: int


Reference = str | Variable  # "node" or "node:1"


class Flattener:
    """Collects the nodes. `value_of` gives the values of variables."""

    def __init__(self, functions: dict[str, FunctionDef], value_of: Callable[[int], np.ndarray]) -> None:
        self.graph = GraphDef(versions=VersionDef(producer=tf.version.GRAPH_DEF_VERSION))
        self._functions = functions
        self._value_of = value_of
        self._read: dict[int, str] = {}

    def placeholder(self, dtype: int) -> str:
        self._add("Placeholder", [], {"dtype": AttrValue(type=dtype)}, name=IMAGE)
        return IMAGE

    def constant(self, tensor: TensorProto) -> str:
        """A node for a `TensorProto`."""
        _check_constant(tensor)
        return self._add("Const", [], {"dtype": AttrValue(type=tensor.dtype), "value": AttrValue(tensor=tensor)})

    def call(self, function: FunctionDef, arguments: list[Reference], depth: int = 0) -> list[Reference]:
        """The function's outputs for arguments; its nodes are added.

        Raises:
            UploadError: `unsupported_operation`, `not_a_model`, `too_large`.
        """
        if depth > MAX_DEPTH:
            raise UploadError("too_large", "The SavedModel's functions are nested too deeply.")
        values: dict[str, list[Reference]] = {
            one.name: [argument] for one, argument in zip(function.signature.input_arg, arguments, strict=True)
        }
        nodes = {node.name: node for node in function.node_def}
        wanted = [function.ret[output.name] for output in function.signature.output_arg]
        for node in _in_order(nodes, wanted, set(values)):
            inputs = [_looked_up(name, nodes, values) for name in node.input if not name.startswith("^")]
            values[node.name] = self._outputs(node, inputs, depth)
        return [_looked_up(name, nodes, values) for name in wanted]

    def _outputs(self, node: NodeDef, inputs: list[Reference], depth: int) -> list[Reference]:
        called = node.attr["f"].func.name if node.op in CALLS else node.op
        if called in self._functions:
            function = self._functions[called]
            if len(function.signature.input_arg) != len(inputs):
                raise _unfit()
            return self.call(function, inputs, depth + 1)
        if node.op in READING and len(inputs) == 1 and isinstance(inputs[0], Variable):
            return [self._value(inputs[0].number)]
        if node.op in PASSING and len(inputs) == 1 and isinstance(inputs[0], Variable):
            return list(inputs)
        check_computing(node.op)
        if node.op == "Const":
            return [self.constant(node.attr["value"].tensor)]
        tensors = [tensor for tensor in inputs if isinstance(tensor, str)]
        if len(tensors) != len(inputs):
            raise UploadError("unsupported_operation", f"The SavedModel gives a variable to {node.op!r}.")
        name = self._add(node.op, tensors, _plain(node))
        return [name if not slot else f"{name}:{slot}" for slot in range(_count(node))]

    def _value(self, number: int) -> str:
        if number not in self._read:
            self._read[number] = self.constant(tf.make_tensor_proto(self._value_of(number)))
        return self._read[number]

    def _add(self, operation: str, inputs: list[str], attributes: dict[str, AttrValue], name: str = "") -> str:
        if len(self.graph.node) >= MAX_NODES:
            raise UploadError("too_large", f"The SavedModel's signature has more than {MAX_NODES:,} operations.")
        node = self.graph.node.add(name=name or f"n{len(self.graph.node)}", op=operation, input=inputs)
        for key, value in attributes.items():
            node.attr[key].CopyFrom(value)
        return node.name


def _plain(node: NodeDef) -> dict[str, AttrValue]:
    """Its attributes, without what is said to the placement and without functions."""
    found = {key: value for key, value in node.attr.items() if not key.startswith("_")}
    if any(value.WhichOneof("value") == "func" or value.list.func for value in found.values()):
        raise UploadError("unsupported_operation", f"The SavedModel's operation {node.op!r} calls a function.")
    return found


def _check_constant(tensor: TensorProto) -> None:
    if tensor.dtype not in NUMBERS:
        raise UploadError("unsupported_operation", "The SavedModel computes with something else than numbers.")
    size = 1
    for dimension in tensor.tensor_shape.dim:
        size *= max(0, dimension.size)
    if size > MAX_CONSTANT:
        raise UploadError("too_large", f"A constant of the SavedModel has more than {MAX_CONSTANT:,} numbers.")


def _in_order(nodes: dict[str, NodeDef], wanted: list[str], given: set[str]) -> list[NodeDef]:
    """The nodes that the wanted tensors need, each after what it needs; control edges are left out."""
    ordered: list[NodeDef] = []
    state: dict[str, int] = {}  # 1: being looked at, 2: done
    waiting = [(name.split(":")[0], False) for name in wanted]
    while waiting:
        name, is_left = waiting.pop()
        if is_left:
            state[name] = 2
            ordered.append(nodes[name])
        elif name not in given and state.get(name) != 2:
            if name not in nodes or state.get(name) == 1:
                raise _unfit()
            state[name] = 1
            waiting.append((name, True))
            needed = {source.split(":")[0] for source in nodes[name].input if not source.startswith("^")}
            if any(state.get(one) == 1 for one in needed):
                raise _unfit()
            waiting += [(one, False) for one in needed if state.get(one) != 2]
    return ordered


def _looked_up(name: str, nodes: dict[str, NodeDef], values: dict[str, list[Reference]]) -> Reference:
    """A tensor by its name in a function: `argument`, or `node:output:number`."""
    parts = name.split(":")
    slot = 0
    if len(parts) == 3 and parts[0] in nodes:
        slot = _first_slot(nodes[parts[0]], parts[1]) + int(parts[2])
    found = values.get(parts[0], [])
    if not 0 <= slot < len(found):
        raise _unfit()
    return found[slot]


def _first_slot(node: NodeDef, output: str) -> int:
    """Of an output that has a name, among all outputs of the node. A call's are one list."""
    definition = op_def_registry.get(node.op)
    if definition is None or node.op in CALLS:
        return 0
    slot = 0
    for one in definition.output_arg:
        if one.name == output:
            return slot
        slot += _width(one, node)
    raise _unfit()


def _count(node: NodeDef) -> int:
    definition = op_def_registry.get(node.op)
    if definition is None:
        raise UploadError("unsupported_operation", f"TensorFlow has no operation {node.op!r} here.")
    return sum(_width(output, node) for output in definition.output_arg)


def _width(output: OpDef.ArgDef, node: NodeDef) -> int:
    if output.number_attr:
        return min(MAX_NODES, max(0, node.attr[output.number_attr].i))
    return len(node.attr[output.type_list_attr].list.type) if output.type_list_attr else 1


def _unfit() -> UploadError:
    return UploadError("not_a_model", "The functions of the SavedModel do not fit together.")
