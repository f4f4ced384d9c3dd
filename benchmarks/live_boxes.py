"""The live model of boxes on photographs of blood cells: does it name suggested boxes right, and find the empty ones?

The boxes of some images are marked; all boxes of all other images, and as many places without one, stand for what a
detector suggests. Drawn three times; no test image of the detector's benchmarks is used.
"""

from __future__ import annotations

import os
import time
import zipfile
from pathlib import Path

import numpy as np

from benchmarks.rows import Row
from tests.real_data import FOLDER, WEIGHTS
from vision.analysis.box_samples import BackgroundBoxes, cut_out
from vision.analysis.live_head import fit_head, held_out
from vision.detection.folders import read_folder
from vision.imaging.preprocessing import open_image, to_pixels

CELLS = FOLDER / "bccd-voc.zip"
IMAGE_SIZE = 160
DRAWS = (1, 2, 3)
COUNTS = (5, 10, 20, 40)


def run(folder: Path) -> list[Row]:
    if not CELLS.exists() or not WEIGHTS.exists():
        return [Row("live model of boxes", "not measured: no photographs and weights here", "")]
    os.environ["MLSTUDIO_WEIGHTS_DIR"] = str(WEIGHTS)
    with zipfile.ZipFile(CELLS) as archive:
        archive.extractall(folder / "cells")
    features, labels, images, names, seconds = _features(folder)
    rows = [Row("features of a box, with decoding of its image", f"{seconds * 1000:.1f} ms", "LiteRT, one thread")]
    for count in COUNTS:
        found = np.array([_drawn(features, labels, images, len(names), count, draw) for draw in DRAWS])
        named, separated, sure, fitted, boxes = found.mean(axis=0)
        rows.append(
            Row(
                f"{count} images marked ({boxes:.0f} boxes): boxes of the others that are named right",
                f"{named:.3f} ({', '.join(f'{row[0]:.3f}' for row in found)})",
                f"mean of labels {names}; box before background {separated:.3f} (area under the curve); of those with "
                f"≥ 0.9 right {sure:.3f}; fit and calibration {fitted:.2f} s",
            )
        )
    return rows


def _features(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str], float]:
    """Features, labels (the background last), and the image of each box of the train and validation splits."""
    import tensorflow as tf

    from vision.runtime.interpreters import LiteRTNetwork
    from vision.training.litert import write_litert
    from vision.training.networks import pretrained_backbone

    data, _ = read_folder(folder / "cells")
    backbone = pretrained_backbone("mobilenet_v2", IMAGE_SIZE)
    path = folder / "backbone.tflite"
    signature = tf.TensorSpec((None, IMAGE_SIZE, IMAGE_SIZE, 3), tf.float32, name="image")
    write_litert(path, lambda image: backbone(image, training=False), backbone, signature)
    network = LiteRTNetwork(path, max_interpreters=1, num_threads=1)
    samples = [*data.splits["train"], *data.splits["validation"]]
    sizes = np.array([(box[2] - box[0], box[3] - box[1]) for sample in samples for box in sample.boxes])
    rows: list[np.ndarray] = []
    labels, images = [], []
    started = time.perf_counter()
    for number, sample in enumerate(samples):
        with open(sample.path, "rb") as file, open_image(file) as opened:
            count = len(sample.boxes)
            background = BackgroundBoxes(sizes, count).of(opened.width, opened.height, sample.boxes, number)
            for box in [*sample.boxes, *background]:
                rows.append(network.run(to_pixels(cut_out(opened, tuple(box)), (IMAGE_SIZE, IMAGE_SIZE))))
        labels += [*sample.labels, *[len(data.class_names)] * len(background)]
        images += [number] * (count + len(background))
    seconds = (time.perf_counter() - started) / len(rows)
    return np.stack(rows), np.array(labels), np.array(images), data.class_names, seconds


def _drawn(
    features: np.ndarray, labels: np.ndarray, images: np.ndarray, background: int, count: int, draw: int
) -> tuple[float, float, float, float, int]:
    generator = np.random.default_rng(draw)
    marked = np.isin(images, generator.permutation(np.unique(images))[:count])
    # Of the background two places an image, as the studio takes them.
    learned = marked & ((labels < background) | _first_two(images, labels == background))
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    started = time.perf_counter()
    tried = held_out(features[learned], labels[learned], background + 1, mean, deviation, images[learned])
    head = fit_head(features[learned], labels[learned], background + 1, mean, deviation)
    fitted = time.perf_counter() - started
    temperature = 1.0 if tried is None else tried.temperature
    head = type(head)(head.mean, head.deviation, head.weights, head.bias, temperature)
    chances, truth = head.probabilities(features[~marked]), labels[~marked]
    things, is_thing = chances[:, :background], truth < background
    right = things.argmax(axis=1) == truth
    named = np.mean([right[truth == label].mean() for label in range(background)])
    confidence = things.max(axis=1)
    sure = confidence >= 0.9
    boxes = int((learned & (labels < background)).sum())
    return float(named), _area(confidence, is_thing), float(right[sure].mean()), fitted, boxes


def _first_two(images: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    keep = np.zeros(len(images), bool)
    for image in np.unique(images):
        keep[np.flatnonzero((images == image) & chosen)[:2]] = True
    return keep


def _area(scores: np.ndarray, is_thing: np.ndarray) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(is_thing, scores))
