"""Folds in which each of several labels has its share: iterative stratification.

Sechidis, Tsoumakas and Vlahavas 2011, "On the stratification of multi-label data", algorithm 1, with groups of images
in place of single ones.
"""

from __future__ import annotations

import numpy as np

SEED = 0


def label_folds(truth: np.ndarray, groups: np.ndarray, count: int) -> np.ndarray:
    """`(images,)` int: the fold of each image. Images of one group are in one fold.

    Args:
        truth: `(images, labels)` bool.
        groups: `(images,)` int.
        count: of the folds; there are fewer where there are fewer groups.
    """
    _, places = np.unique(groups, return_inverse=True)
    groups_count = int(places.max(initial=-1)) + 1
    count = max(1, min(count, groups_count))
    sizes = np.bincount(places, minlength=groups_count)
    labels = np.zeros((groups_count, truth.shape[1]), np.int64)
    np.add.at(labels, places, truth.astype(np.int64))
    lacks = np.tile(labels.sum(axis=0) / count, (count, 1))
    lacks_images = np.full(count, len(truth) / count)
    folds = np.full(groups_count, -1)
    waiting = labels.sum(axis=0)
    order = np.random.default_rng(SEED).permutation(groups_count)
    while waiting.any():
        label = int(np.where(waiting > 0, waiting, np.iinfo(np.int64).max).argmin())
        own = order[(folds[order] < 0) & (labels[order, label] > 0)]
        for group in own[np.argsort(-labels[own, label], kind="stable")].tolist():
            # Where a label lacks equally many images in several folds, the one that lacks most images of all.
            fold = max(range(count), key=lambda fold: (lacks[fold, label], lacks_images[fold]))
            folds[group] = fold
            lacks[fold] -= labels[group]
            lacks_images[fold] -= sizes[group]
            waiting -= labels[group]
    for group in order[folds[order] < 0].tolist():
        folds[group] = fold = int(lacks_images.argmax())
        lacks_images[fold] -= sizes[group]
    return folds[places]
