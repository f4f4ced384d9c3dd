"""A classifier that is fitted within a second on features that are there already, while somebody labels.

Multinomial logistic regression on standardised features. The regularisation is fixed: with 2 to 20 images a label it
was never worse than nearest neighbours or class means (`benchmarks.live_model`), and between 0.01 and 0.1 it makes no
difference.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from vision.analysis.feature_store import finite

REGULARISATION = 0.05  # C of scikit-learn: the weight of the loss beside the squares of the weights
ITERATIONS, TOLERANCE = 100, 1e-3
# A solution lies in the span of the images: with so few of them it is found there, which is the same and faster.
FEW_IMAGES = 400
FOLDS = 5
# Confidence is calibrated on so many labelled images at most, so that it stays within the second.
CALIBRATED = 400
SMALLEST_DEVIATION = 1e-6
SEED = 0
TEMPERATURES = (0.25, 8.0)


@dataclass(frozen=True)
class LiveHead:
    """A linear classifier.

    Attributes:
        mean, deviation: `(features,)` float32, of each feature over the images of the project.
        weights: `(features, labels)` float32, of standardised features.
        bias: `(labels,)` float32.
        temperature: what logits are divided by, so that a confidence is how often it is right (Guo et al. 2017).
    """

    mean: np.ndarray
    deviation: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    temperature: float = 1.0

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """`(images, labels)` float32, rows sum to 1.

        Args:
            features: `(images, features)` float.
        """
        return softmax(self._logits(features) / self.temperature)

    def _logits(self, features: np.ndarray) -> np.ndarray:
        # Of `(features - mean) / deviation`, without a copy of the features.
        weights = self.weights / self.deviation[:, np.newaxis]
        return finite(features) @ weights + (self.bias - self.mean @ weights)


@dataclass(frozen=True)
class HeldOut:
    """How good a head is on images that it was not fitted on.

    Attributes:
        images: how many were held out, once each.
        right: how many of them got their label.
        temperature: by which their confidences are right on average.
        images_by_label, right_by_label: the same of each label, in their order.
    """

    images: int
    right: int
    temperature: float
    images_by_label: tuple[int, ...] = ()
    right_by_label: tuple[int, ...] = ()


def fit_head(
    features: np.ndarray, labels: np.ndarray, num_labels: int, mean: np.ndarray, deviation: np.ndarray
) -> LiveHead:
    """Fit a head. Its temperature is 1, see `held_out`.

    Args:
        features: `(images, features)` float.
        labels: `(images,)` int from 0 to `num_labels` - 1; two of them at least must occur.
        mean, deviation: `(features,)` float, over all images of the project, labelled or not.
    """
    # A feature that is the same in all images of the sample stays as it is in the others: divided by nearly nothing it
    # would decide alone.
    deviation = np.where(deviation < SMALLEST_DEVIATION, 1.0, deviation).astype(np.float32)
    standardised = (finite(features) - mean) / deviation
    weights, bias = _fit(standardised, labels, num_labels)
    return LiveHead(mean.astype(np.float32), deviation, weights, bias)


def _fit(standardised: np.ndarray, labels: np.ndarray, num_labels: int) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    # Threads of the linear algebra would wait for each other on busy cores longer than they work.
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        basis = None
        if len(standardised) <= min(FEW_IMAGES, standardised.shape[1]):
            left, sizes, basis = np.linalg.svd(standardised, full_matrices=False)
            standardised = left * sizes
        model = LogisticRegression(C=REGULARISATION, max_iter=ITERATIONS, tol=TOLERANCE).fit(standardised, labels)
    coefficients, intercepts = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # scikit-learn has one row then, the logit of the second label
        coefficients = np.concatenate([-coefficients / 2, coefficients / 2])
        intercepts = np.concatenate([-intercepts / 2, intercepts / 2])
    if basis is not None:
        coefficients = coefficients @ basis
    weights = np.zeros((coefficients.shape[1], num_labels), np.float32)
    bias = np.full(num_labels, -1e9, np.float32)  # a label without an image is never guessed
    weights[:, model.classes_] = coefficients.T
    bias[model.classes_] = intercepts
    return weights, bias


def held_out(
    features: np.ndarray,
    labels: np.ndarray,
    num_labels: int,
    mean: np.ndarray,
    deviation: np.ndarray,
    groups: np.ndarray | None = None,
) -> HeldOut | None:
    """Cross-validation, which also calibrates. None where too few images say anything: a label needs two.

    Args:
        groups: `(images,)` int; images with the same number are held out together, for example frames of a video.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    chosen = _sample(labels)
    features, labels = np.asarray(features[chosen], np.float32), labels[chosen]
    groups = np.arange(len(labels)) if groups is None else groups[chosen]
    folds = min(FOLDS, len(np.unique(groups)), int(np.bincount(labels).max()))
    if folds < 2:
        return None
    logits, truth = [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a label with fewer images than folds
        splits = list(StratifiedGroupKFold(folds, shuffle=True, random_state=SEED).split(features, labels, groups))
    for train, test in splits:
        known = np.isin(labels[test], labels[train])
        if len(np.unique(labels[train])) < 2 or not known.any():
            continue
        head = fit_head(features[train], labels[train], num_labels, mean, deviation)
        logits.append(head._logits(features[test][known]))
        truth.append(labels[test][known])
    if not logits:
        return None
    every, wanted = np.concatenate(logits), np.concatenate(truth)
    right = every.argmax(axis=1) == wanted
    of_label, of_right = (np.bincount(part, minlength=num_labels) for part in (wanted, wanted[right]))
    temperature = _temperature(every, wanted)
    return HeldOut(len(wanted), int(right.sum()), temperature, tuple(of_label.tolist()), tuple(of_right.tolist()))


def _sample(labels: np.ndarray) -> np.ndarray:
    """So many images of each label that they are `CALIBRATED` at most, or two of each."""
    random = np.random.default_rng(SEED)
    share = max(2, CALIBRATED // max(1, len(np.unique(labels))))
    return np.sort(
        np.concatenate([random.permutation(np.flatnonzero(labels == one))[:share] for one in np.unique(labels)])
    )


def _temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The one with the smallest negative log-likelihood, with one image more that is guessed at random: a few images
    that are all right do not make a head sure of everything."""
    from scipy.optimize import minimize_scalar

    num_labels = len(np.unique(labels))

    def loss(logarithm: float) -> float:
        chances = softmax(logits / np.exp(logarithm))
        own = np.log(np.maximum(chances[np.arange(len(labels)), labels], 1e-12)).sum()
        guessed = np.log(np.maximum(1 - chances.max(axis=1), 1e-12)).mean()
        return -(own + (1 - 1 / num_labels) * guessed) / len(labels)

    bounds = tuple(np.log(TEMPERATURES))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def softmax(logits: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)
