"""What each choice of a detector's training is worth: BCCD's validation list after the same number of epochs.

python -m benchmarks detector_options --epochs 8 --choices default mosaic

One seed and one change at a time, from pretrained weights where they are here. The test list is not read.
"""

from __future__ import annotations

import argparse
import os
import time
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch
from xml.etree import ElementTree

import numpy as np

from benchmarks.rows import Row
from tests.real_data import FOLDER, WEIGHTS

CELLS = FOLDER / "bccd-voc.zip"
LABELS = ["Platelets", "RBC", "WBC"]
SEED = 42
Patch = Callable[[], AbstractContextManager[Any]]
CHOICES: dict[str, tuple[dict[str, Any], Patch]] = {
    "default": ({}, nullcontext),
    "weights not averaged": ({}, lambda: patch("vision.detection.train.AVERAGE_MOMENTUM", None)),
    "anchors of the paper": ({"anchor_sizes": (4.0, 5.04, 6.35), "anchor_ratios": (0.5, 1.0, 2.0)}, nullcontext),
    "mosaic": ({}, lambda: patch("vision.detection.data.DetectionSource.batch", batch_with_mosaics)),
    "strong augmentation": ({"augmentation": "strong"}, nullcontext),
    "no augmentation": ({"augmentation": "none"}, nullcontext),
    "320 px": ({"image_size": 320}, nullcontext),
}


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks detector_options")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--architecture", default="retinanet_mobilenet_v2")
    parser.add_argument("--choices", nargs="+", choices=CHOICES, default=list(CHOICES))
    return parser


def run(folder: Path, epochs: int, architecture: str, choices: list[str]) -> list[Row]:
    os.environ.setdefault("MLSTUDIO_WEIGHTS_DIR", str(WEIGHTS))
    if not CELLS.exists():
        return [Row("choices of a detector's training", f"left out: no {CELLS.name}", "")]
    splits = _splits(folder / "cells")
    rows = []
    for name in choices:
        settings, patched = CHOICES[name]
        with patched():
            rows.append(_trained(folder / name, name, splits, {"architecture": architecture, **settings}, epochs))
        print(rows[-1], flush=True)
    return rows


def _trained(folder: Path, name: str, splits: dict, settings: dict, epochs: int) -> Row:
    from vision.detection.configuration import DetectionConfiguration
    from vision.detection.samples import DetectionData
    from vision.detection.train import _RetinaNetTraining
    from vision.training.hooks import TrainingHooks
    from vision.training.runtime import prepare_runtime

    folder.mkdir()
    values = {"image_size": 256, "epochs": epochs, "seed": SEED, **settings}
    configuration = DetectionConfiguration.from_dict(values).resolved(len(splits["train"]))
    prepare_runtime(configuration)
    training = _RetinaNetTraining(configuration, DetectionData(LABELS, splits), folder, TrainingHooks())
    stores = training._decode()
    started = time.process_time()
    training.fit(stores)
    seconds = time.process_time() - started
    scores = [entry["val_ap50"] for entry in training.history if "val_ap50" in entry]
    start = "pretrained" if configuration.uses_pretrained else "from scratch"
    height, width = training.size
    what = f"{configuration.architecture}, {start}, {width} × {height} px, {epochs} epochs: {name}"
    return Row(
        what, f"validation AP50 {max(scores):.3f}, at the end {scores[-1]:.3f}", f"{seconds:.0f} processor seconds"
    )


def _splits(folder: Path) -> dict[str, list]:
    """The official lists of BCCD but for the test list."""
    from vision.detection.samples import DetectionSample

    with zipfile.ZipFile(CELLS) as archive:
        archive.extractall(folder)
    root = next(folder.rglob("Annotations")).parent
    splits: dict[str, list] = {"test": []}
    for split, file in (("train", "train"), ("validation", "val")):
        names = (root / "ImageSets" / "Main" / f"{file}.txt").read_text().split()
        splits[split] = []
        for name in names:
            objects = ElementTree.parse(root / "Annotations" / f"{name}.xml").getroot().findall("object")
            boxes = [
                [float(one.findtext(f"bndbox/{side}", "0")) for side in ("xmin", "ymin", "xmax", "ymax")]
                for one in objects
            ]
            labels = [LABELS.index(one.findtext("name", "")) for one in objects]
            image = next(root.glob(f"JPEGImages/{name}.*"))
            kept = [
                (box, label) for box, label in zip(boxes, labels, strict=True) if box[0] < box[2] and box[1] < box[3]
            ]
            splits[split].append(
                DetectionSample(name, str(image), [box for box, _ in kept], [label for _, label in kept])
            )
    return splits


def batch_with_mosaics(source: Any, indices: np.ndarray, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    """As `DetectionSource.batch`; half of the images that are changed become four at half their size (YOLOv4)."""
    from vision.detection.targets import anchor_targets

    images, targets = [], []
    for index in indices:
        generator = np.random.default_rng((source.seed, int(epoch), int(index)))
        if source.augmentation is not None and generator.random() < 0.5:
            image, boxes, labels = _mosaic(source, [index, *generator.integers(0, source.count, 3)], generator)
        else:
            image, boxes, labels = _changed(source, index, generator)
        images.append(image)
        targets.append(anchor_targets(source.anchors, boxes, labels))
    return np.stack(images), np.stack(targets)


def _changed(source: Any, index: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    image, boxes, labels = source.store.gather(np.array([index]))[0], source.boxes[index], source.labels[index]
    return (
        (image, boxes, labels)
        if source.augmentation is None
        else source.augmentation.apply(image, boxes, labels, generator)
    )


def _mosaic(source: Any, four: list[int], generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    height, width = source.store.image_size
    canvas = np.zeros((height, width, 3), np.uint8)
    every_box, every_label = [], []
    for place, index in enumerate(four):
        image, boxes, labels = _changed(source, index, generator)
        top, left = (place // 2) * (height // 2), (place % 2) * (width // 2)
        half = image.reshape(height // 2, 2, width // 2, 2, 3).mean((1, 3))
        canvas[top : top + height // 2, left : left + width // 2] = half
        every_box.append(boxes / 2 + np.array([left, top, left, top], np.float32))
        every_label.append(labels)
    return canvas, np.concatenate(every_box).astype(np.float32), np.concatenate(every_label)
