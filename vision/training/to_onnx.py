"""A TensorFlow function as ONNX, by tf2onnx."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from vision.runtime.kinds import ONNX_OPSET

if TYPE_CHECKING:
    import onnx

IMAGE, OUTPUT = "image", "output"


def function_to_onnx(function: Callable, signature: tf.TensorSpec) -> onnx.ModelProto:
    """The function with its weights as an `onnx.ModelProto`.

    Its input is `image`; its output `output`, or of a function that returns a dictionary, its keys.

    Raises:
        Whatever tf2onnx comes across; operations that it does not know are among it.
    """
    import tf2onnx

    concrete = tf.function(function, input_signature=[signature]).get_concrete_function()
    # `from_function` leaves constants that were made outside of the function as inputs (1.17); frozen, there are none.
    frozen = convert_variables_to_constants_v2(concrete, lower_control_flow=False)
    outputs = concrete.structured_outputs
    names = sorted(outputs) if isinstance(outputs, dict) else [OUTPUT]
    renamed = {frozen.inputs[0].name: IMAGE}
    renamed |= {tensor.name: name for tensor, name in zip(frozen.outputs, names, strict=True)}
    proto, _ = tf2onnx.convert.from_graph_def(
        frozen.graph.as_graph_def(),
        input_names=[frozen.inputs[0].name],
        output_names=[tensor.name for tensor in frozen.outputs],
        opset=ONNX_OPSET,
        tensors_to_rename=renamed,
    )
    return proto
