"""Ten and twenty photographs a label, three draws each: presets, the live model on the same labels, other networks."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

import numpy as np

from benchmarks.live_model import features_of
from benchmarks.rows import Row
from benchmarks.sign_digits import is_here, train_with_the_engine, unpack, unpack_all
from tests.real_data import WEIGHTS
from vision.analysis.live_head import fit_head

DRAWS = (1, 2, 3)
LABELS = 10
# Photographs a label to train and to validate; all others are the test.
COUNTS = {10: {"train": 8, "validation": 2}, 20: {"train": 16, "validation": 4}}
PRESETS = {
    "quick": {"architecture": "mobilenet_v2", "preset": "quick"},
    "balanced": {"architecture": "mobilenet_v2", "preset": "balanced"},
}
OTHERS = {
    "MobileNetV2 0.35, frozen": {"architecture": "mobilenet_v2_035", "fine_tune": False},
    "small_cnn from scratch": {"architecture": "small_cnn"},
}


def run(folder: Path) -> list[Row]:
    if not is_here():
        return [Row("ten photographs a label", "not measured: no photographs and weights here", "")]
    os.environ["MLSTUDIO_WEIGHTS_DIR"] = str(WEIGHTS)
    photographs = unpack_all(folder / "all")
    features, _, _ = features_of(photographs)
    places = {_key(Path(path)): place for place, (path, _) in enumerate(photographs)}
    return [row for count in COUNTS for row in _of_count(folder, count, features, places)]


def _of_count(folder: Path, count: int, features: np.ndarray, places: dict[str, int]) -> list[Row]:
    choices = {**PRESETS, **(OTHERS if count == min(COUNTS) else {})}
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in ("live model", *choices)}
    for draw in DRAWS:
        data = folder / f"draw-{count}-{draw}"
        unpack(data, COUNTS[count], seed=draw)
        measured["live model"].append(_live_model(data, features, places))
        for number, (name, configuration) in enumerate(choices.items()):
            seconds, result = train_with_the_engine(data, folder / f"work-{count}-{draw}-{number}", configuration)
            measured[name].append((result["metrics"]["accuracy"], seconds))
    others, parts = len(places) - count * LABELS, COUNTS[count]
    split = f"{parts['train']} train, {parts['validation']} validation"
    return [
        Row(
            f"{count} photographs a label ({split}), {name}",
            "test accuracy " + ", ".join(f"{accuracy:.3f}" for accuracy, _ in values),
            f"{others:,} other photographs; {statistics.median(seconds for _, seconds in values):.1f} s each",
        )
        for name, values in measured.items()
    ]


def _live_model(data: Path, features: np.ndarray, places: dict[str, int]) -> tuple[float, float]:
    """Accuracy on the test photographs, fitted on those of both other splits, and seconds of fit and guesses."""
    rows, labels = {}, {}
    for part, splits in (("learned", ("train", "validation")), ("test", ("test",))):
        paths = [path for split in splits for path in sorted((data / split).rglob("*.*"))]
        rows[part] = np.array([places[_key(path)] for path in paths])
        labels[part] = np.array([int(path.parent.name) for path in paths])
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    started = time.perf_counter()
    head = fit_head(features[rows["learned"]], labels["learned"], LABELS, mean, deviation)
    guessed = head.probabilities(features[rows["test"]]).argmax(axis=1)
    return float((guessed == labels["test"]).mean()), time.perf_counter() - started


def _key(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
