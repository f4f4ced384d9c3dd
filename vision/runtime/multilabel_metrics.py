"""Metrics of images with none to many labels, in numpy, each with its source. Tested against scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vision.runtime.metrics import wilson_interval

BINS = 15
MOST_BOOTSTRAPS, FEWEST_BOOTSTRAPS = 1000, 100
# Numbers that a bootstrap handles altogether, and at once.
BOOTSTRAP_WORK, BOOTSTRAP_PART = 100_000_000, 4_000_000
MOST_MISTAKES = 50


def multilabel_metrics(
    probabilities: np.ndarray, truth: np.ndarray, class_names: list[str], thresholds: Sequence[float]
) -> dict:
    """All figures on one set of images.

    Args:
        probabilities: `(images, classes)` float in 0..1.
        truth: `(images, classes)` bool or 0 and 1.
        class_names: the labels in the model's order.
        thresholds: of each label: from this score on an image has it.

    Returns:
        A dictionary of JSON types: `count`, `labels_covered` and `labels_not_measured` (labels with images here, and
        the others), `mean_average_precision` and its `mean_average_precision_interval` (95 %, bootstrap over images:
        Efron and Tibshirani 1993, chapter 13), `macro_precision`, `macro_recall`, `macro_f1` (means over the labels
        with images), `micro_precision`, `micro_recall`, `micro_f1` (of all labels of all images together),
        `subset_accuracy` (images with exactly their labels) and its `subset_accuracy_interval` (95 %, Wilson),
        `hamming_loss` (share of wrong decisions), `expected_calibration_error`, and `per_class`: `label`, `threshold`,
        `average_precision` (None without images), `precision`, `recall`, each with its interval (95 %, Wilson), `f1`,
        `support` (images that have it) and `predicted` (images that are said to have it).
        A precision or recall without any case is 0, as in scikit-learn.
    """
    truth = np.asarray(truth, bool)
    predicted = np.asarray(probabilities) >= np.asarray(thresholds, np.float64)
    count, hits = len(truth), (truth & predicted).sum(axis=0)
    support, said = truth.sum(axis=0), predicted.sum(axis=0)
    precision, recall, f1 = _rates(hits, said, support)
    areas = [average_precision(probabilities[:, label], truth[:, label]) for label in range(len(class_names))]
    covered = support > 0
    exact = int((truth == predicted).all(axis=1).sum())
    micro = [float(value) for value in _rates(hits.sum(), said.sum(), support.sum())]
    return {
        "count": count,
        "labels_covered": int(covered.sum()),
        "labels_not_measured": [name for name, has_images in zip(class_names, covered, strict=True) if not has_images],
        "mean_average_precision": _mean([area for area in areas if area is not None]),
        "mean_average_precision_interval": mean_average_precision_interval(probabilities, truth),
        "macro_precision": _mean(precision[covered]),
        "macro_recall": _mean(recall[covered]),
        "macro_f1": _mean(f1[covered]),
        "micro_precision": micro[0],
        "micro_recall": micro[1],
        "micro_f1": micro[2],
        "subset_accuracy": exact / count if count else 0.0,
        "subset_accuracy_interval": list(wilson_interval(exact, count)),
        "hamming_loss": float((truth != predicted).mean()) if truth.size else 0.0,
        "expected_calibration_error": multilabel_calibration_error(probabilities, truth),
        "per_class": [
            {
                "label": name,
                "threshold": float(thresholds[index]),
                "average_precision": areas[index],
                "precision": float(precision[index]),
                "precision_interval": list(wilson_interval(int(hits[index]), int(said[index]))),
                "recall": float(recall[index]),
                "recall_interval": list(wilson_interval(int(hits[index]), int(support[index]))),
                "f1": float(f1[index]),
                "support": int(support[index]),
                "predicted": int(said[index]),
            }
            for index, name in enumerate(class_names)
        ],
    }


def average_precision(scores: np.ndarray, positive: np.ndarray) -> float | None:
    """The mean of the precisions, each weighted by what it adds to the recall (Manning et al. 2008, section 8.4; not
    interpolated); None without positives.

    Args:
        scores: `(images,)` float.
        positive: `(images,)` bool.
    """
    if not positive.any():
        return None
    return float(_weighted_precision(scores, positive, np.ones((1, len(scores))))[0])


def mean_average_precision_interval(probabilities: np.ndarray, truth: np.ndarray, seed: int = 0) -> list[float] | None:
    """95 % interval of the mean over the labels, bootstrap over the images; None without images of any label."""
    values = mean_average_precisions(probabilities, truth, bootstrap_weights(len(truth), truth.shape[1], seed))
    values = values[np.isfinite(values)]
    return None if not len(values) else [float(value) for value in np.quantile(values, [0.025, 0.975])]


def bootstrap_weights(images: int, labels: int, seed: int = 0) -> np.ndarray:
    """`(bootstraps, images)` int: how often each image was drawn. Fewer of them where there is much to compute."""
    most = BOOTSTRAP_WORK // max(1, images * labels)
    generator = np.random.default_rng(seed)
    count = int(np.clip(most, FEWEST_BOOTSTRAPS, MOST_BOOTSTRAPS)) if images else 0
    drawn = (np.bincount(generator.integers(0, images, images), minlength=images) for _ in range(count))
    return np.stack(list(drawn)).astype(np.int32) if count else np.zeros((0, images), np.int32)


def mean_average_precisions(probabilities: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """`(bootstraps,)` float: the mean over the labels when image `i` counts `weights[:, i]` times."""
    truth = np.asarray(truth, bool)
    labels = np.flatnonzero(truth.any(axis=0))
    if not len(labels) or not len(weights):
        return np.zeros(0)
    rows = max(1, BOOTSTRAP_PART // max(1, weights.shape[1]))
    parts = []
    for start in range(0, len(weights), rows):
        part = weights[start : start + rows]
        with np.errstate(invalid="ignore"):  # a label may have no image among those that were drawn
            areas = [_weighted_precision(probabilities[:, label], truth[:, label], part) for label in labels]
        known = np.isfinite(areas)
        parts.append(np.where(known, areas, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1))
    return np.concatenate(parts)


def multilabel_calibration_error(probabilities: np.ndarray, truth: np.ndarray, bins: int = BINS) -> float:
    """Gap between the score of a label and how often images with such a score have it, over equal-width bins of all
    labels of all images (Naeini et al. 2015, for binary decisions), in 0..1."""
    if not len(truth):
        return 0.0
    scores, positive = np.asarray(probabilities).ravel(), np.asarray(truth, bool).ravel()
    index = np.minimum((scores * bins).astype(int), bins - 1)
    counts = np.maximum(np.bincount(index, minlength=bins), 1)
    gaps = np.bincount(index, positive, bins) / counts - np.bincount(index, scores, bins) / counts
    return float((np.abs(gaps) * np.bincount(index, minlength=bins)).sum() / len(scores))


def worst_decisions(
    probabilities: np.ndarray,
    truth: np.ndarray,
    image_ids: list[str],
    class_names: list[str],
    thresholds: Sequence[float],
    limit: int = MOST_MISTAKES,
) -> list[dict]:
    """Wrong decisions, those furthest from the label's threshold first: a label that is there and was `missed`, or a
    `false_alarm`."""
    truth, limits = np.asarray(truth, bool), np.asarray(thresholds, np.float64)
    wrong = (probabilities >= limits) != truth
    images, labels = np.nonzero(wrong)
    # How much of the way from the threshold to 0 or 1.
    scores, own = probabilities[images, labels], limits[labels]
    way = np.maximum(np.where(scores >= own, 1 - own, own), 1e-9)
    distance = np.abs(scores - own) / way
    return [
        {
            "image": image_ids[images[row]],
            "label": class_names[labels[row]],
            "kind": "missed" if truth[images[row], labels[row]] else "false_alarm",
            "score": float(scores[row]),
            "threshold": float(own[row]),
        }
        for row in np.argsort(-distance, kind="stable")[:limit]
    ]


def _rates(hits: np.ndarray, said: np.ndarray, support: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Precision, recall and F1."""
    hits = np.asarray(hits, float)
    precision = np.divide(hits, said, out=np.zeros_like(hits), where=np.asarray(said) > 0)
    recall = np.divide(hits, support, out=np.zeros_like(hits), where=np.asarray(support) > 0)
    both = np.asarray(said + support)
    return precision, recall, np.divide(2 * hits, both, out=np.zeros_like(hits), where=both > 0)


def _mean(values: Sequence[float] | np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else 0.0


def _weighted_precision(scores: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """`(rows,)` average precisions when image `i` counts `weights[row, i]` times; NaN where no positive counts."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    ends = np.r_[np.flatnonzero(np.diff(ranked)), len(ranked) - 1]  # equal scores are on one side of any threshold
    right = np.cumsum(weights[:, order] * positive[order], axis=1)[:, ends].astype(float)
    every = np.cumsum(weights[:, order], axis=1)[:, ends]
    precision = np.divide(right, every, out=np.zeros_like(right), where=every > 0)
    gained = np.diff(right, axis=1, prepend=0.0)
    total = right[:, -1]
    return np.divide((gained * precision).sum(axis=1), total, out=np.full(len(total), np.nan), where=total > 0)
