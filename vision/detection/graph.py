"""A detector's last steps as TensorFlow operations that LiteRT has as builtins."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from vision.runtime.boxes import MAX_LOG_SCALE, OFFSET_SCALE

MAX_DETECTIONS = 100
CANDIDATES = 1000
LOWEST_SCORE = 0.02
LOWEST_LOGIT = math.log(LOWEST_SCORE / (1 - LOWEST_SCORE))


def detections_graph(
    raw: tf.Tensor, anchors: np.ndarray, image_size: tuple[int, int], iou_threshold: float
) -> dict[str, tf.Tensor]:
    """What a device wants of the raw output of one image: boxes, scores and labels, best first, none twice.

    The graph form of `detections_from`: the best label of each anchor, then suppression within each label.

    Args:
        raw: `(1, anchors, 4 + labels)` float32.

    Returns:
        `boxes` `(100, 4)`, `scores` `(100,)`, `labels` `(100,)` int32, `count` `()` int32, `raw`.
    """
    height, width = image_size
    sides = anchors[:, 2:] - anchors[:, :2]
    offsets = raw[0, :, :4] * tf.constant(OFFSET_SCALE)
    centres = (anchors[:, :2] + anchors[:, 2:]) / 2 + offsets[:, :2] * sides
    half = sides * tf.exp(tf.minimum(offsets[:, 2:], MAX_LOG_SCALE)) / 2
    limit = tf.constant([width, height] * 2, tf.float32)
    boxes = tf.clip_by_value(tf.concat([centres - half, centres + half], axis=1), 0.0, limit)
    logits = raw[0, :, 4:]
    count = min(CANDIDATES, len(anchors))
    best, index = tf.math.top_k(tf.reduce_max(logits, axis=1), count)
    boxes, labels = tf.gather(boxes, index), tf.gather(tf.argmax(logits, axis=1, output_type=tf.int32), index)
    scores = tf.sigmoid(best)
    # What lies outside of the input has no area left, and is no box.
    extent = tf.reduce_min(boxes[:, 2:] - boxes[:, :2], axis=1)
    best = tf.where(extent > 0, best, tf.fill(tf.shape(best), -1e4))
    # Boxes of different labels are moved apart, so that they never suppress each other.
    apart = boxes + tf.cast(labels, tf.float32)[:, None] * (2.0 * max(width, height))
    kept, found = tf.raw_ops.NonMaxSuppressionV4(
        boxes=tf.gather(apart, [1, 0, 3, 2], axis=1),
        scores=best,
        max_output_size=MAX_DETECTIONS,
        iou_threshold=iou_threshold,
        score_threshold=LOWEST_LOGIT,
        pad_to_max_output_size=True,
    )
    real = tf.cast(tf.range(MAX_DETECTIONS) < found, tf.float32)
    return {
        "boxes": tf.gather(boxes, kept) * real[:, None],
        "scores": tf.gather(scores, kept) * real,
        "labels": tf.gather(labels, kept),
        "count": found,
        "raw": raw,
    }
