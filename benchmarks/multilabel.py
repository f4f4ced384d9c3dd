"""Cell kinds of each BCCD image: a training, the live model with few labels, what it asks for, and exchanged labels.

The kinds are those of the boxes of an image. Nothing is chosen on what is reported: the training chooses on its
validation split and looks at its test split once, and settings of the live model are the studio's.
"""

from __future__ import annotations

import os
import random
import time
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from benchmarks.live_model import features_of
from benchmarks.rows import Row, at_most
from benchmarks.sign_digits import engine_result
from datasets.stratification import LabelledGroup, stratified_splits
from tests.real_data import FOLDER, WEIGHTS
from vision.analysis.embedding import project
from vision.analysis.label_doubts import find_label_doubts, out_of_fold_labels
from vision.analysis.live_labels import (
    LabelsHead,
    calibrated,
    fit_labels,
    held_out_labels,
    is_learnable,
)
from vision.analysis.selection import decision_uncertainty, labeling_order
from vision.engine_requests import TrainingRequest
from vision.runtime.multilabel_metrics import average_precision
from vision.training.configuration import Configuration
from vision.training.data import MultilabelSample

CELLS = FOLDER / "bccd-voc.zip"
FRACTIONS = {"train": 0.7, "validation": 0.15, "test": 0.15}
SPLIT_SEED = 42
DRAWS = (1, 2, 3, 4, 5)
COUNTS = (20, 50, 100)
TEST = 120
SHARE = 0.05
LARGE, FEATURES, LABELS = 5000, 1280, 20


def run(folder: Path) -> list[Row]:
    rows = [_speed()]
    if not CELLS.exists() or not WEIGHTS.exists():
        return [*rows, Row("cell kinds of BCCD", "not measured: no images and weights here", "")]
    os.environ["MLSTUDIO_WEIGHTS_DIR"] = str(WEIGHTS)
    paths, names, truth = _unpacked(folder / "images")
    features, _, _ = features_of([(path, 0) for path in paths])
    rows += [_trained(folder / "work", paths, names, truth), *_live(features, truth)]
    return [*rows, _exchanged(features, truth)]


def _unpacked(folder: Path) -> tuple[list[str], list[str], np.ndarray]:
    folder.mkdir(parents=True)
    kinds: dict[str, set[str]] = {}
    with zipfile.ZipFile(CELLS) as archive:
        images = {Path(name).stem: name for name in archive.namelist() if name.lower().endswith((".jpg", ".png"))}
        for name in sorted(archive.namelist()):
            if name.endswith(".xml") and Path(name).stem in images:
                tree = ElementTree.fromstring(archive.read(name))
                image = images[Path(name).stem]
                path = folder / Path(image).name
                path.write_bytes(archive.read(image))
                kinds[str(path)] = {element.findtext("name") or "" for element in tree.iter("object")}
    names = sorted(set().union(*kinds.values()))
    return list(kinds), names, np.array([[name in own for name in names] for own in kinds.values()])


def _trained(work: Path, paths: list[str], names: list[str], truth: np.ndarray) -> Row:
    """The preset for first models: a pretrained backbone that is kept, and its head solved at once."""
    generator = random.Random(SPLIT_SEED)
    groups = [
        LabelledGroup(place, f"{generator.random()}", 1, {names[label]: 1 for label in np.flatnonzero(own)})
        for place, own in enumerate(truth)
    ]
    split_of = stratified_splits(groups, FRACTIONS)
    splits: dict[str, list] = {split: [] for split in FRACTIONS}
    for place, (path, own) in enumerate(zip(paths, truth, strict=True)):
        splits[split_of[place]].append(MultilabelSample(path, path, np.flatnonzero(own).tolist()))
    configuration = Configuration(architecture="mobilenet_v2", fine_tune=False, head_solver="lbfgs", minutes=0)
    request = TrainingRequest("multilabel", configuration.resolved().to_dict(), names, splits)
    started = time.perf_counter()
    metrics = engine_result(work, request)["metrics"]
    seconds = time.perf_counter() - started
    low, high = metrics["mean_average_precision_interval"]
    each = ", ".join(f"{row['label']} {row['average_precision']:.3f}" for row in metrics["per_class"])
    return Row(
        f"training on {len(splits['train'])} images, {len(splits['test'])} test images",
        f"mean average precision {metrics['mean_average_precision']:.3f} ({low:.3f} to {high:.3f})",
        f"{each}; micro F1 {metrics['micro_f1']:.3f}, macro F1 {metrics['macro_f1']:.3f}, all labels right "
        f"{metrics['subset_accuracy']:.3f}; {seconds:.0f} s",
    )


def _live(features: np.ndarray, truth: np.ndarray) -> list[Row]:
    """The live model on the labels that it has asked for, beside as many at random; the same test images for both."""
    codes = project(features)
    found = {order: [_rounds(features, codes, truth, draw, order) for draw in DRAWS] for order in ("live", "random")}
    rows = []
    for place, count in enumerate(COUNTS):
        live, chance = (np.array([draw[place] for draw in found[order]]) for order in ("live", "random"))
        sure = ", ".join(f"{right:.0f} of {images:.0f}" for images, right in chance[:, 2:])
        rows.append(
            Row(
                f"live model, {count} images labelled: mean average precision on {TEST} others, {len(DRAWS)} draws",
                f"asked for {live[:, 0].mean():.3f}, at random {chance[:, 0].mean():.3f}",
                f"all labels right {live[:, 1].mean():.3f} and {chance[:, 1].mean():.3f}; of guesses with ≥ 0.9 right "
                f"(at random, each draw): {sure}",
            )
        )
    return rows


def _rounds(features: np.ndarray, codes: np.ndarray, truth: np.ndarray, draw: int, order: str) -> list[tuple]:
    generator = np.random.default_rng(draw)
    shuffled = generator.permutation(len(truth))
    test, pool = shuffled[:TEST], shuffled[TEST:]
    mean, deviation = features[pool].mean(axis=0), features[pool].std(axis=0)
    first = (
        np.argsort(generator.random(len(pool)))
        if order == "random"
        else labeling_order(np.ones(len(pool)), codes[pool])
    )
    labelled, found = pool[first[: COUNTS[0]]], []
    for count in (*COUNTS[1:], None):
        head = _fitted(features[labelled], truth[labelled], mean, deviation)
        found.append(_measured(head, features[test], truth[test]))
        if count is None:
            break
        rest = np.setdiff1d(pool, labelled)
        if order == "random":
            chosen = generator.permutation(rest)
        else:
            doubt = decision_uncertainty(head.probabilities(features[rest]), head.thresholds)
            chosen = rest[labeling_order(doubt, codes[rest])]
        labelled = np.concatenate([labelled, chosen[: count - len(labelled)]])
    return found


def _fitted(features: np.ndarray, truth: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> LabelsHead:
    assert is_learnable(truth)
    return calibrated(fit_labels(features, truth, mean, deviation), held_out_labels(features, truth, mean, deviation))


def _measured(head: LabelsHead, features: np.ndarray, truth: np.ndarray) -> tuple[float, float, int, int]:
    """Mean average precision, share with all labels right, guesses with ≥ 0.9, and how many of these are right."""
    chances = head.probabilities(features)
    is_present = chances >= head.thresholds
    right, sure = (is_present == truth).all(axis=1), head.confidence(chances) >= 0.9
    areas = [average_precision(chances[:, label], truth[:, label]) for label in range(truth.shape[1])]
    known = [area for area in areas if area is not None]
    return float(np.mean(known)), float(right.mean()), int(sure.sum()), int(right[sure].sum())


def _exchanged(features: np.ndarray, truth: np.ndarray) -> Row:
    """Of 5 % of all decisions the opposite was given: how many of them head the list of doubtful labels."""
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    count, found = int(truth.size * SHARE), []
    every = np.arange(len(truth))
    for draw in DRAWS:
        wrong = np.random.default_rng(draw).choice(truth.size, count, replace=False)
        given = truth.copy()
        given.ravel()[wrong] ^= True
        doubts = find_label_doubts(out_of_fold_labels(features, every, given, mean, deviation, every), given)
        first = (doubts.images * truth.shape[1] + doubts.labels)[:count]
        found.append(len(np.intersect1d(first, wrong)) / count)
    return Row(
        f"{count} of {truth.size} decisions turned round, without a training",
        f"among the first {count} doubts: {np.mean(found):.3f} of them",
        f"each: {', '.join(f'{share:.3f}' for share in found)}; at random {SHARE:.3f}",
    )


def _speed() -> Row:
    """Made up features: time alone."""
    generator = np.random.default_rng(0)
    places = generator.normal(0, 1, (LABELS, FEATURES)).astype(np.float32)
    truth = generator.random((LARGE, LABELS)) < 0.15
    features = (truth @ places + generator.normal(0, 2, (LARGE, FEATURES))).astype(np.float32)
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    fit_labels(features[:100], truth[:100], mean, deviation)  # scipy is loaded
    started, on_processor = time.perf_counter(), time.process_time()
    fit_labels(features, truth, mean, deviation)
    fitted = time.perf_counter() - started
    held_out_labels(features, truth, mean, deviation)
    seconds, own = time.perf_counter() - started, time.process_time() - on_processor
    return at_most(
        f"fit on {LARGE:,} labelled images, {LABELS} labels at once",
        f"{fitted:.2f} s; with calibration {seconds:.2f} s",
        f"{own:.2f} s on the processor; goal: 1 s",
        seconds,
        1.0,
    )
