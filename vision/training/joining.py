"""A backbone's LiteRT file with a linear head behind it: one file, without a second conversion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from vision.training.errors import ExportError

MAGIC = b"TFL3"
# Where the schema has buffers begin (`force_align`): runtimes read weights in place.
ALIGNMENT = 16
OUTPUT = "probabilities"


class _AlignedBuilder(flatbuffers.Builder):
    """The Python code of the schema leaves out `force_align`."""

    def CreateNumpyVector(self, x: np.ndarray) -> int:
        if x.dtype == np.uint8:
            self.Prep(ALIGNMENT, x.nbytes)
        return super().CreateNumpyVector(x)


def append_head(
    backbone: Path, kernel: np.ndarray, bias: np.ndarray, target: Path, activation: str = "softmax"
) -> None:
    """Write the backbone's operations followed by one FULLY_CONNECTED and one SOFTMAX or LOGISTIC.

    What a converter makes of both as one network is the same: these two operations on the features.

    Args:
        backbone: a LiteRT file whose only output is `(batch, features)` float32.
        kernel: `(features, labels)` float32.
        bias: `(labels,)` float32.
        target: where the file goes, with one output `(batch, labels)` float32.
        activation: `softmax` (rows of the output sum to 1) or `sigmoid`.

    Raises:
        ExportError: the file has another output.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(backbone.read_bytes(), 0))
    graph = model.subgraphs[0]
    features = int(graph.outputs[0])
    shape = graph.tensors[features].shape
    if len(model.subgraphs) != 1 or len(graph.outputs) != 1 or shape[-1] != len(kernel) or len(shape) != 2:
        raise ExportError(
            f"The backbone's LiteRT file gives {list(shape)}, and the head takes {len(kernel)} features: the file is "
            "not of this network. Train again."
        )
    weights = _constant(model, "head/kernel", np.ascontiguousarray(kernel.T, np.float32))
    offsets = _constant(model, "head/bias", np.ascontiguousarray(bias, np.float32))
    logits = _computed(model, "head/logits", features, len(bias))
    output = _computed(model, OUTPUT, features, len(bias))
    _operation(model, "FULLY_CONNECTED", schema.FullyConnectedOptionsT(), [features, weights, offsets], logits)
    if activation == "softmax":
        softmax = schema.SoftmaxOptionsT()
        softmax.beta = 1.0
        _operation(model, "SOFTMAX", softmax, [logits], output)
    else:
        _operation(model, "LOGISTIC", None, [logits], output)
    graph.outputs = np.array([output], np.int32)
    model.signatureDefs = [_signature(int(graph.inputs[0]), output)]
    builder = _AlignedBuilder(backbone.stat().st_size + kernel.nbytes + 65536)
    builder.Finish(model.Pack(builder), MAGIC)
    target.write_bytes(builder.Output())


def _signature(image: int, output: int) -> Any:
    """As exports of Keras have it."""
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = b"serving_default", 0
    signature.inputs, signature.outputs = [schema.TensorMapT()], [schema.TensorMapT()]
    signature.inputs[0].name, signature.inputs[0].tensorIndex = b"image", image
    signature.outputs[0].name, signature.outputs[0].tensorIndex = b"output_0", output
    return signature


def _constant(model: Any, name: str, values: np.ndarray) -> int:
    buffer, tensor = schema.BufferT(), schema.TensorT()
    buffer.data = values.reshape(-1).view(np.uint8)
    model.buffers.append(buffer)
    tensor.shape = np.array(values.shape, np.int32)
    tensor.buffer = len(model.buffers) - 1
    return _added(model, name, tensor)


def _computed(model: Any, name: str, like: int, labels: int) -> int:
    """A tensor with the batch axis of another one."""
    tensor, other = schema.TensorT(), model.subgraphs[0].tensors[like]
    tensor.shape = np.array([other.shape[0], labels], np.int32)
    if other.shapeSignature is not None:
        tensor.shapeSignature = np.array([other.shapeSignature[0], labels], np.int32)
    model.buffers.append(schema.BufferT())
    tensor.buffer = len(model.buffers) - 1
    return _added(model, name, tensor)


def _added(model: Any, name: str, tensor: Any) -> int:
    tensor.type, tensor.name, tensor.hasRank = schema.TensorType.FLOAT32, name.encode(), True
    model.subgraphs[0].tensors.append(tensor)
    return len(model.subgraphs[0].tensors) - 1


def _operation(model: Any, name: str, options: Any, inputs: list[int], output: int) -> None:
    code, operator = schema.OperatorCodeT(), schema.OperatorT()
    number = getattr(schema.BuiltinOperator, name)
    code.builtinCode, code.deprecatedBuiltinCode, code.version = number, number, 1
    model.operatorCodes.append(code)
    operator.opcodeIndex = len(model.operatorCodes) - 1
    operator.inputs, operator.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
    if options is not None:
        options_type = type(options).__name__.removesuffix("T")
        operator.builtinOptionsType, operator.builtinOptions = getattr(schema.BuiltinOptions, options_type), options
    model.subgraphs[0].operators.append(operator)
