"""What an ONNX file may have: one flat graph of known operations with its weights in it. DecodedEntry at, not run."""

from __future__ import annotations

import onnx
from google.protobuf.message import Message

from vision.model_import.onnx_graph.operations import OPERATIONS
from vision.runtime.onnx_file import names_other_files
from vision.training.errors import UploadError

MAX_NODES = 5000
DOMAINS = ("", "ai.onnx")
# Beside what becomes layers: what shapes and constants are computed with, which ONNX Runtime does beforehand, and what
# it takes apart into the others.
COMPUTED_BEFORE = frozenset({
    "Abs", "And", "ArgMax", "CastLike", "Ceil", "ConstantOfShape", "ConvInteger", "ConvTranspose", "Cos",
    "DepthToSpace", "Einsum", "Equal", "Erf", "Exp", "Expand", "Floor", "Gather", "GatherElements", "GatherND",
    "Gelu", "Greater", "GreaterOrEqual", "GroupNormalization", "InstanceNormalization", "LRN", "LayerNormalization",
    "Less", "LessOrEqual", "Log", "MatMulInteger", "Max", "Mean", "Min", "Mish", "Mod", "Neg", "Not", "Or", "Pow",
    "QLinearConv", "QLinearMatMul", "Range", "Reciprocal", "ReduceL2", "ReduceMax", "ReduceMin", "ReduceProd",
    "ReduceSum", "Resize", "Round", "ScatterND", "Selu", "Shape", "Sign", "Sin", "Size", "Softsign", "SpaceToDepth",
    "Split", "Sqrt", "Sum", "ThresholdedRelu", "Tile", "Upsample", "Where",
})  # fmt: skip
TAKEN = COMPUTED_BEFORE | set(OPERATIONS)
ATTRIBUTES = (
    onnx.AttributeProto.FLOAT,
    onnx.AttributeProto.INT,
    onnx.AttributeProto.STRING,
    onnx.AttributeProto.TENSOR,
    onnx.AttributeProto.FLOATS,
    onnx.AttributeProto.INTS,
    onnx.AttributeProto.STRINGS,
)
SAID_OF_THE_MODEL = ("functions", "training_info", "metadata_props", "configuration")
BRANCHES = ("g", "graphs")
OTHER_VALUES = ("tensors", "sparse_tensor", "sparse_tensors", "tp", "type_protos", "ref_attr_name")


def check_onnx(model: onnx.ModelProto) -> None:
    """Refuse what is not taken, and forget what says nothing of the network.

    Raises:
        UploadError: `unsafe_file`, `unsupported_operation`, `too_large`, `not_a_model`.
    """
    if names_other_files(model):
        raise UploadError("unsafe_file", "The weights are in another file. Save the model as one ONNX file.")
    model.DiscardUnknownFields()
    if model.functions or model.training_info:
        raise UploadError(
            "unsupported_operation",
            "The ONNX file has functions of its own or training, which are not taken. Export the network alone, with "
            "every function inlined.",
        )
    for name in SAID_OF_THE_MODEL:
        if name in model.DESCRIPTOR.fields_by_name:
            model.ClearField(name)
    for imported in [opset for opset in model.opset_import if opset.domain not in DOMAINS]:
        model.opset_import.remove(imported)
    _check_graph(model.graph)


def _check_graph(graph: onnx.GraphProto) -> None:
    if not graph.node:
        raise UploadError("not_a_model", "The ONNX file has no network.")
    if len(graph.node) > MAX_NODES:
        raise UploadError("too_large", f"The network has more than {MAX_NODES} operations.")
    if graph.sparse_initializer:
        raise UploadError("unsupported_operation", "The ONNX file has sparse weights, which are not taken.")
    for node in graph.node:
        if node.domain not in DOMAINS or node.op_type not in TAKEN:
            name = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
            raise UploadError(
                "unsupported_operation", f"The network has the operation {name[:80]!r}, which is not taken."
            )
        for attribute in node.attribute:
            _check_attribute(node, attribute)


def _check_attribute(node: onnx.NodeProto, attribute: onnx.AttributeProto) -> None:
    if any(_has(attribute, name) for name in BRANCHES):
        raise UploadError("unsupported_operation", f"The network has branches or loops ({node.op_type}).")
    if attribute.type not in ATTRIBUTES or any(_has(attribute, name) for name in OTHER_VALUES):
        raise UploadError(
            "unsupported_operation", f"The operation {node.op_type} has {attribute.name[:80]!r}, which is not taken."
        )


def _has(attribute: onnx.AttributeProto, name: str) -> bool:
    value = getattr(attribute, name)
    return attribute.HasField(name) if isinstance(value, Message) else bool(value)
