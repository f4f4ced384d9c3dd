"""Ten photographs a label: a pretrained backbone beside a small network from scratch, three draws each."""

from __future__ import annotations

import statistics
from pathlib import Path

from benchmarks.rows import Row
from benchmarks.sign_digits import is_here, train_with_the_engine, unpack

DRAWS = (1, 2, 3)
CHOICES = {
    "MobileNetV2 1.0, frozen": {"architecture": "mobilenet_v2", "fine_tune": False},
    "MobileNetV2 0.35, frozen": {"architecture": "mobilenet_v2_035", "fine_tune": False},
    "small_cnn from scratch": {"architecture": "small_cnn"},
}


def run(folder: Path) -> list[Row]:
    if not is_here():
        return [Row("ten photographs a label", "not measured: no photographs and weights here", "")]
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in CHOICES}
    for draw in DRAWS:
        data = folder / f"draw-{draw}"
        unpack(data, {"train": 8, "validation": 2}, seed=draw)
        for name, configuration in CHOICES.items():
            work = folder / f"work-{draw}-{configuration['architecture']}"
            seconds, result = train_with_the_engine(data, work, configuration)
            measured[name].append((result["metrics"]["accuracy"], seconds))
    return [
        Row(
            f"10 photographs a label (8 train, 2 validation), {name}",
            "test accuracy " + ", ".join(f"{accuracy:.3f}" for accuracy, _ in values),
            f"1,962 other photographs; {statistics.median(seconds for _, seconds in values):.0f} s each",
        )
        for name, values in measured.items()
    ]
