"""The live head where an image has none to many labels: one logistic regression for each label against the rest.

Features, standardisation and regularisation are those of `vision.analysis.live_head`, and what a training solves in
`vision.training.multilabel`. All labels are solved at once: they share the features, and the products with these are
what takes the time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vision.analysis.calibration import SIGMOID, logit_of
from vision.analysis.feature_store import finite
from vision.analysis.label_folds import label_folds
from vision.analysis.live_head import (
    CALIBRATED,
    FEW_IMAGES,
    FOLDS,
    ITERATIONS,
    REGULARISATION,
    SEED,
    SMALLEST_DEVIATION,
    TOLERANCE,
)
from vision.runtime.thresholds import label_thresholds

# Without images that were held out a label is there when it is more likely than not.
THRESHOLD = 0.5
PLATT_SPREAD = 1.0


@dataclass(frozen=True)
class LabelsHead:
    """A linear classifier with a sigmoid for each label.

    Attributes:
        mean, deviation: `(features,)` float32, of each feature over the images of the project.
        weights: `(features, labels)` float32, of standardised features.
        bias: `(labels,)` float32.
        temperature: what all logits are divided by (Guo et al. 2017).
        thresholds: `(labels,)` float, from which on a label is there.
        scale, shift: what makes `chance_of_all` how often all labels are right, see `_fitted_to`.
    """

    mean: np.ndarray
    deviation: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    temperature: float
    thresholds: np.ndarray
    scale: float = 1.0
    shift: float = 0.0

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """`(images, labels)` float32, each in 0..1.

        Args:
            features: `(images, features)` float.
        """
        weights = self.weights / self.deviation[:, np.newaxis]
        logits = finite(features) @ weights + (self.bias - self.mean @ weights)
        return _sigmoid(logits / self.temperature).astype(np.float32)

    def confidence(self, probabilities: np.ndarray) -> np.ndarray:
        """`(images,)` float, 0 to 1: that all labels of an image are right, none missing and none too many."""
        chance = chance_of_all(probabilities, probabilities >= self.thresholds)
        return _sigmoid(self.scale * logit_of(chance) + self.shift)


@dataclass(frozen=True)
class HeldOutLabels:
    """How good a head is on images that it was not fitted on.

    Attributes:
        images: how many were held out, once each.
        right: of how many all labels were right, none missing and none too many.
        temperature: by which the probabilities are right on average.
        thresholds: `(labels,)` float, see `vision.runtime.thresholds.label_thresholds`.
        scale, shift: by which the confidences are right on average.
        images_by_label, right_by_label: images that have a label, and how many of these were given it.
    """

    images: int
    right: int
    temperature: float
    thresholds: np.ndarray
    scale: float
    shift: float
    images_by_label: tuple[int, ...]
    right_by_label: tuple[int, ...]


def fit_labels(features: np.ndarray, truth: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> LabelsHead:
    """Fit a head. Its temperature is 1 and its thresholds are one half, see `calibrated`.

    Args:
        features: `(images, features)` float.
        truth: `(images, labels)` bool.
        mean, deviation: `(features,)` float, over all images of the project, labelled or not.
    """
    deviation = np.where(deviation < SMALLEST_DEVIATION, 1.0, deviation).astype(np.float32)
    standardised = ((finite(features) - mean) / deviation).astype(np.float32)
    weights, bias = solve_labels(standardised, truth)
    thresholds = np.full(truth.shape[1], THRESHOLD)
    return LabelsHead(mean.astype(np.float32), deviation, weights, bias, 1.0, thresholds)


def solve_labels(standardised: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The smallest regularised loss of every label, by L-BFGS (Liu and Nocedal 1989).

    Returns:
        `(features, labels)` and `(labels,)` float32: weights and biases.
    """
    from threadpoolctl import threadpool_limits

    # Threads of the linear algebra would wait for each other on busy cores longer than they work.
    with threadpool_limits(1):
        basis = None
        if len(standardised) <= min(FEW_IMAGES, standardised.shape[1]):
            standardised, basis = _in_span(standardised)
        weights, bias = _minimise(standardised, truth)
        if basis is not None:
            weights = basis.T @ weights
    return weights.astype(np.float32), bias.astype(np.float32)


def _in_span(standardised: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The images in coordinates of the space that they span, and its axes: what is fitted lies in it."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        left, sizes, basis = np.linalg.svd(standardised, full_matrices=False)
    return left * sizes, basis


def _minimise(features: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from scipy.optimize import minimize

    count, width = truth.shape[1], features.shape[1]
    signs = np.where(truth, 1.0, -1.0).astype(np.float32)

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights, bias = flat[:-count].reshape(width, count).astype(np.float32), flat[-count:].astype(np.float32)
        margins = signs * (features @ weights + bias)
        slope = -REGULARISATION * signs * _sigmoid(-margins)
        value = REGULARISATION * float(np.logaddexp(0.0, -margins).sum()) + 0.5 * float((weights**2).sum())
        return value, np.concatenate([(features.T @ slope + weights).ravel(), slope.sum(axis=0)]).astype(np.float64)

    options = {"maxiter": ITERATIONS, "gtol": TOLERANCE}
    flat = minimize(loss, np.zeros((width + 1) * count), jac=True, method="L-BFGS-B", options=options).x
    return flat[:-count].reshape(width, count), flat[-count:]


def held_out_labels(
    features: np.ndarray,
    truth: np.ndarray,
    mean: np.ndarray,
    deviation: np.ndarray,
    groups: np.ndarray | None = None,
) -> HeldOutLabels | None:
    """Cross-validation, which also calibrates and chooses the thresholds. None where too few images say anything.

    Args:
        groups: `(images,)` int; images with the same number are held out together, for example frames of a video.
    """
    random = np.random.default_rng(SEED)
    chosen = np.sort(random.permutation(len(truth))[:CALIBRATED])
    truth, groups = truth[chosen], None if groups is None else groups[chosen]
    deviation = np.where(deviation < SMALLEST_DEVIATION, 1.0, deviation)
    standardised = ((finite(features[chosen]) - mean) / deviation).astype(np.float32)
    if len(standardised) <= standardised.shape[1]:
        standardised, _ = _in_span(standardised)  # once for all folds
    folds = label_folds(truth, np.arange(len(truth)) if groups is None else groups, FOLDS)
    probabilities = np.full(truth.shape, np.nan, np.float32)
    for fold in np.unique(folds):
        learned, tried = folds != fold, folds == fold
        if not is_learnable(truth[learned]):
            continue
        weights, bias = solve_labels(standardised[learned], truth[learned])
        probabilities[tried] = _sigmoid(standardised[tried] @ weights + bias)
    known = ~np.isnan(probabilities).any(axis=1)
    if not known.any():
        return None
    return _measured(probabilities[known], truth[known], folds[known])


def is_learnable(truth: np.ndarray) -> bool:
    """Whether some label is on an image and not on another one."""
    return bool((truth.any(axis=0) & ~truth.all(axis=0)).any()) if len(truth) else False


def _measured(probabilities: np.ndarray, truth: np.ndarray, folds: np.ndarray) -> HeldOutLabels:
    """What is right is counted with thresholds of the other folds: those of the same images would be too good."""
    temperature = SIGMOID.fit(probabilities, truth.astype(np.float64))
    scaled = SIGMOID.scaled(probabilities, temperature)
    thresholds = np.asarray(label_thresholds(scaled, truth), np.float64)
    limits = np.empty_like(scaled, np.float64)
    for fold in np.unique(folds):
        others = folds != fold
        limits[~others] = label_thresholds(scaled[others], truth[others]) if others.any() else thresholds
    said = scaled >= limits
    is_right = (said == truth).all(axis=1)
    scale, shift = _fitted_to(chance_of_all(scaled, said), is_right)
    return HeldOutLabels(
        images=len(truth),
        right=int(is_right.sum()),
        temperature=temperature,
        thresholds=thresholds,
        scale=scale,
        shift=shift,
        images_by_label=tuple(truth.sum(axis=0).tolist()),
        right_by_label=tuple((truth & said).sum(axis=0).tolist()),
    )


def _fitted_to(chances: np.ndarray, is_right: np.ndarray) -> tuple[float, float]:
    """Scale and shift of the logits of chances by which they are how often all labels are right (Platt 1999), with a
    normal prior around no change, for few images. One temperature for all labels is too much for the difficult ones
    where others are easy, and then their product is too sure of itself.
    """
    from scipy.optimize import minimize

    logits, signs = logit_of(chances), np.where(is_right, 1.0, -1.0)

    def loss(values: np.ndarray) -> float:
        prior = float((values**2).sum()) / (2 * PLATT_SPREAD**2)
        return prior + float(np.logaddexp(0.0, -signs * (np.exp(values[0]) * logits + values[1])).sum())

    logarithm, shift = minimize(loss, np.zeros(2), method="Nelder-Mead").x
    return float(np.exp(logarithm)), float(shift)


def calibrated(head: LabelsHead, tried: HeldOutLabels | None) -> LabelsHead:
    if tried is None:
        return head
    values = {name: getattr(tried, name) for name in ("temperature", "thresholds", "scale", "shift")}
    return replace(head, **values)


def chance_of_all(probabilities: np.ndarray, is_present: np.ndarray) -> np.ndarray:
    """`(images,)` float: that all decisions about an image are right, as if labels were wrong independently of each
    other.

    Args:
        probabilities: `(images, labels)` float.
        is_present: `(images, labels)` bool, the decisions.
    """
    return np.where(is_present, probabilities, 1 - probabilities).prod(axis=1)


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(logits, -80, 80)))
