"""The whole graph, operation by operation."""

from __future__ import annotations

import keras
import onnx
from keras import layers

from vision.model_import.onnx_graph.builder import Builder, Value, unsupported
from vision.model_import.onnx_graph.operations import OPERATIONS
from vision.training.errors import UploadError


def keras_network(model: onnx.ModelProto, image_size: tuple[int, int]) -> keras.Model:
    """The graph as a functional network: `(batch, height, width, 3)` float32 → `(batch, outputs)`.

    Args:
        model: from `simplified`.

    Raises:
        UploadError: `unsupported_operation`, `wrong_output`.
    """
    builder = Builder(model)
    image = keras.Input((*image_size, 3), name="image", dtype="float32")
    builder.values[builder.given.name] = Value(image, turned=builder.given.channels_first, positive=True)
    for node in builder.graph.node:
        builder.number += 1
        convert = OPERATIONS.get(node.op_type)
        if convert is None or node.domain not in ("", "ai.onnx"):
            raise unsupported(node.op_type)
        convert(builder, node)
    outputs = [builder.values.get(output.name) for output in builder.graph.output]
    if len(outputs) != 1 or outputs[0] is None:
        raise UploadError("wrong_output", f"The network must have one output; it has {len(outputs)}.")
    return keras.Model(image, _flat(outputs[0]), name="uploaded")


def _flat(value: Value) -> keras.KerasTensor:
    return value.tensor if len(value.shape) == 2 else layers.Flatten(name="output")(value.tensor)
