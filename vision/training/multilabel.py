"""Training with none to many labels an image: loss, metrics, and the head of a frozen backbone solved at once."""

from __future__ import annotations

import time
from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from vision.runtime.multilabel_metrics import average_precision
from vision.training.compiling import compile_with
from vision.training.configuration import Configuration
from vision.training.features import said_by
from vision.training.fitting import ValidationScore
from vision.training.hooks import TrainingHooks
from vision.training.solved_head import ITERATIONS, REGULARISATION, TOLERANCE

# How much more, or less, an image with a label may count than one without it.
LARGEST_WEIGHT = 10.0


def positive_weights(labels: np.ndarray, mode: str) -> np.ndarray:
    """`(labels,)` float32: how much an image that has a label counts for it, beside one that has not.

    "balanced": images without it over images with it, at most 10 and at least 0.1. "none" and "auto": 1. Thresholds
    chosen for each label make up for what is rare, and weights would make its scores too high to be read as chances.

    Args:
        labels: `(images, labels)` of 0 and 1.
    """
    if mode != "balanced":
        return np.ones(labels.shape[1], np.float32)
    positive = labels.sum(axis=0)
    ratio = (len(labels) - positive) / np.maximum(positive, 1)
    return np.clip(ratio, 1 / LARGEST_WEIGHT, LARGEST_WEIGHT).astype(np.float32)


def weighted_cross_entropy(weights: np.ndarray, label_smoothing: float) -> Callable:
    """Binary cross-entropy of each label, the mean over the labels, where positives count `weights` times."""
    positive = weights.astype(np.float32)

    def binary_cross_entropy(y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        share = y_true * (1 - label_smoothing) + 0.5 * label_smoothing
        chance = ops.clip(y_pred, 1e-7, 1 - 1e-7)
        each = positive * share * ops.log(chance) + (1 - share) * ops.log(1 - chance)
        return -ops.mean(each, axis=-1)

    return binary_cross_entropy


def compile_multilabel(
    model: keras.Model,
    configuration: Configuration,
    *,
    peak: float,
    steps: int,
    label_smoothing: float,
    weights: np.ndarray,
) -> None:
    """A network's optimizer, loss and metrics where an image has none to many labels.

    Args:
        weights: see `positive_weights`.
    """
    count = model.output_shape[-1]
    precision = keras.metrics.AUC(curve="PR", multi_label=True, num_labels=count, name="average_precision")
    metrics = [keras.metrics.BinaryAccuracy(name="accuracy"), precision]
    loss = weighted_cross_entropy(weights, label_smoothing)
    compile_with(model, configuration, peak=peak, steps=steps, loss=loss, metrics=metrics)


def score_multilabel(epoch: int, logs: dict) -> ValidationScore:
    """By the mean average precision on the validation split, in which no threshold has a part, then by its loss.

    `accuracy` is the share of right decisions at a score of one half.
    """
    names = ("accuracy", "val_accuracy", "val_average_precision")
    figures = {name: float(logs[name]) for name in names}
    return ValidationScore([figures["val_average_precision"], -float(logs["val_loss"])], figures)


def solve_multilabel_head(
    head: keras.Model,
    features: dict[str, np.ndarray],
    labels: dict[str, np.ndarray],
    weights: np.ndarray,
    hooks: TrainingHooks,
) -> dict:
    """As `solved_head.solve_head`: one logistic regression for each label against the rest.

    Args:
        labels: `(images, labels)` of 0 and 1, of `train` and `validation`.
        weights: see `positive_weights`.
    """
    hooks.on_progress("head", 0, 1)
    hooks.raise_if_cancelled()
    started = time.monotonic()
    norm, dense = head.get_layer("standardize"), head.get_layer("probabilities")
    mean, variance = (np.asarray(weight) for weight in norm.get_weights())
    standardised = (features["train"] - mean) / np.sqrt(variance + norm.epsilon)
    dense.set_weights(_one_against_rest(standardised, labels["train"], weights))
    seconds = max(time.monotonic() - started, 1e-6)
    entry = {"phase": "head", "epoch": 1, "learning_rate": 0.0, "seconds": round(seconds, 3)}
    for split, prefix in (("train", ""), ("validation", "val_")):
        said, truth = said_by(head, features[split]), labels[split] > 0
        chance = np.clip(np.where(truth, said, 1 - said), 1e-7, 1)
        entry[f"{prefix}loss"] = float(-np.log(chance).mean())
        entry[f"{prefix}accuracy"] = float(((said >= 0.5) == truth).mean())
    areas = [average_precision(said[:, label], truth[:, label]) for label in range(truth.shape[1])]
    entry["val_average_precision"] = float(np.mean([area or 0.0 for area in areas]))
    entry["images_per_second"] = round(len(standardised) / seconds, 1)
    hooks.on_epoch(entry)
    hooks.on_progress("head", 1, 1)
    hooks.log(f"head: solved in {seconds:.1f} s, mean average precision {entry['val_average_precision']:.4f}")
    return entry


def _one_against_rest(features: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> list[np.ndarray]:
    """`(features, labels)` and `(labels,)` float32: kernel and bias, by L-BFGS (Liu and Nocedal 1989)."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        basis = None
        if len(features) < features.shape[1]:  # a solution lies in the span of the images
            left, sizes, basis = np.linalg.svd(features, full_matrices=False)
            features = left * sizes
        solved = [_solved(features, labels[:, label], weights[label]) for label in range(labels.shape[1])]
        kernel, bias = np.stack([row[:-1] for row in solved], axis=1), np.array([row[-1] for row in solved])
        if basis is not None:
            kernel = basis.T @ kernel
    return [kernel.astype(np.float32), bias.astype(np.float32)]


def _solved(features: np.ndarray, labels: np.ndarray, weight: float) -> np.ndarray:
    """The weights of one label, and its bias behind them."""
    from scipy.optimize import minimize

    signs = np.where(labels > 0, 1.0, -1.0)
    share = REGULARISATION * np.where(labels > 0, weight, 1.0)

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        margins = signs * (features @ flat[:-1] + flat[-1])
        slope = -share * signs / (1 + np.exp(np.clip(margins, -80, 80)))
        value = float(share @ np.logaddexp(0.0, -margins)) + 0.5 * float(flat[:-1] @ flat[:-1])
        return value, np.append(features.T @ slope + flat[:-1], slope.sum())

    options = {"maxiter": ITERATIONS, "gtol": TOLERANCE}
    return minimize(loss, np.zeros(features.shape[1] + 1), jac=True, method="L-BFGS-B", options=options).x
