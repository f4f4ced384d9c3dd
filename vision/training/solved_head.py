"""The head of a frozen backbone as a logistic regression, solved at once: what the live model is."""

from __future__ import annotations

import time

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
    standardised = (features["train"] - mean) / np.sqrt(variance + norm.epsilon)
    dense.set_weights(logistic_regression(standardised, labels["train"], weights, dense.units))
    seconds = max(time.monotonic() - started, 1e-6)
    entry = {"phase": "head", "epoch": 1, "learning_rate": 0.0, "seconds": round(seconds, 3)}
    for split, prefix in (("train", ""), ("validation", "val_")):
        said = said_by(head, features[split])
        own = said[np.arange(len(said)), labels[split]]
        entry[f"{prefix}loss"] = float(-np.log(np.maximum(own, 1e-7)).mean())
        entry[f"{prefix}accuracy"] = float((said.argmax(axis=1) == labels[split]).mean())
    entry["images_per_second"] = round(len(standardised) / seconds, 1)
    hooks.on_epoch(entry)
    hooks.on_progress("head", 1, 1)
    hooks.log(f"head: solved in {seconds:.1f} s, validation accuracy {entry['val_accuracy']:.4f}")
    return entry


def logistic_regression(
    features: np.ndarray, labels: np.ndarray, weights: np.ndarray, num_classes: int
) -> list[np.ndarray]:
    """Multinomial, by L-BFGS (Liu and Nocedal 1989).

    Args:
        features: `(images, features)` float32, standardised.

    Returns:
        `(features, classes)` and `(classes,)` float32: kernel and bias.
    """
    from threadpoolctl import threadpool_limits

    # Threads of the linear algebra would wait for each other on busy cores longer than they work.
    with threadpool_limits(1):
        basis = None
        if len(features) < features.shape[1]:  # a solution lies in the span of the images, and is found there sooner
            left, sizes, basis = np.linalg.svd(features, full_matrices=False)
            features = left * sizes
        kernel, bias = _solved(features, labels, REGULARISATION * weights.astype(np.float64), num_classes)
        if basis is not None:
            kernel = basis.T @ kernel
    return [kernel.astype(np.float32), bias.astype(np.float32)]


def _solved(
    features: np.ndarray, labels: np.ndarray, share: np.ndarray, num_classes: int
) -> tuple[np.ndarray, np.ndarray]:
    from scipy.optimize import minimize

    count, width = features.shape

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        kernel, bias = flat[:-num_classes].reshape(width, num_classes), flat[-num_classes:]
        logits = features @ kernel.astype(np.float32) + bias
        logits -= logits.max(axis=1, keepdims=True)
        chances = np.exp(logits)
        total = chances.sum(axis=1)
        own = logits[np.arange(count), labels] - np.log(total)
        chances /= total[:, None]
        chances[np.arange(count), labels] -= 1
        chances *= share[:, None]
        slope = features.T @ chances.astype(np.float32) + kernel
        value = 0.5 * float((kernel**2).sum()) - float(share @ own)
        return value, np.concatenate([slope.ravel(), chances.sum(axis=0)])

    options = {"maxiter": ITERATIONS, "gtol": TOLERANCE}
    flat = minimize(loss, np.zeros((width + 1) * num_classes), jac=True, method="L-BFGS-B", options=options).x
    return flat[:-num_classes].reshape(width, num_classes), flat[-num_classes:]
