"""The live model on the sign digits: accuracy with few labels, seconds of a fit, and how it grows.

Test accuracy is that of all photographs without a label, drawn three times. Beside it nearest neighbours on the same
features. The same features are used throughout; a fit is everything after the query of the labels. Larger sets are
made up: features of 20 labels at random, for time and memory only.
"""

from __future__ import annotations

import os
import resource
import time
import uuid
from pathlib import Path

import numpy as np

from benchmarks.rows import Row, at_most
from benchmarks.sign_digits import is_here, unpack_all
from tests.real_data import WEIGHTS
from vision.analysis.embedding import project
from vision.analysis.feature_store import FeatureStore
from vision.analysis.live_head import LiveHead, fit_head, held_out
from vision.analysis.nearest import most_alike, unit
from vision.analysis.selection import labeling_order, margin_uncertainty
from vision.imaging.preprocessing import load_pixels

DRAWS = (1, 2, 3)
LABELS = 10
IMAGE_SIZE = 160
COUNTS = (2, 3, 5, 10, 20)
LARGE, FEATURES, LARGE_LABELS, LABELLED = 100_000, 1856, 20, 5000
SEARCHES = 30
ORDERS = ("live", "random")
START, MORE, ROUNDS, TEST = 20, 20, 34, 600
SHOWN = (20, 60, 100, 200, 300, 400, 500, 600, 700)


def run(folder: Path) -> list[Row]:
    return [*_digits(folder), *_large(folder)]


def _digits(folder: Path) -> list[Row]:
    if not is_here():
        return [Row("live model with few labels", "not measured: no photographs and weights here", "")]
    os.environ["MLSTUDIO_WEIGHTS_DIR"] = str(WEIGHTS)
    features, labels, seconds = features_of(unpack_all(folder / "images"))
    rows = [Row("features of an image, with decoding", f"{seconds * 1000:.1f} ms", "LiteRT, one thread")]
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    for count in COUNTS:
        found = [_few(features, labels, mean, deviation, count, draw) for draw in DRAWS]
        live, neighbours, sure, right, took = (np.array(part) for part in zip(*found, strict=True))
        rows.append(
            Row(
                f"{count} labels a digit: accuracy on all others, mean of {len(DRAWS)} draws",
                f"{live.mean():.3f} ({', '.join(f'{one:.3f}' for one in live)})",
                f"nearest neighbours {neighbours.mean():.3f}; of {sure.mean():.0f} guesses with ≥ 0.9 right: "
                f"{np.nanmean(right):.3f}; fit and calibration {took.mean():.2f} s",
            )
        )
    return [*rows, *_rounds(features, labels)]


def _rounds(features: np.ndarray, labels: np.ndarray) -> list[Row]:
    """Which images to label next by the live model itself, from 20 labels on, beside a random order. 600 photographs
    are put aside and only measured on; no round knows more than the labels it has asked for."""
    curves = {order: np.array([_asked(features, labels, seed, order) for seed in DRAWS]) for order in ORDERS}
    counts = [START + MORE * number for number in range(ROUNDS + 1)]
    rows = [
        Row(
            f"{count} photographs labelled: test accuracy, mean of {len(DRAWS)} seeds",
            f"by the live model {curves['live'][:, place].mean():.3f}",
            f"at random {curves['random'][:, place].mean():.3f}",
        )
        for place, count in enumerate(counts)
        if count in SHOWN
    ]
    needed = {order: [_first_above(curve, counts) for curve in curves[order]] for order in ORDERS}
    return [*rows, Row("labels needed for 0.90, each seed", f"live {needed['live']}", f"random {needed['random']}")]


def _first_above(curve: np.ndarray, counts: list[int]) -> str:
    above = np.flatnonzero(curve >= 0.9)
    return str(counts[above[0]]) if len(above) else f"more than {counts[-1]}"


def _asked(features: np.ndarray, labels: np.ndarray, seed: int, order: str) -> list[float]:
    generator = np.random.default_rng(seed)
    shuffled = generator.permutation(len(labels))
    test, pool = shuffled[:TEST], shuffled[TEST:]
    mean, deviation = features[pool].mean(axis=0), features[pool].std(axis=0)
    codes = project(features)
    labelled = pool[:START] if order == "random" else pool[labeling_order(np.ones(len(pool)), codes[pool])[:START]]
    found = []
    for _ in range(ROUNDS + 1):
        head = fit_head(features[labelled], labels[labelled], LABELS, mean, deviation)
        found.append(float((head.probabilities(features[test]).argmax(axis=1) == labels[test]).mean()))
        rest = np.setdiff1d(pool, labelled)
        if order == "random":
            chosen = generator.permutation(rest)[:MORE]
        else:
            doubt = margin_uncertainty(head.probabilities(features[rest]))
            chosen = rest[labeling_order(doubt, codes[rest], ranked=MORE)[:MORE]]
        labelled = np.concatenate([labelled, chosen])
    return found


def features_of(images: list[tuple[str, int]]) -> tuple[np.ndarray, np.ndarray, float]:
    import tensorflow as tf

    from vision.runtime.interpreters import LiteRTNetwork
    from vision.training.litert import write_litert
    from vision.training.networks import pretrained_backbone

    backbone = pretrained_backbone("mobilenet_v2", IMAGE_SIZE)
    path = Path(images[0][0]).parent / "backbone.tflite"
    signature = tf.TensorSpec((None, IMAGE_SIZE, IMAGE_SIZE, 3), tf.float32, name="image")
    write_litert(path, lambda image: backbone(image, training=False), backbone, signature)
    network = LiteRTNetwork(path, max_interpreters=1, num_threads=1)
    started = time.perf_counter()
    rows = np.stack([network.run(load_pixels(image, (IMAGE_SIZE, IMAGE_SIZE))) for image, _ in images])
    seconds = (time.perf_counter() - started) / len(images)
    return rows, np.array([label for _, label in images]), seconds


def _few(
    features: np.ndarray, labels: np.ndarray, mean: np.ndarray, deviation: np.ndarray, count: int, draw: int
) -> tuple[float, float, int, float, float]:
    generator = np.random.default_rng(draw)
    train = np.concatenate([generator.permutation(np.flatnonzero(labels == one))[:count] for one in range(LABELS)])
    test = np.setdiff1d(np.arange(len(labels)), train)
    started = time.perf_counter()
    head = fit_head(features[train], labels[train], LABELS, mean, deviation)
    tried = held_out(features[train], labels[train], LABELS, mean, deviation)
    took = time.perf_counter() - started
    temperature = 1.0 if tried is None else tried.temperature
    chances = LiveHead(head.mean, head.deviation, head.weights, head.bias, temperature).probabilities(features[test])
    right, sure = chances.argmax(axis=1) == labels[test], chances.max(axis=1) >= 0.9
    standardised = unit(features / deviation, mean / deviation)
    near = np.argsort(-standardised[test] @ standardised[train].T, axis=1)[:, : min(5, count)]
    votes = np.stack([(labels[train][near] == one).sum(axis=1) for one in range(LABELS)], axis=1)
    neighbours = (votes.argmax(axis=1) == labels[test]).mean()
    return (
        float(right.mean()),
        float(neighbours),
        int(sure.sum()),
        float(right[sure].mean()) if sure.any() else np.nan,
        took,
    )


def _large(folder: Path) -> list[Row]:
    store = FeatureStore(folder / "large", FEATURES)
    generator = np.random.default_rng(0)
    places = generator.normal(0, 1, (LARGE_LABELS, FEATURES)).astype(np.float32)
    truth = np.arange(LARGE) % LARGE_LABELS
    for start in range(0, LARGE, 5000):
        part = slice(start, start + 5000)
        rows = places[truth[part]] + generator.normal(0, 2, (5000, FEATURES)).astype(np.float32)
        store.append([uuid.UUID(int=n + 1) for n in range(start, start + 5000)], rows)
    size = sum(path.stat().st_size for path in store.folder.iterdir())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    mean, deviation = store.statistics()
    searches = []
    for row in generator.integers(0, LARGE, SEARCHES):
        started = time.perf_counter()
        most_alike(store.vectors(), store.codes(), int(row), 24, mean)
        searches.append(time.perf_counter() - started)
    started = time.perf_counter()
    vectors, labels = np.asarray(store.vectors()[:LABELLED], np.float32), truth[:LABELLED]
    head = fit_head(vectors, labels, LARGE_LABELS, mean, deviation)
    fitted = time.perf_counter() - started
    held_out(vectors, labels, LARGE_LABELS, mean, deviation)
    calibrated = time.perf_counter() - started
    for start in range(0, LARGE, 4096):
        head.probabilities(np.asarray(store.vectors()[start : start + 4096], np.float32))
    guessed = time.perf_counter() - started
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    search = float(np.median(searches)) * 1000
    return [
        Row(
            f"{LARGE:,} images: features on the disk", f"{size / 1e6:.0f} MB", f"{size / LARGE / 1000:.2f} kB an image"
        ),
        at_most(f"one search among {LARGE:,}, median", f"{search:.0f} ms", "goal: 50 ms", search / 50, 1.0),
        at_most(
            f"fit on {LABELLED:,} labelled images, {LARGE_LABELS} labels",
            f"{fitted:.2f} s; with calibration {calibrated:.2f} s",
            "goal: 1 s",
            calibrated,
            1.0,
        ),
        Row(f"the same with guesses for {LARGE:,}", f"{guessed:.2f} s", f"{grown:.0f} MB more memory at the most"),
    ]
