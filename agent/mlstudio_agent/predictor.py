"""One image in, labels or boxes out: the same steps as the studio's."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path

import numpy as np

from vision.imaging.letterbox import to_letterboxed
from vision.imaging.orientation import upright_size
from vision.imaging.preprocessing import open_image, to_pixels
from vision.runtime.answers import boxes_of, labels_of, labels_with_thresholds
from vision.runtime.boxes import AnchorShapes, anchors_for, thresholds_of
from vision.runtime.interpreters import LiteRTClassifier, LiteRTDetector, ModelFileError
from vision.runtime.onnx import OnnxNetwork

from .errors import ModelFailed

MAX_LABELS, MAX_BOXES = 5, 100
# Of a label of a multilabel model for which none was chosen.
DEFAULT_THRESHOLD = 0.5


def sure_enough(found: dict, model: dict) -> dict:
    """What the device answers of what `Predictor.predict` found: a classifier's labels from its lowest score on, all of
    a multilabel model's, each with whether it is present.

    Args:
        model: of a manifest.
    """
    lowest = model.get("score_threshold") or 0.0
    return {**found, "labels": [answer for answer in found["labels"] if answer["score"] >= lowest]}


class Predictor:
    """A model of a manifest, loaded.

    Args:
        entry: a manifest's `model` and `file`.
        path: of the file.

    Raises:
        ModelFailed: it cannot be loaded.
    """

    def __init__(self, entry: dict, path: Path, threads: int | None = None) -> None:
        self.model = entry["model"]
        self._size = (self.model["input_height"], self.model["input_width"])
        self._is_detector = self.model["task"] == "detection"
        threads = threads or os.cpu_count() or 1
        self._network: OnnxNetwork | LiteRTDetector | LiteRTClassifier
        try:
            if entry["file"]["kind"] == "onnx":
                self._network = OnnxNetwork(str(path), num_threads=threads)
            else:
                kind = LiteRTDetector if self._is_detector else LiteRTClassifier
                self._network = kind(str(path), max_interpreters=1, num_threads=threads)
        except ImportError as error:
            raise ModelFailed(f"The package that runs this model is missing: {error}") from error
        except ModelFileError as error:
            raise ModelFailed(str(error)) from error
        if self._is_detector:
            shapes = AnchorShapes.from_dict(self.model["detector"]["anchors"])
            self._anchors = anchors_for(self._size, shapes)

    def predict(self, source: bytes | Path) -> dict:
        """`{"width", "height", "labels", "boxes", "latency_ms"}` of an image.

        Raises:
            ImageError: it is no image that can be read.
        """
        started = time.perf_counter()
        image = open_image(io.BytesIO(source) if isinstance(source, bytes) else source)
        with image:
            width, height = upright_size(image)
            letterboxed = self._is_detector or self.model["resize"] == "letterbox"
            pixels = (to_letterboxed if letterboxed else to_pixels)(image, self._size)
        raw = self._network.run(pixels)
        found = self._found(raw, (width, height))
        milliseconds = round((time.perf_counter() - started) * 1000, 2)
        return {"width": width, "height": height, **found, "latency_ms": milliseconds}

    def _found(self, raw: np.ndarray, size: tuple[int, int]) -> dict:
        names = self.model["labels"]
        if self.model["task"] == "multilabel":
            own = self.model.get("label_thresholds") or {}
            thresholds = [own.get(name, DEFAULT_THRESHOLD) for name in names]
            return {"labels": labels_with_thresholds(raw, names, thresholds), "boxes": []}
        if not self._is_detector:
            return {"labels": labels_of(raw, names, MAX_LABELS), "boxes": []}
        detector = self.model["detector"]
        boxes = boxes_of(
            raw,
            self._anchors,
            names,
            size,
            self._size,
            thresholds=thresholds_of(detector, names),
            iou_threshold=detector["iou_threshold"],
            limit=MAX_BOXES,
        )
        return {"labels": [], "boxes": boxes}
