"""Wrong labels: 5 % of the sign digits' labels exchanged at random, and how many of them head the list of suspects."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from benchmarks.live_model import features_of as live_features
from benchmarks.rows import Row
from benchmarks.sign_digits import is_here, train_on, unpack_all
from tests.real_data import WEIGHTS
from vision.analysis.embedding import Embedder
from vision.analysis.label_issues import DIMENSIONS, find_label_issues, out_of_sample_probabilities
from vision.analysis.out_of_fold import out_of_fold_probabilities
from vision.imaging.preprocessing import load_pixels

SEEDS = (1, 2, 3)
SHARE = 0.05
CHOICES = {
    "MobileNetV2 1.0, frozen": {"architecture": "mobilenet_v2", "fine_tune": False},
}


def run(folder: Path) -> list[Row]:
    if not is_here():
        return [Row("wrong labels", "not measured: no photographs and weights here", "")]
    os.environ["MLSTUDIO_WEIGHTS_DIR"] = str(WEIGHTS)
    images = unpack_all(folder / "images")
    rows = []
    for name, configuration in CHOICES.items():
        found = [
            _one(folder / f"{configuration['architecture']}-{seed}", images, configuration, seed) for seed in SEEDS
        ]
        at_top, issues, right = (np.array(column) for column in zip(*found, strict=True))
        count = int(len(images) * SHARE)
        rows.append(
            Row(
                f"{count} of {len(images)} labels exchanged, {name}",
                f"in the first 5 %: {at_top.mean() / count:.3f} of them (precision and recall)",
                f"each: {', '.join(f'{one / count:.3f}' for one in at_top)}; called wrong: {issues.mean():.0f}, of "
                f"which {right.mean():.0f} are",
            )
        )
    return [*rows, _without_training(images)]


def _without_training(images: list[tuple[str, int]]) -> Row:
    """The same by the live head on the features of the pretrained network, out of fold: no model was trained."""
    features, truth, _ = live_features(images)
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    count = int(len(images) * SHARE)
    found = []
    for seed in SEEDS:
        labels, is_wrong, _ = _exchanged(truth, seed)
        every = np.arange(len(labels))
        suspects = find_label_issues(
            out_of_fold_probabilities(features, every, labels, 10, mean, deviation, every), labels
        )
        at_top = int(is_wrong[suspects.order[:count]].sum())
        found.append((at_top, int(suspects.is_issue.sum()), int((suspects.is_issue & is_wrong).sum())))
    at_top, issues, right = (np.array(column) for column in zip(*found, strict=True))
    return Row(
        f"{count} of {len(images)} labels exchanged, without a training",
        f"in the first 5 %: {at_top.mean() / count:.3f} of them (precision and recall)",
        f"each: {', '.join(f'{one / count:.3f}' for one in at_top)}; called wrong: {issues.mean():.0f}, of which "
        f"{right.mean():.0f} are",
    )


def _exchanged(labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    """Labels of which some were exchanged, which ones, and the generator for what comes next."""
    generator = np.random.default_rng(seed)
    labels, is_wrong = labels.copy(), np.zeros(len(labels), bool)
    wrong = generator.choice(len(labels), int(len(labels) * SHARE), replace=False)
    labels[wrong] = (labels[wrong] + generator.integers(1, 10, len(wrong))) % 10
    is_wrong[wrong] = True
    return labels, is_wrong, generator


def _one(folder: Path, images: list[tuple[str, int]], configuration: dict, seed: int) -> tuple[int, int, int]:
    """Exchanged labels in the first 5 % of the list, labels called wrong, exchanged ones among them.

    The model is trained on the wrong labels too, as its user's would be.
    """
    labels, is_wrong, generator = _exchanged(np.array([label for _, label in images]), seed)
    given = [(path, int(label)) for (path, _), label in zip(images, labels, strict=True)]
    order = generator.permutation(len(given))
    mixed = [given[index] for index in order]
    result = train_on(
        folder, mixed[: int(len(mixed) * 0.85)], mixed[int(len(mixed) * 0.85) :], configuration, seed=seed
    )
    embedder = Embedder(result["files"]["litert-float32"], dimensions=DIMENSIONS)
    vectors = np.stack([embedder.run(load_pixels(path, embedder.image_size)) for path, _ in given])
    suspects = find_label_issues(out_of_sample_probabilities(vectors, labels, 10), labels)
    return (
        int(is_wrong[suspects.order[: is_wrong.sum()]].sum()),
        int(suspects.is_issue.sum()),
        int((suspects.is_issue & is_wrong).sum()),
    )
