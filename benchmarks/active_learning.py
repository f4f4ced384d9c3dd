"""Which images to label next: the studio's order beside a random one, on the sign digits.

100 labelled photographs to start (10 a label), five rounds of 100 more, three seeds. 600 photographs are put aside and
only measured on; validation is a fifth of what is labelled. Each round trains a head on a frozen MobileNetV2 0.35
again, with the engine's own phase. MLSTUDIO_BENCH_PLOT names a file (SVG or PNG) for the plot.
"""

from __future__ import annotations

import os
import random
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.rows import Row
from benchmarks.sign_digits import is_here, unpack_all
from tests.real_data import WEIGHTS
from vision.analysis.embedding import project
from vision.analysis.selection import labeling_order, margin_uncertainty
from vision.imaging.preprocessing import load_pixels
from vision.training.configuration import Configuration

SEEDS = (1, 2, 3)
LABELS = 10
START, MORE, ROUNDS, TEST = 100, 100, 5, 600
CONFIGURATION = {"architecture": "mobilenet_v2_035", "fine_tune": False}
ORDERS = ("ours", "random")


def run(folder: Path) -> list[Row]:
    if not is_here():
        return [Row("which images to label next", "not measured: no photographs and weights here", "")]
    os.environ["MLSTUDIO_WEIGHTS_DIR"] = str(WEIGHTS)
    heads = Heads(unpack_all(folder / "images"), folder)
    found = {order: [_rounds(heads, seed, order) for seed in SEEDS] for order in ORDERS}
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


class Heads:
    """The engine's head phase, on features of the frozen backbone that are computed once."""

    def __init__(self, images: list[tuple[str, int]], folder: Path) -> None:
        from vision.training.networks import build_network

        self._folder = folder
        self.configuration = Configuration(**CONFIGURATION).resolved()
        network = build_network(self.configuration, LABELS)
        size = (self.configuration.image_size, self.configuration.image_size)
        pixels = np.stack([load_pixels(path, size) for path, _ in images]).astype(np.float32)
        self._head = network.head
        self.features = np.asarray(network.backbone.predict(pixels, batch_size=64, verbose=0))
        self.labels = np.array([label for _, label in images])

    def train(self, chosen: list[int], seed: int):
        """A function from rows of features to probabilities; a fifth of what is chosen is for validation."""
        import keras

        from vision.training.compiling import compile_for
        from vision.training.fitting import Phase
        from vision.training.hooks import TrainingHooks
        from vision.training.train import HEAD_WEIGHT_DECAY

        keras.utils.set_random_seed(seed)
        held = {one for label in range(LABELS) for one in self._of(chosen, label)[: max(1, self._share(chosen, label))]}
        rows = {"validation": sorted(held), "train": sorted(set(chosen) - held)}
        head = keras.models.clone_model(self._head)
        train = self.features[rows["train"]]
        head.get_layer("standardize").set_weights([train.mean(axis=0), train.var(axis=0)])
        sources = {split: self._source(part) for split, part in rows.items()}
        configuration = replace(self.configuration, seed=seed)
        steps = configuration.epochs * -(-len(rows["train"]) // configuration.batch_size)
        decayed = replace(configuration, weight_decay=HEAD_WEIGHT_DECAY)
        compile_for(head, decayed, peak=configuration.learning_rate, steps=steps, label_smoothing=0.0)
        checkpoint = self._folder / "head.npz"
        checkpoint.unlink(missing_ok=True)
        Phase(
            name="head",
            model=head,
            saved=head,
            train=sources["train"],
            validation=sources["validation"],
            epochs=configuration.epochs,
            configuration=configuration,
            checkpoint_path=checkpoint,
            history=[],
        ).run(TrainingHooks())
        return lambda features: np.asarray(head(features, training=False))

    def _of(self, chosen: list[int], label: int) -> list[int]:
        return [one for one in chosen if self.labels[one] == label]

    def _share(self, chosen: list[int], label: int) -> int:
        return len(self._of(chosen, label)) // 5

    def _source(self, rows: list[int]):
        from vision.training.input_pipeline import Source

        part = self.features[rows]
        return Source(part.__getitem__, self.labels[rows], part.shape[1:], np.dtype(np.float32), LABELS)


def _rounds(heads: Heads, seed: int, order: str) -> list[float]:
    """Test accuracy after each round."""
    generator = random.Random(seed)
    shuffled = list(range(len(heads.labels)))
    generator.shuffle(shuffled)
    test, pool = shuffled[:TEST], shuffled[TEST:]
    labelled = [
        one for label in range(LABELS) for one in [p for p in pool if heads.labels[p] == label][: START // LABELS]
    ]
    accuracies = []
    for number in range(ROUNDS + 1):
        pool = sorted(set(pool) - set(labelled))
        predict = heads.train(labelled, seed)
        accuracies.append(float((predict(heads.features[test]).argmax(axis=1) == heads.labels[test]).mean()))
        if number < ROUNDS:
            if order == "random":
                labelled = labelled + generator.sample(pool, MORE)
            else:
                uncertainty = margin_uncertainty(predict(heads.features[pool]))
                chosen = labeling_order(uncertainty, project(heads.features[pool]))
                labelled = labelled + [pool[index] for index in chosen[:MORE]]
    return accuracies


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
