"""Whether one model is better than another, or the difference is chance."""

from __future__ import annotations

import numpy as np

from vision.runtime.detection_metrics import interpolated_ap
from vision.runtime.matching import Matches
from vision.runtime.multilabel_metrics import bootstrap_weights, mean_average_precisions

BOOTSTRAPS = 1000
LEVEL = 0.05


def mcnemar(first_right: np.ndarray, second_right: np.ndarray) -> dict:
    """Exact McNemar test of two classifiers on the same images (McNemar 1947; Dietterich 1998, section 3.1).

    Args:
        first_right, second_right: `(images,)` bool.

    Returns:
        `only_first` and `only_second` (images that one alone got right), `p_value` (two-sided, binomial),
        `is_significant` (below 0.05), `difference` of the accuracies (second less first) with its 95 % `interval`
        (Newcombe 1998, method 10).
    """
    only_first = int((first_right & ~second_right).sum())
    only_second = int((second_right & ~first_right).sum())
    trials, least = only_first + only_second, min(only_first, only_second)
    p_value = _binomial_p_value(trials, least)
    count = len(first_right)
    return {
        "only_first": only_first,
        "only_second": only_second,
        "p_value": p_value,
        "is_significant": p_value < LEVEL,
        "difference": (only_second - only_first) / count if count else 0.0,
        "interval": _difference_interval(first_right, second_right),
    }


def _binomial_p_value(trials: int, least: int) -> float:
    """Two-sided, of a fair coin that shows its rarer side `least` times."""
    from scipy.special import bdtr  # `scipy.stats` says the same, and takes a second to load

    return min(1.0, 2 * float(bdtr(least, trials, 0.5))) if trials else 1.0


def _difference_interval(first_right: np.ndarray, second_right: np.ndarray) -> list[float]:
    """95 % interval of a difference of paired proportions (Newcombe 1998, method 10)."""
    from vision.runtime.metrics import wilson_interval

    count = len(first_right)
    if count == 0:
        return [-1.0, 1.0]
    e = int((first_right & second_right).sum())
    f, g = int((second_right & ~first_right).sum()), int((first_right & ~second_right).sum())
    h = count - e - f - g
    p2, p1 = (e + f) / count, (e + g) / count
    (l2, u2), (l1, u1) = wilson_interval(e + f, count), wilson_interval(e + g, count)
    product = (e + f) * (g + h) * (e + g) * (f + h)
    phi = 0.0
    if product:
        excess: float = e * h - f * g
        # Method 10 corrects the correlation for continuity when it is positive.
        excess = max(excess - count / 2, 0.0) if excess > 0 else excess
        phi = excess / product**0.5
    d = p2 - p1
    lower = d - ((p2 - l2) ** 2 - 2 * phi * (p2 - l2) * (u1 - p1) + (u1 - p1) ** 2) ** 0.5
    upper = d + ((u2 - p2) ** 2 - 2 * phi * (u2 - p2) * (p1 - l1) + (p1 - l1) ** 2) ** 0.5
    return [max(-1.0, lower), min(1.0, upper)]


def ap50_difference(first: Matches, second: Matches, seed: int = 0) -> dict:
    """Paired bootstrap over the images of the difference in AP50, second less first (Efron and Tibshirani 1993,
    chapters 13 and 15).

    Returns:
        `difference`, its 95 % `interval`, `p_value` (two-sided: twice the smaller share of differences beyond 0) and
        `is_significant` (the interval excludes 0).
    """
    images = len(first.boxes_of)
    generator = np.random.default_rng(seed)
    values = np.zeros(BOOTSTRAPS)
    for number in range(BOOTSTRAPS):
        times = np.bincount(generator.integers(0, images, images), minlength=images)
        values[number] = _ap50(second, times) - _ap50(first, times)
    once = np.ones(images, dtype=int)
    low, high = np.quantile(values, [0.025, 0.975])
    share = min((values <= 0).mean(), (values >= 0).mean())
    return {
        "difference": _ap50(second, once) - _ap50(first, once),
        "interval": [float(low), float(high)],
        "p_value": float(min(1.0, max(2 * share, 1 / BOOTSTRAPS))),
        "is_significant": bool(low > 0 or high < 0),
    }


def mean_average_precision_difference(first: np.ndarray, second: np.ndarray, truth: np.ndarray, seed: int = 0) -> dict:
    """As `ap50_difference`, of the mean average precision over the labels of images with none to many of them.

    Args:
        first, second: `(images, labels)` float, the scores of two models.
        truth: `(images, labels)` bool.
    """
    weights = bootstrap_weights(len(truth), truth.shape[1], seed)
    values = mean_average_precisions(second, truth, weights) - mean_average_precisions(first, truth, weights)
    once = np.ones((1, len(truth)), np.int32)
    whole = [mean_average_precisions(scores, truth, once) for scores in (first, second)]
    if not len(values):
        return {"difference": 0.0, "interval": [-1.0, 1.0], "p_value": 1.0, "is_significant": False}
    low, high = np.quantile(values, [0.025, 0.975])
    share = min((values <= 0).mean(), (values >= 0).mean())
    return {
        "difference": float(whole[1][0] - whole[0][0]),
        "interval": [float(low), float(high)],
        "p_value": float(min(1.0, max(2 * share, 1 / len(values)))),
        "is_significant": bool(low > 0 or high < 0),
    }


def _ap50(matches: Matches, times: np.ndarray) -> float:
    """AP50 when image `i` counts `times[i]` times."""
    total = times @ matches.boxes_of
    order = np.argsort(-matches.score, kind="stable")
    image, label, hit = matches.image[order], matches.label[order], matches.hit[order]
    weights = times[image]
    values = [
        interpolated_ap(hit[label == index], weights[label == index], int(total[index]))
        for index in np.flatnonzero(total)
    ]
    return float(np.mean(values)) if values else 0.0
