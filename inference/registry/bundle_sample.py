"""The image that goes with a bundle, and what the bundle's file says of it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from inference.models import Model, Resize
from projects.models import Task
from vision.imaging.letterbox import Letterbox, to_letterboxed
from vision.imaging.preprocessing import open_image, to_pixels
from vision.runtime.answers import labels_with_thresholds
from vision.runtime.boxes import AnchorShapes, anchors_for, detections_from
from vision.runtime.interpreters import LiteRTClassifier, LiteRTDetector, ModelFileError
from vision.runtime.kinds import KINDS
from vision.runtime.onnx import OnnxNetwork

NAME = "sample.png"

WIDTH, HEIGHT = 320, 240

LABELS, BOXES = 5, 100


def image() -> bytes:
    """A made pattern, always the same: nobody's photograph leaves the studio with a model."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    pixels = np.stack([x * 255 / WIDTH, y * 255 / HEIGHT, 127 + 127 * np.sin(x / 17) * np.cos(y / 13)], axis=-1)
    pixels[(x - 90) ** 2 + (y - 120) ** 2 < 50**2] = (230, 60, 40)
    pixels[60:180, 190:280] = (30, 60, 200)
    content = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(content, "PNG")
    return content.getvalue()


def output_of(model: Model, kind: str, path: Path) -> dict | None:
    """The line that `predict.py` prints for the sample; None for files that this process has no runtime for."""
    size = (model.input_height, model.input_width)
    is_detector = Task(model.task).has_boxes
    try:
        if KINDS[kind].runtime == "onnxruntime":
            run = OnnxNetwork(path).run
        elif KINDS[kind].runtime == "litert":
            run = (LiteRTDetector if is_detector else LiteRTClassifier)(path).run
        else:
            return None
    except (ModelFileError, ImportError):
        return None
    with open_image(image()) as opened:
        prepare = to_letterboxed if model.resize == Resize.LETTERBOX else to_pixels
        raw = run(prepare(opened, size))
    return {"file": NAME, **(_boxes(model, raw, size) if is_detector else _labels(model, raw))}


def _labels(model: Model, scores: np.ndarray) -> dict:
    if model.task == Task.MULTILABEL:
        answers = labels_with_thresholds(scores, model.class_names, model.ordered_thresholds)
        present = [answer for answer in answers if answer["is_present"]]
        return {"labels": [{"label": answer["label"], "score": round(answer["score"], 4)} for answer in present]}
    best = [n for n in np.argsort(-scores)[:LABELS] if scores[n] >= (model.score_threshold or 0.0)]
    return {"labels": [{"label": model.class_names[n], "score": round(float(scores[n]), 4)} for n in best]}


def _boxes(model: Model, raw: np.ndarray, size: tuple[int, int]) -> dict:
    letterbox, detector = Letterbox.fit(WIDTH, HEIGHT, size), model.detector
    own = detector.get("label_thresholds", {})
    detections = detections_from(
        anchors_for(size, AnchorShapes.from_dict(detector["anchors"])),
        raw,
        letterbox.content_size,
        score_threshold=[own.get(name, detector["score_threshold"]) for name in model.class_names],
        iou_threshold=detector["iou_threshold"],
        limit=BOXES,
    )
    boxes = letterbox.to_image(detections.boxes, WIDTH, HEIGHT)
    return {
        "boxes": [
            {
                "label": model.class_names[label],
                "score": round(float(score), 4),
                "box": [round(float(edge), 2) for edge in box],
            }
            for box, score, label in zip(boxes, detections.scores, detections.labels, strict=True)
        ]
    }
