"""Files of a trained detector, proved against Keras on real images."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from inference.runtime.boxes import MAX_LOG_SCALE, OFFSET_SCALE, AnchorShapes, Detections, anchors_for, detections_from
from inference.runtime.interpreters import LiteRTDetector
from training.engine.errors import ExportError

LITERT_TOLERANCE = 1e-3
BOX_TOLERANCE_PIXELS = 0.1
MAX_DETECTIONS = 100
CANDIDATES = 1000
LOWEST_SCORE = 0.02


class DetectionsLayer(keras.layers.Layer):
    """What a device wants of the raw output of one image: boxes, scores and labels, best first, none twice.

    The graph form of `detections_from`: the best label of each anchor, then suppression within each label. Built from
    operations that LiteRT has as builtins.
    """

    def __init__(self, anchors: np.ndarray, image_size: tuple[int, int], iou_threshold: float, **options) -> None:
        super().__init__(**options)
        self._anchors = anchors
        self._height, self._width = image_size
        self._iou_threshold = iou_threshold

    def call(self, raw):
        anchors = tf.constant(self._anchors)
        sides = anchors[:, 2:] - anchors[:, :2]
        offsets = raw[0, :, :4] * tf.constant(OFFSET_SCALE)
        centres = (anchors[:, :2] + anchors[:, 2:]) / 2 + offsets[:, :2] * sides
        half = sides * tf.exp(tf.minimum(offsets[:, 2:], MAX_LOG_SCALE)) / 2
        limit = tf.constant([self._width, self._height] * 2, tf.float32)
        boxes = tf.clip_by_value(tf.concat([centres - half, centres + half], axis=1), 0.0, limit)
        logits = raw[0, :, 4:]
        count = min(CANDIDATES, len(self._anchors))
        best, index = tf.math.top_k(tf.reduce_max(logits, axis=1), count)
        boxes, labels = tf.gather(boxes, index), tf.gather(tf.argmax(logits, axis=1, output_type=tf.int32), index)
        scores = tf.sigmoid(best)
        # Boxes of different labels are moved apart, so that they never suppress each other.
        apart = boxes + tf.cast(labels, tf.float32)[:, None] * (2.0 * max(self._width, self._height))
        kept, found = tf.raw_ops.NonMaxSuppressionV4(
            boxes=tf.gather(apart, [1, 0, 3, 2], axis=1), scores=scores, max_output_size=MAX_DETECTIONS,
            iou_threshold=self._iou_threshold, score_threshold=LOWEST_SCORE, pad_to_max_output_size=True,
        )  # fmt: skip
        real = tf.cast(tf.range(MAX_DETECTIONS) < found, tf.float32)
        return {
            "boxes": tf.gather(boxes, kept) * real[:, None],
            "scores": tf.gather(scores, kept) * real,
            "labels": tf.gather(labels, kept),
            "count": found,
            "raw": raw,
        }


def export_keras(model: keras.Model, path: Path) -> None:
    """The `.keras` archive: graph and weights, no optimizer. Its output is raw; loading it needs `keras_hub`."""
    keras.Model(model.inputs, model.outputs, name=model.name).save(path)


def export_litert(model: keras.Model, path: Path, shapes: AnchorShapes, iou_threshold: float) -> None:
    """A LiteRT file that is usable alone, with float32 weights.

    Input: `(1, height, width, 3)` float32 RGB 0..255, letterboxed. Outputs: `boxes` `(100, 4)` float32
    `x_min, y_min, x_max, y_max` in pixels of the input, `scores` `(100,)`, `labels` `(100,)` int32, `count`: how many
    of them are real; and `raw` `(1, anchors, 4 + labels)` for those who decode by themselves.
    """
    size = (int(model.input_shape[1]), int(model.input_shape[2]))
    image = keras.Input((*size, 3), batch_size=1, name="image")
    anchors = anchors_for(size, shapes)
    outputs = DetectionsLayer(anchors, size, iou_threshold, name="detections")(model(image))
    alone = keras.Model(image, outputs, name=model.name)
    path.write_bytes(tf.lite.TFLiteConverter.from_keras_model(alone).convert())


def check_litert(
    path: Path, images: np.ndarray, model: keras.Model, shapes: AnchorShapes, iou_threshold: float
) -> float:
    """The largest difference of an offset or a logit on `images` `(count, height, width, 3)` uint8.

    Raises:
        ExportError: it is above 1e-3, or the file's own boxes are not those of `detections_from`.
    """
    expected = np.asarray(model(images.astype(np.float32), training=False))
    runtime = LiteRTDetector(path, max_interpreters=1)
    difference = float(max(np.abs(runtime.run(image) - raw).max() for image, raw in zip(images, expected, strict=True)))
    if not difference <= LITERT_TOLERANCE:
        raise ExportError(
            f"The exported LiteRT file differs from the trained model by {difference:.2e} (at most "
            f"{LITERT_TOLERANCE:.0e} is allowed), so it is not offered. Please report this with the training's log."
        )
    anchors = anchors_for(runtime.image_size, shapes)
    for image in images:
        found, raw = runtime.detect(image)
        wanted = detections_from(
            anchors, raw, runtime.image_size, score_threshold=LOWEST_SCORE, iou_threshold=iou_threshold,
            limit=MAX_DETECTIONS, candidates=CANDIDATES,
        )  # fmt: skip
        if not _agree(found, wanted):
            raise ExportError(
                "The boxes of the exported LiteRT file are not those of the trained model, so it is not offered. "
                "Please report this with the training's log."
            )
    return difference


def _agree(found: Detections, wanted: Detections) -> bool:
    """The same boxes in the same order; the last ones may differ where a score is at the edge of the list."""
    sure = min(len(found.scores), len(wanted.scores))
    if abs(len(found.scores) - len(wanted.scores)) > 1 + sure // 20:
        return False
    same = np.abs(found.boxes[:sure] - wanted.boxes[:sure]).max(axis=1, initial=0) <= BOX_TOLERANCE_PIXELS
    return bool(same.mean() >= 0.95) if sure else True
