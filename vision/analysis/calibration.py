"""Temperature scaling: a classifier's confidence becomes how often it is right (Guo et al. 2017, section 4.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from vision.runtime.metrics import expected_calibration_error
from vision.runtime.multilabel_metrics import multilabel_calibration_error

# Below this many images of the validation split a temperature says more about them than about the model.
FEWEST_IMAGES = 50
# How far the logarithm of a temperature is expected from 0. Of 0.15, 0.3 and 0.6, and of one image more with a random
# label instead, this gave the smallest errors with 10 to 250 images of the sign digits, for heads that were too sure
# and for heads that were not sure enough.
SPREAD = 0.3
LARGEST_LOGARITHM = 3.0
POINTS, STEPS = 61, 40
GOLDEN = (5**0.5 - 1) / 2
SMALLEST_PROBABILITY = 1e-38
LARGEST_GAP = 2.0**-25  # half of the step between 1 and the next smaller float32


@dataclass(frozen=True)
class Calibration:
    """How the confidences of a classifier were corrected.

    Attributes:
        temperature: what its logits were divided by; 1: they are as they were.
        images: of the validation split, that it was fitted on.
        error_before, error_after: expected calibration error on the test split, 0 to 1; None without test images.
        reason: why nothing was corrected; "" when it was.
    """

    temperature: float
    images: int
    error_before: float | None
    error_after: float | None
    reason: str = ""

    @property
    def in_words(self) -> str:
        if self.reason:
            return f"Confidence is as the network gives it. {self.reason}"
        said = f"Confidence corrected by a temperature of {self.temperature:.2f}"
        if self.error_before is None:
            return said
        return f"{said}; calibration error on the test split {self.error_before:.3f} before, {self.error_after:.3f} now"

    def to_dict(self) -> dict:
        return asdict(self)


def reason_against(images: int) -> str:
    """Why so many images of the validation split give no temperature; "" when they do."""
    if images >= FEWEST_IMAGES:
        return ""
    return (
        f"The validation split has {images} images; a temperature takes {FEWEST_IMAGES}. Label more images and train "
        "again."
    )


def fit_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The temperature with the smallest negative log-likelihood (Guo et al. 2017, eq. 9) and a normal prior of its
    logarithm around 0: few images, or a split without a single error, move it a little only.

    Args:
        probabilities: `(images, labels)` float, rows sum to 1.
        labels: `(images,)` int.

    Returns:
        Between 0.04 and 25; 1 without images. Rows that are no numbers are left out.
    """
    is_number = np.isfinite(probabilities).all(axis=1)
    logits, labels = log_of(probabilities[is_number]), labels[is_number]
    return _smallest(lambda logarithm: loss_of(logarithm, logits, labels))


def _smallest(loss: Callable[[float], float]) -> float:
    """The temperature whose logarithm has the smallest loss."""
    grid = np.linspace(-LARGEST_LOGARITHM, LARGEST_LOGARITHM, POINTS)
    best = grid[int(np.argmin([loss(point) for point in grid]))]
    low, high = best - (grid[1] - grid[0]), best + (grid[1] - grid[0])
    for _ in range(STEPS):
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def fit_sigmoid_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """As `fit_temperature`, of labels that are decided one by one: one temperature for all of them.

    Args:
        probabilities: `(images, labels)` float, each in 0..1.
        labels: `(images, labels)` of 0 and 1.
    """
    logits, signs = logit_of(probabilities), 2.0 * labels - 1.0

    def loss(logarithm: float) -> float:
        # The mean over the labels of an image: they are no independent cases.
        wrong = np.logaddexp(0.0, -signs * logits * np.exp(-logarithm)).mean(axis=1).sum()
        return float(logarithm**2 / (2 * SPREAD**2) + wrong)

    return _smallest(loss)


def loss_of(logarithm: float, logits: np.ndarray, labels: np.ndarray) -> float:
    """What the logarithm of the temperature minimises: over all images, not their mean."""
    scaled = logits * np.exp(-logarithm)
    scaled -= scaled.max(axis=1, keepdims=True)
    own = scaled[np.arange(len(labels)), labels] - np.log(np.exp(scaled).sum(axis=1))
    return float(logarithm**2 / (2 * SPREAD**2) - own.sum())


def with_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """`(images, labels)` float32: what the same logits give when they are divided by the temperature."""
    return softmax(log_of(probabilities) / temperature).astype(np.float32)


def log_of(probabilities: np.ndarray) -> np.ndarray:
    """Logits, up to a constant of each row: float64."""
    return np.log(np.maximum(np.asarray(probabilities, np.float64), SMALLEST_PROBABILITY))


def softmax(logits: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def with_sigmoid_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """As `with_temperature`, of probabilities that a sigmoid gave."""
    return (1 / (1 + np.exp(-logit_of(probabilities) / temperature))).astype(np.float32)


def logit_of(probabilities: np.ndarray) -> np.ndarray:
    """float64; a float32 probability of 0 or 1 has the logit of the nearest one that is neither."""
    inside = np.clip(np.asarray(probabilities, np.float64), SMALLEST_PROBABILITY, 1 - LARGEST_GAP)
    return np.log(inside) - np.log1p(-inside)


@dataclass(frozen=True)
class Link:
    """How logits become probabilities, and what temperature scaling does with them.

    Attributes:
        activation: its name in Keras.
        fit: `(probabilities, labels)` → the temperature.
        scaled: `(probabilities, temperature)` → what the same logits give when they are divided by it.
        error: `(probabilities, labels)` → expected calibration error, 0 to 1.
    """

    activation: str
    fit: Callable[[np.ndarray, np.ndarray], float]
    scaled: Callable[[np.ndarray, float], np.ndarray]
    error: Callable[[np.ndarray, np.ndarray], float]


SOFTMAX = Link("softmax", fit_temperature, with_temperature, expected_calibration_error)
SIGMOID = Link("sigmoid", fit_sigmoid_temperature, with_sigmoid_temperature, multilabel_calibration_error)


def link_of(labels: np.ndarray) -> Link:
    """Of labels as numbers, `(images,)`, or of 0 and 1, `(images, labels)`."""
    return SIGMOID if labels.ndim == 2 else SOFTMAX
