"""ONNX files: read without following them anywhere, and made simple by ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import onnx

from vision.model_import.onnx_graph.checks import check_onnx
from vision.model_import.onnx_graph.inputs import input_of
from vision.training.errors import UploadError


def load_onnx(path: Path) -> onnx.ModelProto:
    """Raises `UploadError`: `not_a_model`, `unsafe_file`, `unsupported_operation`, `too_large`."""
    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception as error:  # protobuf's errors are not part of the interface of onnx
        raise UploadError("not_a_model", "This is no ONNX file, or a damaged one.") from error
    check_onnx(model)
    return model


def simplified(model: onnx.ModelProto, image_size: tuple[int, int], folder: Path) -> onnx.ModelProto:
    """The same graph for one image of a fixed size, its constant parts computed (by ONNX Runtime)."""
    import onnxruntime

    given = input_of(model)
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    sides = [1, 3, *image_size] if given.channels_first else [1, *image_size, 3]
    for source in fixed.graph.input:
        if source.name == given.name:
            for dimension, side in zip(source.type.tensor_type.shape.dim, sides, strict=True):
                dimension.dim_value = side
    for output in fixed.graph.output:  # the shapes of the input say it again
        output.type.tensor_type.ClearField("shape")
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
