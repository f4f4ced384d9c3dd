"""The first minutes in the pages: registered, sample images, trained, an image dragged in; and a training of 200 epochs."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.rows import Row
from tests.studio import ROOT, Studio

# What is measured → which figure of its values counts, and its limit, if it has one.
GOALS: dict[str, tuple[Callable[[list[float]], float], float | None]] = {
    "clicks from registration to an answer": (max, 12),
    "sample images are there, seconds": (max, None),
    "a model is trained, seconds": (max, None),
    "from registration to an answer, seconds": (max, 240),
    "first answer after the drop, ms": (max, 300),
    "epochs": (max, None),
    "reloads": (max, None),
    "points lost of a curve": (max, 0),
    "rows lost of the table": (max, 0),
    "time left, off by %": (statistics.median, 20),
}


def run(folder: Path) -> list[Row]:
    subprocess.run([sys.executable, "frontend/build.py"], cwd=ROOT, check=True)
    studio = Studio(folder / "data").start()
    try:
        found = _measured(folder, studio.url)
    finally:
        studio.stop()
    return [_row(what, found.get(what, [])) for what in GOALS]


def _measured(folder: Path, url: str) -> dict[str, list[float]]:
    answered = folder / "result.json"
    environment = {**os.environ, "MEASURE_URL": url, "MEASURE_RESULT": str(answered)}
    command = [sys.executable, "frontend/check.py", "--measure", "training"]
    subprocess.run(command, cwd=ROOT, env=environment, check=False)
    return json.loads(answered.read_text()) if answered.exists() else {}


def _row(what: str, values: list[float]) -> Row:
    figure, limit = GOALS[what]
    goal = "" if limit is None else f"≤ {limit:g}"
    if not values:
        return Row(what, "not measured", "", goal=goal, reached=limit is None)
    value = figure(values)
    if limit is None:
        return Row(what, f"{value:.4g}", "")
    return Row(what, f"{value:.4g}", "", goal=goal, reached=value <= limit)
