"""Labels that are probably wrong, or missing, where an image has none to many: confident learning, label by label.

Each label against the rest is a question of its own (Thyagarajan, Snorrason, Northcutt and Mueller 2022, "Identifying
incorrect annotations in multi-label classification data", section 3), which `vision.analysis.label_issues` answers for
labels that exclude each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision.analysis.label_folds import label_folds
from vision.analysis.live_labels import fit_labels, is_learnable
from vision.analysis.out_of_fold import CHUNK, FOLDS, MOST_LEARNED, SEED, read_rows

# With fewer images with a label, or without it, nothing is said of it.
FEWEST = 5


@dataclass(frozen=True)
class LabelDoubts:
    """Decisions about labels of images, the least believed first.

    Attributes:
        images, labels: `(doubts,)` int, places of both.
        quality: `(doubts,)` float, how far the decision is believed, 0 to 1: that the label is there where it was
            given, and that it is not where it was not.
        is_issue: `(doubts,)` bool, what confident learning counts as wrong.
    """

    images: np.ndarray
    labels: np.ndarray
    quality: np.ndarray
    is_issue: np.ndarray


def out_of_fold_labels(
    vectors: np.ndarray,
    rows: np.ndarray,
    truth: np.ndarray,
    mean: np.ndarray,
    deviation: np.ndarray,
    groups: np.ndarray,
) -> np.ndarray:
    """Probabilities of each label of an image by a head that saw neither it nor its near-duplicates.

    Args:
        vectors: `(store, features)` float, perhaps on the disk.
        rows: `(images,)` int, where the features of each image are.
        truth: `(images, labels)` bool.
        mean, deviation: `(features,)` float, over all images of the project.
        groups: `(images,)` int; images with the same number are held out together.

    Returns:
        `(images, labels)` float32; not a number where there are too few images to hold any out.
    """
    probabilities = np.full(truth.shape, np.nan, np.float32)
    folds = label_folds(truth, groups, FOLDS)
    random = np.random.default_rng(SEED)
    for fold in np.unique(folds):
        learned = np.sort(random.permutation(np.flatnonzero(folds != fold))[:MOST_LEARNED])
        if not is_learnable(truth[learned]):
            continue
        head = fit_labels(read_rows(vectors, rows[learned]), truth[learned], mean, deviation)
        tried = np.flatnonzero(folds == fold)
        for start in range(0, len(tried), CHUNK):
            part = tried[start : start + CHUNK]
            probabilities[part] = head.probabilities(read_rows(vectors, rows[part]))
    return probabilities


def find_label_doubts(probabilities: np.ndarray, truth: np.ndarray) -> LabelDoubts:
    """Decisions by how little they are believed, and which of them are wrong: all of the latter, and as many of the
    others as there are images.

    One is wrong when its opposite reaches its own threshold, the mean probability of the images of which that was said,
    and it does not itself, or is less probable (Northcutt, Jiang and Chuang 2021, eq. 1 and 2, with two classes).

    Args:
        probabilities: `(images, labels)` out of sample; rows that are no numbers are left out.
        truth: `(images, labels)` bool, as given.
    """
    known = np.flatnonzero(~np.isnan(probabilities).any(axis=1))
    chances, given = probabilities[known].astype(np.float64), truth[known]
    believed = np.where(given, chances, 1 - chances)
    counts = given.sum(axis=0)
    is_asked = (counts >= FEWEST) & (len(known) - counts >= FEWEST)
    there = (chances * given).sum(axis=0) / np.maximum(counts, 1)
    absent = ((1 - chances) * ~given).sum(axis=0) / np.maximum(len(known) - counts, 1)
    own, other = np.where(given, there, absent), np.where(given, absent, there)
    is_issue = (1 - believed >= other) & ~((believed >= own) & (believed >= 0.5)) & is_asked
    quality = np.where(is_asked, believed, 2.0).ravel()
    order = np.argsort(quality, kind="stable")[: len(known) * int(is_asked.sum())]
    is_kept = np.zeros(len(order), bool)
    is_kept[: len(known)] = True
    order = order[is_kept | is_issue.ravel()[order]]
    images, labels = np.unravel_index(order, given.shape)
    return LabelDoubts(known[images], labels, quality[order], is_issue.ravel()[order])
