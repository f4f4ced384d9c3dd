"""ROC, precision and recall, calibration and thresholds of classifiers. Tested against scikit-learn."""

from __future__ import annotations

import numpy as np

from vision.analysis.predictions import ClassifierPredictions, DetectorPredictions, MultilabelPredictions
from vision.runtime.matching import Matches, match

POINTS = 101
BINS = 15


def curves_of(found: ClassifierPredictions | MultilabelPredictions | DetectorPredictions) -> dict:
    """See `classifier_curves` and `multilabel_curves`; of a detector its `thresholds`, see `box_threshold_table`."""
    if isinstance(found, MultilabelPredictions):
        return multilabel_curves(found.probabilities, found.truth, found.class_names)
    if isinstance(found, DetectorPredictions):
        return {"thresholds": box_threshold_table(match(found.truths, found.found, len(found.class_names)))}
    return classifier_curves(found.probabilities, found.truth, found.class_names)


def roc_curve(scores: np.ndarray, positive: np.ndarray) -> dict | None:
    """False and true positive rates over all thresholds, with the area below (Fawcett 2006, algorithms 1 and 2).

    Args:
        scores: `(images,)` float.
        positive: `(images,)` bool.

    Returns:
        `false_positive_rate`, `true_positive_rate`, `threshold` (at most 101 points each; the first point is above all
        scores, and has no threshold) and `auc`; None when one side is empty.
    """
    total, others = int(positive.sum()), int((~positive).sum())
    if not total or not others:
        return None
    right, wrong, thresholds = _counts(scores, positive)
    rate = np.r_[0.0, right / total]
    false = np.r_[0.0, wrong / others]
    auc = float(np.trapezoid(rate, false))
    keep = _thinned(len(rate))
    return {
        "false_positive_rate": _listed(false[keep]),
        "true_positive_rate": _listed(rate[keep]),
        "threshold": [None, *_lower(thresholds[keep[1:] - 1])],
        "auc": auc,
    }


def precision_recall_curve(scores: np.ndarray, positive: np.ndarray, total: int | None = None) -> dict | None:
    """Precision and recall over all thresholds, with the average precision: the mean of the precisions, each weighted
    by what it adds to the recall (Manning et al. 2008, section 8.4; not interpolated).

    Args:
        total: how many there are to find, where some have no score: boxes that were not found at all.

    Returns:
        `precision`, `recall`, `threshold` (at most 101 points each) and `average_precision`; None without positives.
    """
    total = int(positive.sum()) if total is None else total
    if not total:
        return None
    if not len(scores):
        return {"precision": [], "recall": [], "threshold": [], "average_precision": 0.0}
    right, wrong, thresholds = _counts(scores, positive)
    precision, recall = right / (right + wrong), right / total
    average = float((np.diff(np.r_[0.0, recall]) * precision).sum())
    keep = _thinned(len(precision))
    return {
        "precision": _listed(precision[keep]),
        "recall": _listed(recall[keep]),
        "threshold": _lower(thresholds[keep]),
        "average_precision": average,
    }


def _counts(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Right and wrong positives at each different score, from the highest down."""
    order = np.argsort(-scores, kind="stable")
    sorted_scores = scores[order]
    ends = np.r_[np.flatnonzero(np.diff(sorted_scores)), len(scores) - 1]
    right = np.cumsum(positive[order])[ends]
    return right, ends + 1 - right, sorted_scores[ends]


def _thinned(count: int) -> np.ndarray:
    return np.unique(np.linspace(0, count - 1, min(count, POINTS)).round().astype(int))


def _listed(values: np.ndarray) -> list[float]:
    return [round(float(value), 6) for value in values]


def _lower(values: np.ndarray) -> list[float]:
    """Rounded down: who has just this score is above the threshold."""
    return (np.floor(np.asarray(values, float) * 1e6) / 1e6).round(6).tolist()


def calibration_bins(probabilities: np.ndarray, y_true: np.ndarray, bins: int = BINS) -> list[dict]:
    """The reliability diagram of the best answers."""
    if not len(y_true):
        return []
    return reliability(probabilities.max(axis=1), probabilities.argmax(axis=1) == y_true, bins)


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> list[dict]:
    """The reliability diagram (Guo et al. 2017, section 2): per bin of confidence how sure and how right a model is.

    Args:
        confidence: `(answers,)` float, 0 to 1.
        right: `(answers,)` bool.

    Returns:
        For each bin with answers `from`, `to`, `count`, `confidence` (mean) and `accuracy`.
    """
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        {
            "from": bin / bins,
            "to": (bin + 1) / bins,
            "count": int((index == bin).sum()),
            "confidence": float(confidence[index == bin].mean()),
            "accuracy": float(right[index == bin].mean()),
        }
        for bin in range(bins)
        if (index == bin).any()
    ]


def threshold_table(probabilities: np.ndarray, y_true: np.ndarray, steps: int = 20) -> list[dict]:
    """What an answer costs: for each lowest score, how many images are answered and how many of those rightly.

    Returns:
        `threshold`, `answered` (share of images whose best score reaches it), `accuracy` (of the answered; None when
        there are none), `right` (share of all images that are answered rightly).
    """
    confidence = probabilities.max(axis=1) if len(y_true) else np.zeros(0)
    right = probabilities.argmax(axis=1) == y_true if len(y_true) else np.zeros(0, bool)
    rows = []
    for step in range(steps + 1):
        threshold = step / steps
        answered = confidence >= threshold
        rows.append(
            {
                "threshold": threshold,
                "answered": float(answered.mean()) if len(y_true) else 0.0,
                "accuracy": float(right[answered].mean()) if answered.any() else None,
                "right": float((right & answered).mean()) if len(y_true) else 0.0,
            }
        )
    return rows


def label_thresholds(scores: np.ndarray, positive: np.ndarray, steps: int = 20) -> list[dict]:
    """Of one label against the rest: precision, recall and F1 at each threshold."""
    rows = []
    total = int(positive.sum())
    for step in range(steps + 1):
        found = scores >= step / steps
        right = int((found & positive).sum())
        precision = right / int(found.sum()) if found.any() else None
        recall = right / total if total else None
        both = int(found.sum()) + total
        f1 = 2 * right / both if both else 0.0
        rows.append(
            {
                "threshold": step / steps,
                "precision": precision,
                "recall": recall,
                "f1": f1,
            }
        )
    return rows


def classifier_curves(probabilities: np.ndarray, y_true: np.ndarray, class_names: list[str]) -> dict:
    """Everything above for a classifier, as JSON types: `per_class` (`label`, `roc`, `precision_recall`,
    `thresholds`), `macro_auc`, `mean_average_precision`, `calibration` and `thresholds`."""
    positive = y_true[:, None] == np.arange(len(class_names))
    return {
        **_curves_by_label(probabilities, positive, class_names),
        "calibration": calibration_bins(probabilities, y_true) if len(y_true) else [],
        "thresholds": threshold_table(probabilities, y_true),
    }


def multilabel_curves(probabilities: np.ndarray, truth: np.ndarray, class_names: list[str]) -> dict:
    """As `classifier_curves`, where each label is decided by itself: `calibration` and `thresholds` (precision, recall
    and F1) are of the labels of all images together.

    Args:
        truth: `(images, labels)` bool.
    """
    scores, positive = probabilities.ravel(), truth.ravel()
    return {
        **_curves_by_label(probabilities, truth, class_names),
        "calibration": reliability(scores, positive),
        "thresholds": label_thresholds(scores, positive),
    }


def _curves_by_label(probabilities: np.ndarray, truth: np.ndarray, class_names: list[str]) -> dict:
    """Args: truth: `(images, labels)` bool."""
    rows: list[dict] = []
    for index, name in enumerate(class_names):
        scores = probabilities[:, index] if len(truth) else np.zeros(0)
        positive = truth[:, index]
        rows.append(
            {
                "label": name,
                "roc": roc_curve(scores, positive),
                "precision_recall": precision_recall_curve(scores, positive),
                "thresholds": label_thresholds(scores, positive),
            }
        )
    areas = [row["roc"]["auc"] for row in rows if row["roc"]]
    precisions = [row["precision_recall"]["average_precision"] for row in rows if row["precision_recall"]]
    return {
        "per_class": rows,
        "macro_auc": float(np.mean(areas)) if areas else None,
        "mean_average_precision": float(np.mean(precisions)) if precisions else None,
    }


def box_threshold_table(matches: Matches, steps: int = 20) -> list[dict]:
    """Of a detector: precision, recall and F1 of all boxes together at each lowest score."""
    total = int(matches.boxes_of.sum())
    rows = []
    for step in range(steps + 1):
        sure = matches.score >= step / steps
        right, found = int(matches.hit[sure].sum()), int(sure.sum())
        rows.append(
            {
                "threshold": step / steps,
                "precision": right / found if found else None,
                "recall": right / total if total else None,
                "f1": 2 * right / (found + total) if found + total else 0.0,
            }
        )
    return rows
