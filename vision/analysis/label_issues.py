"""Labels that are probably wrong, by confident learning (Northcutt, Jiang and Chuang 2021)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

FOLDS = 5
# Of the features: with 128 fewer wrong labels come first (`benchmarks.label_errors`: 0.82 instead of 0.88 of them).
DIMENSIONS = 512
REGULARISATION = 0.01
ITERATIONS = 300
SEED = 0


@dataclass(frozen=True)
class Suspects:
    """Images in the order of suspicion.

    Attributes:
        order: `(images,)` indices, the least trustworthy label first.
        quality: `(images,)` float, the probability that others give the label (self-confidence), 0 to 1.
        suggested: `(images,)` int, the most probable label that is not the given one.
        suggested_score: `(images,)` float, its probability.
        is_issue: `(images,)` bool, what confident learning counts as wrong (the off-diagonal of its confident joint).
    """

    order: np.ndarray
    quality: np.ndarray
    suggested: np.ndarray
    suggested_score: np.ndarray
    is_issue: np.ndarray


def out_of_sample_probabilities(
    features: np.ndarray, labels: np.ndarray, num_classes: int, groups: np.ndarray | None = None
) -> np.ndarray:
    """Probabilities of each image by a model that never saw it: cross-validated logistic regression on features.

    A model's own probabilities of images that it was trained on say little of their labels: it has learned the wrong
    ones too.

    Args:
        features: `(images, dimensions)` float.
        labels: `(images,)` int.
        groups: `(images,)` int; near-duplicates of an image, which have one number, are not learned from either.

    Returns:
        `(images, num_classes)` float. A label with fewer than two images gets no probability from the others.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    probabilities = np.zeros((len(labels), num_classes))
    if groups is None or len(np.unique(groups)) < FOLDS:  # too few to hold any out
        groups = np.arange(len(labels))
    # No label fills more folds than it has images.
    count = min(FOLDS, int(np.bincount(labels).max(initial=0)))
    if count < 2:
        return probabilities
    # Without groups to mind, labels are spread more evenly.
    kind = StratifiedKFold if len(np.unique(groups)) == len(labels) else StratifiedGroupKFold
    folds = kind(count, shuffle=True, random_state=SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # labels with fewer images than folds; no convergence of the last digits
        for train, held_out in folds.split(features, labels, groups):
            if not len(train) or not len(held_out):
                continue
            if len(np.unique(labels[train])) < 2:
                probabilities[held_out, labels[train][0]] = 1.0
                continue
            model = make_pipeline(StandardScaler(), LogisticRegression(C=REGULARISATION, max_iter=ITERATIONS))
            model.fit(features[train], labels[train])
            probabilities[np.ix_(held_out, model.classes_)] = model.predict_proba(features[held_out])
    return probabilities


def find_label_issues(probabilities: np.ndarray, labels: np.ndarray) -> Suspects:
    """Rank labels by how little the model believes them, and count which are wrong.

    A label is counted as wrong when another one reaches its own threshold, the mean probability of the images that
    carry it (section 3.1, eq. 1 and 2), and the given one is not the most probable of those that do. The order is by
    self-confidence (Kuan and Mueller 2022, section 3).

    Args:
        probabilities: `(images, classes)` out of sample.
        labels: `(images,)` int, as given.
    """
    count, num_classes = probabilities.shape
    rows = np.arange(count)
    quality = probabilities[rows, labels]
    others = probabilities.copy()
    others[rows, labels] = -1
    thresholds = np.array(
        [probabilities[labels == one, one].mean() if (labels == one).any() else 1.0 for one in range(num_classes)]
    )
    confident = np.where(probabilities >= thresholds, probabilities, -1.0)
    is_issue = (confident.max(axis=1) >= 0) & (confident.argmax(axis=1) != labels)
    suggested = others.argmax(axis=1)
    return Suspects(np.argsort(quality, kind="stable"), quality, suggested, others[rows, suggested], is_issue)
