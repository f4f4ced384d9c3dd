"""What a model can be exported as: data only, so that the web process can list it without TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass

ONNX_OPSET = 17


@dataclass(frozen=True)
class ExportKind:
    """One kind of file.

    Attributes:
        name: stable identifier used in the API.
        runtime: what a device needs to run it: `litert`, `onnxruntime`, `tensorflow` or `keras`.
        filename: what the file is called.
        is_lossy: whether it computes with fewer digits than the model; such a file may be a little worse.
        is_calibrated: whether images are needed to write it.
    """

    name: str
    title: str
    runtime: str
    filename: str
    is_lossy: bool = False
    is_calibrated: bool = False


KINDS: dict[str, ExportKind] = {
    kind.name: kind
    for kind in (
        ExportKind("litert-float32", "LiteRT, float32", "litert", "model-float32.tflite"),
        ExportKind("litert-float16", "LiteRT, float16 weights", "litert", "model-float16.tflite", is_lossy=True),
        ExportKind("litert-dynamic", "LiteRT, int8 weights", "litert", "model-dynamic.tflite", is_lossy=True),
        ExportKind(
            "litert-int8",
            "LiteRT, int8 weights and activations",
            "litert",
            "model-int8.tflite",
            is_lossy=True,
            is_calibrated=True,
        ),
        ExportKind("onnx", f"ONNX, opset {ONNX_OPSET}", "onnxruntime", "model.onnx"),
        ExportKind("saved_model", "TensorFlow SavedModel (zip)", "tensorflow", "saved_model.zip"),
        ExportKind("keras", "Keras archive", "keras", "model.keras"),
    )
}
NAMES = tuple(KINDS)
# Of a detector, files whose graph says what the network says; boxes are made of that outside.
RAW_KINDS = ("litert-int8", "keras")
# Of a detector of keras-retinanet, whose own file is an HDF5 of Keras 2.
KERAS_RETINANET_KINDS = tuple(name for name in NAMES if name != "keras")


def has_boxes_inside(kind: str) -> bool:
    """Whether the file of a detector makes boxes in its graph, with the overlap allowed when it was written."""
    return kind in KINDS and kind not in RAW_KINDS
