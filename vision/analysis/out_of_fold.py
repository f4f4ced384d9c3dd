"""What the live head says of labelled images that it was not fitted on: each once, by cross-validation."""

from __future__ import annotations

import warnings

import numpy as np

from vision.analysis.live_head import fit_head

FOLDS = 5
# A head is fitted on so many images at most: more change little, and all of them at once are in memory.
MOST_LEARNED = 10_000
CHUNK = 4096
SEED = 0


def out_of_fold_probabilities(
    vectors: np.ndarray,
    rows: np.ndarray,
    labels: np.ndarray,
    num_labels: int,
    mean: np.ndarray,
    deviation: np.ndarray,
    groups: np.ndarray,
) -> np.ndarray:
    """Probabilities of each image by a head that saw neither it nor its near-duplicates.

    Args:
        vectors: `(store, features)` float16, perhaps on the disk.
        rows: `(images,)` int, where the features of each image are.
        labels: `(images,)` int from 0 to `num_labels` - 1.
        mean, deviation: `(features,)` float, over all images of the project.
        groups: `(images,)` int; images with the same number are held out together.

    Returns:
        `(images, num_labels)` float32. A label gets no probability from folds in which no other image carries it; all
        zeros where there are too few images to hold any out.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    probabilities = np.zeros((len(rows), num_labels), np.float32)
    folds = min(FOLDS, len(np.unique(groups)), int(np.bincount(labels, minlength=1).max()))
    if folds < 2:
        return probabilities
    random = np.random.default_rng(SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a label with fewer images than folds
        splits = list(StratifiedGroupKFold(folds, shuffle=True, random_state=SEED).split(labels, labels, groups))
    for train, held_out in splits:
        learned = np.sort(random.permutation(train)[:MOST_LEARNED])
        if len(np.unique(labels[learned])) < 2 or not len(held_out):
            continue
        features = read_rows(vectors, rows[learned])
        head = fit_head(features, labels[learned], num_labels, mean, deviation)
        for start in range(0, len(held_out), CHUNK):
            part = held_out[start : start + CHUNK]
            probabilities[part] = head.probabilities(read_rows(vectors, rows[part]))
    return probabilities


def read_rows(vectors: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """`(rows, features)` float32; the disk is read in one direction."""
    order = np.argsort(rows, kind="stable")
    features = np.empty((len(rows), vectors.shape[1]), np.float32)
    features[order] = vectors[rows[order]]
    return features
