"""Which images to label next: the studio's order beside a random one, on the sign digits.

100 labelled photographs to start (10 a label), five rounds of 100 more, three seeds. 600 photographs are put aside and
only measured on; validation is a fifth of what is labelled. Each round trains a head on a frozen MobileNetV2 0.35
anew. MLSTUDIO_BENCH_PLOT names a file (SVG or PNG) for the plot.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np

from benchmarks.rows import Row
from benchmarks.sign_digits import is_here
from datasets.imaging.preprocessing import load_pixels
from inference.analysis.embedding import Embedder
from inference.analysis.selection import margin_uncertainty, teaching_order
from inference.runtime.interpreters import LiteRTClassifier
from tests.real_data import SIGN_DIGITS, WEIGHTS
from training.engine.configuration import Configuration

SEEDS = (1, 2, 3)
START, MORE, ROUNDS, TEST = 100, 100, 5, 600
CONFIGURATION = {"architecture": "mobilenet_v2_035", "fine_tune": False}
ORDERS = ("ours", "random")


def run(folder: Path) -> list[Row]:
    if not is_here():
        return [Row("which images to label next", "not measured: no photographs and weights here", "")]
    os.environ["MLSTUDIO_WEIGHTS_DIR"] = str(WEIGHTS)
    images = unpack_all(folder / "images")
    found = {order: [] for order in ORDERS}
    for seed in SEEDS:
        for order in ORDERS:
            found[order].append(_rounds(folder / f"{order}-{seed}", images, seed, order))
    means = {order: np.mean(found[order], axis=0) for order in ORDERS}
    if os.environ.get("MLSTUDIO_BENCH_PLOT"):
        _plot(Path(os.environ["MLSTUDIO_BENCH_PLOT"]), found)
    rows = [
        Row(
            f"{START + MORE * number} labelled photographs: test accuracy, mean of {len(SEEDS)} seeds",
            f"ours {means['ours'][number]:.3f}, random {means['random'][number]:.3f}",
            "; ".join(f"{order}: {', '.join(f'{seed[number]:.3f}' for seed in found[order])}" for order in ORDERS),
        )
        for number in range(ROUNDS + 1)
    ]
    gain = float(np.mean(means["ours"][1:] - means["random"][1:]))
    return [*rows, Row("mean gain over the five rounds", f"{gain:+.3f}", "ours less random")]


def unpack_all(folder: Path) -> list[tuple[str, int]]:
    """Paths and labels of all photographs, in a fixed order."""
    found = []
    with zipfile.ZipFile(SIGN_DIGITS) as archive:
        for name in sorted(archive.namelist()):
            if name.lower().endswith((".jpg", ".jpeg", ".png")):
                label = int(name.split("/")[-2])
                target = folder / str(label) / Path(name).name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(name))
                found.append((str(target), label))
    return found


def _rounds(folder: Path, images: list[tuple[str, int]], seed: int, order: str) -> list[float]:
    """Test accuracy after each round."""
    generator = random.Random(seed)
    shuffled = list(images)
    generator.shuffle(shuffled)
    test, pool = shuffled[:TEST], shuffled[TEST:]
    labelled = []
    for label in range(10):
        labelled += [one for one in pool if one[1] == label][: START // 10]
    pool = [one for one in pool if one not in set(labelled)]
    accuracies = []
    for number in range(ROUNDS + 1):
        result = train(folder / str(number), labelled, test, CONFIGURATION, seed=seed)
        accuracies.append(result["metrics"]["accuracy"])
        if number < ROUNDS:
            chosen = _random(pool, generator) if order == "random" else _ours(result, pool)
            taken = set(chosen)
            labelled, pool = labelled + chosen, [one for one in pool if one not in taken]
    return accuracies


def train(work: Path, labelled: list[tuple[str, int]], test: list[tuple[str, int]], configuration: dict,
          seed: int, base: dict | None = None, names: list[str] | None = None) -> dict:  # fmt: skip
    """Train with the engine on four fifths of what is labelled; the last fifth of each label is for validation."""
    splits: dict[str, list[dict]] = {"train": [], "validation": [], "test": []}
    by_label: dict[int, list[str]] = {}
    for path, label in labelled:
        by_label.setdefault(label, []).append(path)
    for label, paths in by_label.items():
        cut = max(1, len(paths) // 5)
        for split, part in (("validation", paths[:cut]), ("train", paths[cut:])):
            splits[split] += [{"id": path, "path": path, "label": label} for path in part]
    splits["test"] = [{"id": path, "path": path, "label": label} for path, label in test]
    work.mkdir(parents=True)
    request = {
        "configuration": Configuration(**configuration, seed=seed).resolved().to_dict(),
        "class_names": names or [str(label) for label in range(10)], "splits": splits, "base": base,
    }  # fmt: skip
    (work / "request.json").write_text(json.dumps(request))
    with open(work / "stderr.log", "wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "training.engine", str(work)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        messages = [json.loads(line) for line in process.stdout]
        process.wait()
    result = next((message["result"] for message in messages if message["event"] == "result"), None)
    assert result is not None, messages[-1]
    return result


def _random(pool: list[tuple[str, int]], generator: random.Random) -> list[tuple[str, int]]:
    return generator.sample(pool, MORE)


def _ours(result: dict, pool: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """As `inference.teaching` does it: by the file that serves."""
    network, embedder = LiteRTClassifier(result["files"]["litert-float32"]), Embedder(result["files"]["litert-float32"])
    pixels = [load_pixels(path, network.image_size) for path, _ in pool]
    uncertainty = margin_uncertainty(np.stack([network.predict(one) for one in pixels]))
    order = teaching_order(uncertainty, np.stack([embedder.run(one) for one in pixels]))
    return [pool[index] for index in order[:MORE]]


def _plot(path: Path, found: dict[str, list[list[float]]]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.subplots()
    counts = [START + MORE * number for number in range(ROUNDS + 1)]
    for order, color in zip(ORDERS, ("#0072b2", "#e69f00"), strict=True):
        values = np.array(found[order])
        axes.plot(counts, values.mean(axis=0), marker="o", color=color, label=f"{order}, mean of {len(values)} seeds")
        axes.fill_between(counts, values.min(axis=0), values.max(axis=0), color=color, alpha=0.15, linewidth=0)
    axes.set(xlabel="Labelled photographs", ylabel="Test accuracy")
    axes.grid(True, color="#eeeeee")
    axes.legend()
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
