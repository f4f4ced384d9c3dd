"""A whole export: load the network, write each file, verify it, say what was found."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from vision.detection.samples import DetectionSample
from vision.exporting.measure import Evaluator, VerificationImages, parity_problem
from vision.exporting.request import Export, ExportRequest
from vision.exporting.runners import runner_of
from vision.exporting.servable import Servable, keras_classifier, keras_detector
from vision.exporting.write import write_export
from vision.imaging.letterbox import load_letterboxed
from vision.imaging.orientation import upright_size
from vision.imaging.preprocessing import ImageError, load_pixels, open_image
from vision.runtime.boxes import AnchorShapes
from vision.runtime.interpreters import ModelFileError
from vision.runtime.kinds import KINDS, ONNX_OPSET
from vision.training.data import MultilabelSample, Sample
from vision.training.errors import Cancelled, EngineError, Interrupted
from vision.training.hooks import TrainingHooks

GENERATED = 8
MAX_CALIBRATION = 200


def export_model(request: ExportRequest, folder: Path, hooks: TrainingHooks) -> list[Export]:
    """Write and verify all files that were asked for.

    Raises:
        EngineError: the network's own file is damaged.
    """
    hooks.log("Loading the model")
    with closing(_servable(request)) as servable:
        return _exports(request, servable, folder, hooks)


def _exports(request: ExportRequest, servable: Servable, folder: Path, hooks: TrainingHooks) -> list[Export]:
    images = _images(request, servable)
    evaluate = Evaluator(
        images, request.class_names, request.detector, hooks.raise_if_cancelled, thresholds=request.thresholds
    )
    hooks.log(f"Verifying on {len(images)} images: {images.source}")
    expected = evaluate.outputs_of(servable.forward)
    done = []
    for number, kind in enumerate(request.kinds):
        hooks.on_progress("export", number, len(request.kinds))
        export = _export(kind, request, servable, evaluate, expected, folder)
        hooks.log(f"{kind}: {export.problem or 'offered'}")
        done.append(export)
    return done


def _export(
    kind: str, request: ExportRequest, servable: Servable, evaluate: Evaluator, expected: Any, folder: Path
) -> Export:
    path = Path(request.files.get(kind) or folder / KINDS[kind].filename)
    try:
        if kind not in request.files:
            calibration = _calibration(request, servable) if KINDS[kind].is_calibrated else []
            write_export(kind, servable, path, calibration)
        report = evaluate.report(kind, path, runner_of(kind, path, servable), expected)
    except (Cancelled, Interrupted):
        raise
    except (EngineError, ModelFileError) as error:
        return Export(kind, str(path), {}, str(error))
    if kind == "onnx":
        report["opset"] = ONNX_OPSET
    return Export(kind, str(path), report, parity_problem(kind, report, request.largest_drop))


def _servable(request: ExportRequest) -> Servable:
    if request.engine == "keras_retinanet":
        from vision.exporting.keras_retinanet import keras_retinanet_detector

        return keras_retinanet_detector(request)
    if request.detector:
        shapes = AnchorShapes.from_dict(request.detector["anchors"])
        return keras_detector(Path(request.path), shapes, request.detector["iou_threshold"])
    return keras_classifier(Path(request.path))


def loader_of(request: ExportRequest) -> Callable[[str], np.ndarray]:
    load = load_letterboxed if request.resize == "letterbox" else load_pixels
    return partial(_load, load, request.input_size)


def _load(load: Callable[[str, tuple[int, int]], np.ndarray], size: tuple[int, int], path: str) -> np.ndarray:
    return load(path, size)


def _images(request: ExportRequest, servable: Servable) -> VerificationImages:
    load = loader_of(request)
    kind = DetectionSample if request.detector else MultilabelSample if request.thresholds else Sample
    pixels, samples, sizes = [], [], []
    for values in request.samples:
        sample = kind(**values)
        try:
            pixels.append(load(sample.path))
            sizes.append(upright_size(open_image(sample.path)))
        except (ImageError, OSError):  # an image that cannot be read proves nothing
            del pixels[len(sizes) :]
            continue
        samples.append(sample)
    if pixels:
        return VerificationImages(pixels, samples, sizes, request.source, request.is_labelled)
    height, width = servable.input_size
    made = np.random.default_rng(0).integers(0, 256, (GENERATED, 8, 8, 3), dtype=np.uint8)
    pixels = [
        np.kron(pattern, np.ones((-(-height // 8), -(-width // 8), 1), np.uint8))[:height, :width] for pattern in made
    ]
    return VerificationImages(pixels, [], [(width, height)] * GENERATED, "generated patterns", False)


def _calibration(request: ExportRequest, servable: Servable) -> list[np.ndarray]:
    load = loader_of(request)
    found = []
    for path in request.calibration[:MAX_CALIBRATION]:
        try:
            found.append(load(path))
        except (ImageError, OSError):
            continue
    return found
