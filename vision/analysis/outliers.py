"""Images that are unlike all others of their label: far from their nearest neighbours, beside what is usual there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision.analysis.feature_store import spread
from vision.analysis.neighbour_distances import nearest_among

NEIGHBOURS = 10
# Fewer images of a label say nothing of what is usual.
FEWEST = 12
# Distances are measured to so many images of a label at most.
REFERENCES = 20_000
# Of the modified z-score (Iglewicz and Hoaglin 1993, who take 3.5): distances have a long tail, and 3.5 would name 6 %
# of the sign digits; 6 names 3 %, and each of 20 foreign images among them.
LIMIT = 6.0
TO_DEVIATIONS = 0.6745
NO_LABEL = -1


@dataclass(frozen=True)
class Outliers:
    """How far each image lies from others of its label.

    Attributes:
        score: `(images,)` float, modified z-score of the distance within the label; -inf where it has too few images.
        ratio: `(images,)` float, the distance over the median of the label; 1 where it has too few.
        is_outlier: `(images,)` bool, those above 6.
    """

    score: np.ndarray
    ratio: np.ndarray
    is_outlier: np.ndarray


def find_outliers(points: np.ndarray, labels: np.ndarray) -> Outliers:
    """Compare the mean distance of each image to its nearest neighbours with that of others of its label.

    Args:
        points: `(images, dimensions)` float32.
        labels: `(images,)` int; -1: without a label, compared with all images.
    """
    score, ratio = np.full(len(labels), -np.inf), np.ones(len(labels))
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        others = np.arange(len(labels)) if label == NO_LABEL else own
        if len(own) < FEWEST or len(others) < FEWEST:
            continue
        distances = _mean_distances(points, own, others[spread(len(others), REFERENCES)])
        median = float(np.median(distances))
        deviation = max(float(np.median(np.abs(distances - median))), 1e-6)
        score[own] = TO_DEVIATIONS * (distances - median) / deviation
        ratio[own] = distances / max(median, 1e-6)
    return Outliers(score, ratio, score > LIMIT)


def _mean_distances(points: np.ndarray, own: np.ndarray, references: np.ndarray) -> np.ndarray:
    """`(own,)` float: mean distance to the ten nearest references, without the image itself."""
    near, distances = nearest_among(points[own], points[references], NEIGHBOURS + 1)
    is_self = references[near] == own[:, np.newaxis]
    count = distances.shape[1] - 1
    without = np.sort(np.where(is_self, np.inf, distances), axis=1)[:, :count]
    return without.mean(axis=1)
