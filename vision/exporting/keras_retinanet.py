"""A detector of keras-retinanet in the form that other runtimes take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vision.detection.graph import detections_graph
from vision.exporting.servable import Servable
from vision.legacy_retinanet.imports import check_configuration, load_package_model
from vision.legacy_retinanet.networks import levels_of, raw_model
from vision.runtime.boxes import AnchorShapes, anchors_for
from vision.training.architectures import KERAS_RETINANET

if TYPE_CHECKING:
    import tensorflow as tf

    from vision.exporting.request import ExportRequest


def keras_retinanet_detector(request: ExportRequest) -> Servable:
    """From the package's `.h5` file. Raises `EngineError` for a damaged one."""
    path = Path(request.path)
    configuration = check_configuration(path)
    model = load_package_model(path, configuration)
    shapes = AnchorShapes.from_dict(request.detector["anchors"])
    size = (request.input_size[0], request.input_size[1])
    backbone = request.architecture.removeprefix(KERAS_RETINANET)
    raw = raw_model(model, size, backbone, levels=levels_of(shapes), batch_size=1)
    anchors = anchors_for(size, shapes)

    def serve(image: tf.Tensor) -> dict[str, tf.Tensor]:
        return detections_graph(raw(image, training=False), anchors, size, request.detector["iou_threshold"])

    def serve_parts(image: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = raw(image, training=False)
        return {"offsets": outputs[..., :4], "logits": outputs[..., 4:]}

    return Servable(size, 1, serve, serve_parts, [raw], path)
