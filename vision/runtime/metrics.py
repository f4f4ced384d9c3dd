"""Classification metrics in numpy, each with its source. Tested against scikit-learn."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

# As for the weights of labels: a label with so many times the images of another counts more.
UNEVEN = 1.5


def wilson_interval(successes: float, total: float, z: float = 1.959964) -> tuple[float, float]:
    """95 % confidence interval of a proportion (Wilson 1927; Brown, Cai and DasGupta 2001, eq. 4)."""
    if total == 0:
        return 0.0, 1.0
    proportion = successes / total
    denominator = 1 + z**2 / total
    centre = (proportion + z**2 / (2 * total)) / denominator
    half = z * math.sqrt(proportion * (1 - proportion) / total + z**2 / (4 * total**2)) / denominator
    return max(0.0, centre - half), min(1.0, centre + half)


def clustered_interval(successes: np.ndarray, totals: np.ndarray) -> tuple[float, float]:
    """95 % interval of a proportion whose trials come in groups, as the boxes of an image do: they are missed together.

    Wilson's interval of the effective number of trials, which the design effect makes smaller (Korn and Graubard 1998;
    its variance is that of a ratio estimator, Cochran 1977, eq. 2.46).

    Args:
        successes, totals: `(groups,)` int.
    """
    groups, total = len(totals), float(totals.sum())
    if groups < 2 or total == 0:
        return wilson_interval(float(successes.sum()), total)
    proportion = float(successes.sum()) / total
    single = proportion * (1 - proportion) / total
    variance = groups / (groups - 1) * float(((successes - proportion * totals) ** 2).sum()) / total**2
    effect = max(1.0, variance / single) if single > 0 else 1.0
    return wilson_interval(proportion * total / effect, total / effect)


def confusion_matrix(y_true: np.ndarray, y_pred: np.ndarray, num_classes: int) -> np.ndarray:
    """`(num_classes, num_classes)` int64 counts; rows are the truth, columns the prediction."""
    matrix = np.zeros((num_classes, num_classes), dtype=np.int64)
    np.add.at(matrix, (y_true, y_pred), 1)
    return matrix


def expected_calibration_error(probabilities: np.ndarray, y_true: np.ndarray, bins: int = 15) -> float:
    """Gap between confidence and accuracy over equal-width bins (Guo et al. 2017, eq. 3), in 0..1."""
    if len(y_true) == 0:
        return 0.0
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == y_true
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    error = 0.0
    for bin in range(bins):
        inside = index == bin
        if inside.any():
            error += inside.mean() * abs(correct[inside].mean() - confidence[inside].mean())
    return float(error)


def is_uneven(counts: np.ndarray | Sequence[int]) -> bool:
    """Whether a label has over half more images than another, of those that have any: accuracy is then that of the
    frequent labels."""
    present = np.asarray(counts)[np.asarray(counts) > 0]
    return bool(len(present) > 1 and present.max() > UNEVEN * present.min())


def classification_metrics(probabilities: np.ndarray, y_true: np.ndarray, class_names: list[str]) -> dict:
    """All figures of a classifier on one set of images.

    Args:
        probabilities: `(images, classes)` float, rows sum to 1.
        y_true: `(images,)` int, index into `class_names`.
        class_names: the labels in the model's order.

    Returns:
        A dictionary of JSON types: `count`, `accuracy`, `accuracy_interval` (95 %, Wilson), `balanced_accuracy` (mean
        recall of the labels with images), `labels_covered` (how many these are), `labels_not_measured` (the others),
        `macro_f1`, `weighted_f1`, `top_5_accuracy` (with more than 5 classes), `expected_calibration_error`,
        `per_class` (precision, recall, F1, support) and `confusion_matrix` (rows truth, columns prediction).
        A precision or recall without any case is 0, as in scikit-learn.
    """
    num_classes = len(class_names)
    y_pred = probabilities.argmax(axis=1) if len(y_true) else np.zeros(0, dtype=int)
    matrix = confusion_matrix(y_true, y_pred, num_classes)
    hits = np.diag(matrix).astype(float)
    support = matrix.sum(axis=1)
    predicted = matrix.sum(axis=0)
    precision = np.divide(hits, predicted, out=np.zeros(num_classes), where=predicted > 0)
    recall = np.divide(hits, support, out=np.zeros(num_classes), where=support > 0)
    total = precision + recall
    f1 = np.divide(2 * precision * recall, total, out=np.zeros(num_classes), where=total > 0)
    count = len(y_true)
    correct = int(hits.sum())
    metrics = {
        "count": count,
        "accuracy": correct / count if count else 0.0,
        "accuracy_interval": list(wilson_interval(correct, count)),
        "balanced_accuracy": float(recall[support > 0].mean()) if count else 0.0,
        "labels_covered": int((support > 0).sum()),
        "labels_not_measured": [name for name, images in zip(class_names, support, strict=True) if not images],
        "macro_f1": float(f1[support + predicted > 0].mean()) if count else 0.0,
        "weighted_f1": float((f1 * support).sum() / count) if count else 0.0,
        "expected_calibration_error": expected_calibration_error(probabilities, y_true),
        "per_class": [
            {
                "label": name,
                "precision": float(precision[index]),
                "recall": float(recall[index]),
                "f1": float(f1[index]),
                "support": int(support[index]),
            }
            for index, name in enumerate(class_names)
        ],
        "confusion_matrix": matrix.tolist(),
    }
    if num_classes > 5 and count:
        top = np.argsort(-probabilities, axis=1)[:, :5]
        metrics["top_5_accuracy"] = float((top == y_true[:, None]).any(axis=1).mean())
    return metrics


def worst_mistakes(
    probabilities: np.ndarray, y_true: np.ndarray, image_ids: list[str], class_names: list[str], limit: int = 50
) -> list[dict]:
    """Wrongly classified images, the most confident mistakes first."""
    if len(y_true) == 0:
        return []
    y_pred = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(y_pred != y_true)
    order = wrong[np.argsort(-probabilities[wrong, y_pred[wrong]], kind="stable")][:limit]
    return [
        {
            "image": image_ids[index],
            "label": class_names[y_true[index]],
            "predicted": class_names[y_pred[index]],
            "score": float(probabilities[index, y_pred[index]]),
            "label_score": float(probabilities[index, y_true[index]]),
        }
        for index in order
    ]
