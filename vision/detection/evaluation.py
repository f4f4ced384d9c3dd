"""How a detector is evaluated; knows no Keras."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vision.detection.graph import LOWEST_SCORE
from vision.imaging.letterbox import Letterbox
from vision.runtime.boxes import Detections, detections_from
from vision.runtime.detection_metrics import MAX_DETECTIONS, coco_metrics, detection_metrics, worst_images
from vision.runtime.matching import GroundTruth, match
from vision.runtime.thresholds import best_thresholds
from vision.training.data import ImageCache

NMS_IOU = 0.5
EVALUATION_BATCH = 8
LETTERBOX = "top left, grey 114"

Forward = Callable[[np.ndarray], np.ndarray]
DetectedSplit = tuple[list[GroundTruth], list[Detections]]


def detect_split(
    store: ImageCache,
    sizes: dict[str, tuple[int, int]],
    anchors: np.ndarray,
    forward: Forward,
    check: Callable[[], None] = lambda: None,
) -> DetectedSplit:
    """What is on the images of a split and what the network finds, in pixels of the original images.

    Args:
        sizes: `(width, height)` of the images by id.
        forward: `(batch, height, width, 3)` float32 RGB 0..255 → `(batch, anchors, 4 + labels)`.
        check: raises when the training must stop.
    """
    truths, found = [], []
    for start in range(0, len(store), EVALUATION_BATCH):
        check()
        indices = np.arange(start, min(start + EVALUATION_BATCH, len(store)))
        for index, raw in zip(indices, forward(store.gather(indices).astype(np.float32)), strict=True):
            sample = store.samples[index]
            boxes = np.array(sample.boxes, np.float32).reshape(-1, 4)
            truths.append(GroundTruth(sample.id, boxes, np.array(sample.labels, int)))
            found.append(_in_the_image(anchors, raw, *sizes[sample.id], store.image_size))
    return truths, found


def _in_the_image(
    anchors: np.ndarray, raw: np.ndarray, width: int, height: int, image_size: tuple[int, int]
) -> Detections:
    letterbox = Letterbox.fit(width, height, image_size)
    found = detections_from(
        anchors,
        raw,
        letterbox.content_size,
        score_threshold=LOWEST_SCORE,
        iou_threshold=NMS_IOU,
        limit=MAX_DETECTIONS,
    )
    return Detections(letterbox.to_image(found.boxes, width, height), found.scores, found.labels)


def average_precision(split: DetectedSplit, class_names: list[str]) -> tuple[float, float]:
    """AP50 and AP, 0 where there is nothing to find."""
    figures = coco_metrics(*split, class_names)
    return figures["ap50"] or 0.0, figures["ap"] or 0.0


def evaluation_of(validation: DetectedSplit, test: DetectedSplit, class_names: list[str]) -> dict:
    """Thresholds chosen on the validation split, and the figures of both splits with them.

    Returns:
        Fields of `TrainingResult`: `metrics`, `validation_metrics`, `mistakes`; and `thresholds`.
    """
    best = best_thresholds(match(*validation, len(class_names)))
    chosen = round(best["all"]["threshold"], 4)
    by_label = {name: round(best[index]["threshold"], 4) for index, name in enumerate(class_names)}
    serving = list(by_label.values())
    return {
        "metrics": detection_metrics(*test, class_names, chosen, serving),
        "validation_metrics": detection_metrics(*validation, class_names, chosen, serving),
        "mistakes": worst_images(*test, serving),
        "thresholds": {"score_threshold": chosen, "label_thresholds": by_label},
    }
