"""ONNX files: read without following them anywhere, and made simple by ONNX Runtime."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import onnx

from training.engine.uploads.layers import UploadError

MAX_NODES = 5000


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
