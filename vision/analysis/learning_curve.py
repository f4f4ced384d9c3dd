"""How good a classifier gets with more labels: measured on subsets, and continued by a power law.

Accuracy as `best - loss * images ** -rate` fits learning curves of most classifiers well (Viering and Loog 2023,
"The shape of learning curves", table 2: among the best of their parametric models).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vision.analysis.live_head import fit_head

REPEATS = 10
SHARES = (0.25, 0.5, 0.75, 1.0)
TEST_SHARE = 0.2
MOST_IMAGES = 600
# With 40 sign digits the law was 0.12 too low, with 80 0.05, with 150 and 300 0.01 (mean of six draws).
FEWEST_IMAGES = 60
SEED = 0


@dataclass(frozen=True)
class CurvePoint:
    """Accuracy with so many labelled images, and its standard deviation over the repeats."""

    images: int
    accuracy: float
    deviation: float


@dataclass(frozen=True)
class LearningCurve:
    """What was measured, and what is expected of more labels."""

    measured: tuple[CurvePoint, ...]
    expected: tuple[CurvePoint, ...]


def learning_curve(
    features: np.ndarray,
    labels: np.ndarray,
    num_labels: int,
    mean: np.ndarray,
    deviation: np.ndarray,
    groups: np.ndarray,
    more: Sequence[int] = (50, 100, 200),
) -> LearningCurve | None:
    """Fit heads on growing parts of the labelled images, each tried on the same fifth that none of them saw.

    Args:
        features: `(images, features)` float.
        labels, groups: `(images,)` int; a group is on one side.
        more: how many further labelled images to look ahead for.

    Returns:
        None where there are too few images.
    """
    generator = np.random.default_rng(SEED)
    if len(labels) > MOST_IMAGES:
        chosen = np.sort(generator.permutation(len(labels))[:MOST_IMAGES])
        features, labels, groups = features[chosen], labels[chosen], groups[chosen]
    names = np.unique(groups)
    if len(labels) < FEWEST_IMAGES or len(names) < FEWEST_IMAGES // 2:
        return None
    sizes, curves = np.zeros((REPEATS, len(SHARES))), np.zeros((REPEATS, len(SHARES)))
    for repeat in range(REPEATS):
        order = generator.permutation(names)
        test = np.isin(groups, order[: max(1, round(len(order) * TEST_SHARE))])
        rest = np.flatnonzero(~test)[generator.permutation((~test).sum())]
        for place, share in enumerate(SHARES):
            train = rest[: max(2, round(len(rest) * share))]
            sizes[repeat, place] = len(train)
            curves[repeat, place] = _accuracy(features, labels, train, test, num_labels, mean, deviation)
    measured = [
        CurvePoint(round(size), round(float(column.mean()), 4), round(float(column.std()), 4))
        for size, column in zip(sizes.mean(axis=0), curves.T, strict=True)
    ]
    return LearningCurve(tuple(measured), tuple(_expected(sizes.mean(axis=0), curves, len(labels), more)))


def _accuracy(
    features: np.ndarray,
    labels: np.ndarray,
    train: np.ndarray,
    test: np.ndarray,
    num_labels: int,
    mean: np.ndarray,
    deviation: np.ndarray,
) -> float:
    if len(np.unique(labels[train])) < 2:  # it would give everything the same label
        return float((labels[test] == labels[train][0]).mean())
    head = fit_head(features[train], labels[train], num_labels, mean, deviation)
    return float((head.probabilities(features[test]).argmax(axis=1) == labels[test]).mean())


def _expected(sizes: np.ndarray, curves: np.ndarray, now: int, more: Sequence[int]) -> list[CurvePoint]:
    """One power law through the means; how far those through single repeats lie apart is the uncertainty, besides that
    of the measured points."""
    law = _power_law(sizes, curves.mean(axis=0))
    single = [_power_law(sizes, curve) for curve in curves]
    share = (float(curves.mean(axis=0)[-1]) * now + 1) / (now + 2)  # of few images that are all right nobody is certain
    spread = (share * (1 - share)) ** 0.5
    points = []
    for further in more:
        ahead = now + further
        own = float(np.std([one(ahead) for one in single])) / REPEATS**0.5
        points.append(CurvePoint(ahead, round(law(ahead), 4), round((own**2 + (spread / now**0.5) ** 2) ** 0.5, 4)))
    return points


def _power_law(sizes: np.ndarray, accuracies: np.ndarray) -> Callable[[float], float]:
    from scipy.optimize import OptimizeWarning, curve_fit

    def law(images: np.ndarray, best: float, loss: float, rate: float) -> np.ndarray:
        return best - loss * np.power(images, -rate)

    last = float(accuracies[-1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OptimizeWarning)
        bounds = ([0.0, 0.0, 0.05], [1.0, 10.0, 1.0])
        try:
            found, _ = curve_fit(law, sizes, accuracies, p0=(min(1.0, last + 0.05), 1.0, 0.5), bounds=bounds)
        except RuntimeError:  # no law fits: nothing better is known than the last measured one
            return lambda images: last
    return lambda images: float(np.clip(law(np.array(float(images)), *found), 0.0, 1.0))
