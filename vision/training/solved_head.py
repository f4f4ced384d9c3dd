"""The head of a frozen backbone as a logistic regression, solved at once: what the live model is."""

from __future__ import annotations

import time
from collections.abc import Callable

import keras
import numpy as np

from vision.training.features import said_by
from vision.training.hooks import TrainingHooks

# The weight of the loss beside half of the squares of the weights, as in `vision.analysis.live_head`.
REGULARISATION = 0.05
ITERATIONS, TOLERANCE = 200, 1e-3


def solve_head(
    head: keras.Model,
    features: dict[str, np.ndarray],
    labels: dict[str, np.ndarray],
    weights: np.ndarray,
    hooks: TrainingHooks,
) -> dict:
    """Give the head the weights with the smallest regularised loss on the training images.

    Args:
        head: with its statistics set, see `networks.standardize`.
        features: `(images, features)` float32 of `train` and `validation`.
        labels: `(images,)` int of both.
        weights: `(images,)` float32, how much each training image counts.

    Returns:
        The one entry of its history.
    """
    hooks.on_progress("head", 0, 1)
    hooks.raise_if_cancelled()
    started = time.monotonic()
    norm, dense = head.get_layer("standardize"), head.get_layer("probabilities")
    mean, variance = (np.asarray(weight) for weight in norm.get_weights())
    scale = 1 / np.sqrt(variance + norm.epsilon)
    dense.set_weights(
        logistic_regression(
            features["train"], labels["train"], weights, dense.units, mean, scale, hooks.raise_if_cancelled
        )
    )
    seconds = max(time.monotonic() - started, 1e-6)
    entry = {"phase": "head", "epoch": 1, "learning_rate": 0.0, "seconds": round(seconds, 3)}
    for split, prefix in (("train", ""), ("validation", "val_")):
        said = said_by(head, features[split])
        own = said[np.arange(len(said)), labels[split]]
        entry[f"{prefix}loss"] = float(-np.log(np.maximum(own, 1e-7)).mean())
        entry[f"{prefix}accuracy"] = float((said.argmax(axis=1) == labels[split]).mean())
    entry["images_per_second"] = round(len(features["train"]) / seconds, 1)
    hooks.on_epoch(entry)
    hooks.on_progress("head", 1, 1)
    hooks.log(f"head: solved in {seconds:.1f} s, validation accuracy {entry['val_accuracy']:.4f}")
    return entry


def logistic_regression(
    features: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray,
    num_classes: int,
    mean: np.ndarray,
    scale: np.ndarray,
    after_each: Callable[[], None] = lambda: None,
) -> list[np.ndarray]:
    """Multinomial, by L-BFGS (Liu and Nocedal 1989), of `(features - mean) * scale`.

    Args:
        features: `(images, features)` float32; many of them are not copied.
        labels: `(images,)` int.
        weights: `(images,)` float32, how much each image counts.
        mean, scale: `(features,)` float32.
        after_each: called after each iteration; what it raises ends the search.

    Returns:
        `(features, classes)` and `(classes,)` float32: kernel and bias, of standardised features.
    """
    from threadpoolctl import threadpool_limits

    # Threads of the linear algebra would wait for each other on busy cores longer than they work.
    with threadpool_limits(1):
        share = REGULARISATION * weights.astype(np.float64)
        if len(features) >= features.shape[1]:
            kernel, bias = _solved(features, labels, share, num_classes, mean, scale, after_each)
        else:  # a solution lies in the span of the images, and is found there sooner
            left, sizes, basis = np.linalg.svd((features - mean) * scale, full_matrices=False)
            none, ones = np.zeros(len(sizes), np.float32), np.ones(len(sizes), np.float32)
            kernel, bias = _solved(left * sizes, labels, share, num_classes, none, ones, after_each)
            kernel = basis.T @ kernel
    return [kernel.astype(np.float32), bias.astype(np.float32)]


def _solved(
    features: np.ndarray,
    labels: np.ndarray,
    share: np.ndarray,
    num_classes: int,
    mean: np.ndarray,
    scale: np.ndarray,
    after_each: Callable[[], None],
) -> tuple[np.ndarray, np.ndarray]:
    from scipy.optimize import minimize

    count, width = features.shape

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        kernel, bias = flat[:-num_classes].reshape(width, num_classes), flat[-num_classes:]
        scaled = scale[:, None] * kernel.astype(np.float32)
        logits = features @ scaled + (bias - mean @ scaled)
        logits -= logits.max(axis=1, keepdims=True)
        chances = np.exp(logits)
        total = chances.sum(axis=1)
        own = logits[np.arange(count), labels] - np.log(total)
        chances /= total[:, None]
        chances[np.arange(count), labels] -= 1
        chances *= share[:, None]
        sums = chances.sum(axis=0)
        slope = scale[:, None] * (features.T @ chances.astype(np.float32) - np.outer(mean, sums)) + kernel
        value = 0.5 * float((kernel**2).sum()) - float(share @ own)
        return value, np.concatenate([slope.ravel(), sums])

    flat = minimize(
        loss,
        np.zeros((width + 1) * num_classes),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": ITERATIONS, "gtol": TOLERANCE},
        callback=lambda _: after_each(),
    ).x
    return flat[:-num_classes].reshape(width, num_classes), flat[-num_classes:]
