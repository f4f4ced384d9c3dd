"""Detectors after so many minutes of training on BCCD (blood cells, official lists): pretrained and from scratch.

python -m benchmarks detector_minutes --minutes 8 --architectures retinanet_mobilenet_v2 retinanet_resnet18

What is chosen is chosen on the validation list; `--test` looks at the test list too, which is for the end. A detector
whose weights are here is trained twice: from them, and from scratch.
"""

from __future__ import annotations

import argparse
import os
import time
import zipfile
from dataclasses import replace
from pathlib import Path

from benchmarks.rows import Row
from benchmarks.sign_digits import engine_result
from tests.real_data import FOLDER, WEIGHTS
from vision.detection.configuration import DetectionConfiguration
from vision.detection.folders import read_folder
from vision.detection.samples import DetectionData
from vision.engine_requests import TrainingRequest
from vision.training.architectures import ARCHITECTURES, find_weights

BCCD = FOLDER / "bccd-voc.zip"
DETECTORS = [name for name, architecture in ARCHITECTURES.items() if architecture.task == "detection"]


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks detector_minutes")
    parser.add_argument("--minutes", type=float, nargs="+", default=[3.0], help="of each training; several: in turn")
    parser.add_argument(
        "--architectures", nargs="+", choices=DETECTORS, default=["retinanet_mobilenet_v2", "retinanet_resnet18"]
    )
    parser.add_argument("--image-size", type=int, default=0, help="longer side in pixels; 0: the detector's default")
    parser.add_argument("--seeds", type=int, nargs="+", default=[42])
    parser.add_argument("--test", action="store_true", help="look at the test list, too: once, at the end")
    return parser


def run(
    folder: Path, minutes: list[float], architectures: list[str], image_size: int, seeds: list[int], test: bool
) -> list[Row]:
    if not BCCD.exists():
        return [Row("a detector after minutes", f"left out: no {BCCD.name}", "")]
    os.environ.setdefault("MLSTUDIO_WEIGHTS_DIR", str(WEIGHTS))
    with zipfile.ZipFile(BCCD) as archive:
        archive.extractall(folder / "bccd")
    data, _ = read_folder(folder / "bccd")
    if not test:  # a training measures its test split in any case
        data = replace(data, splits={**data.splits, "test": data.splits["validation"]})
    wanted = [
        DetectionConfiguration(name, max_minutes=limit, weights=weights, image_size=image_size, seed=seed)
        for limit in minutes
        for name in architectures
        for weights in _starts_of(name)
        for seed in seeds
    ]
    return [_row(folder / str(number), data, one, test) for number, one in enumerate(wanted)]


def _starts_of(name: str) -> list[str]:
    return ["auto", "none"] if find_weights(ARCHITECTURES[name]) else ["none"]


def _row(folder: Path, data: DetectionData, configuration: DetectionConfiguration, test: bool) -> Row:
    resolved = configuration.resolved(len(data.splits["train"]))
    request = TrainingRequest("detection", resolved.to_dict(), data.class_names, data.splits)
    started = time.perf_counter()
    result = engine_result(folder, request)
    took = (time.perf_counter() - started) / 60
    start = "from scratch" if resolved.weights == "none" else f"from {resolved.weights}"
    figures = f"validation AP50 {result['validation_metrics']['ap50']:.3f}"
    if test:
        low, high = result["metrics"]["ap50_interval"]
        figures += f", test AP50 {result['metrics']['ap50']:.3f} ({low:.3f} to {high:.3f})"
    height, width = result["input_size"]
    return Row(
        f"{configuration.max_minutes:g} minutes of {resolved.architecture}, {start}, seed {resolved.seed}",
        figures,
        f"{len(result['history'])} epochs at {width} x {height} px, {took:.1f} minutes in all",
    )
