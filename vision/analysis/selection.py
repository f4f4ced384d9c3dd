"""Which images are most informative for a model: where it is uncertain, and unlike each other."""

from __future__ import annotations

import numpy as np

# So many of the most uncertain are put into an order that avoids near-duplicates; the rest follow as they are.
RANKED = 1000
CANDIDATES = 20_000


def margin_uncertainty(probabilities: np.ndarray) -> np.ndarray:
    """1 less the distance of the two best labels, 0 (sure) to 1 (Scheffer et al. 2001; Settles 2009, section 3.1).

    Args:
        probabilities: `(images, classes)` float, rows sum to 1.

    Returns:
        `(images,)` float.
    """
    if probabilities.shape[1] < 2:
        return np.zeros(len(probabilities))
    best = np.partition(probabilities, -2, axis=1)[:, -2:]
    return 1 - (best[:, 1] - best[:, 0])


def decision_uncertainty(probabilities: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """How near to its threshold the most doubtful of an image's labels is: 1 at the threshold, 0 at 0 or 1.

    The largest over the labels, not their mean: one doubtful label is what a person would have to decide, however sure
    the others are ("maximum" aggregation of the uncertainty of binary decisions; Reyes, Morell and Ventura 2018,

    Args:
        probabilities: `(images, labels)` float in 0..1.
        thresholds: `(labels,)` float.
    """
    if not probabilities.shape[1]:
        return np.zeros(len(probabilities))
    way = np.where(probabilities >= thresholds, 1 - thresholds, thresholds)
    return (1 - np.abs(probabilities - thresholds) / np.maximum(way, 1e-9)).clip(0.0, 1.0).max(axis=1)


def box_uncertainty(scores: list[np.ndarray], threshold: float) -> np.ndarray:
    """How near an image's boxes are to the model's threshold: the most doubtful counts, more of them a little more.

    A score at the threshold counts 1, one at 0 or 1 counts 0 (Brust, Käding and Denzler 2019, "maximum" and "sum"
    aggregation of the 1-vs-2 margin, with the threshold as the boundary).

    Args:
        scores: of each image `(boxes,)` float, also below the threshold.
    """
    found = np.zeros(len(scores))
    for index, own in enumerate(scores):
        if len(own):
            below = own < threshold
            doubt = np.where(below, own / max(threshold, 1e-6), (1 - own) / max(1 - threshold, 1e-6))
            found[index] = 0.9 * doubt.max() + 0.1 * np.tanh(doubt.sum() / 5)
    return found


def disagreement(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Jensen-Shannon divergence of two models' probabilities over ln 2, 0 (the same) to 1 (Lin 1991, eq. 5.1).

    Args:
        one, other: `(images, classes)` float with the same columns.
    """
    middle = (one + other) / 2

    def divergence(given: np.ndarray) -> np.ndarray:
        ratio = np.where(given > 0, given / np.maximum(middle, 1e-12), 1.0)
        return (given * np.log(ratio)).sum(axis=1)

    return np.clip((divergence(one) + divergence(other)) / (2 * np.log(2)), 0.0, 1.0)


def labeling_order(uncertainty: np.ndarray, embeddings: np.ndarray, *, ranked: int = RANKED) -> np.ndarray:
    """Indices of the images, the most informative first.

    Each next image has the largest product of its uncertainty and its distance to the nearest one before it (cosine,
    0 to 2): greedy k-centers (Sener and Savarese 2018, algorithm 1) weighted by uncertainty, so that ten
    near-duplicates do not come one after the other. Behind the first `ranked` the order is by uncertainty alone.

    Args:
        uncertainty: `(images,)` float.
        embeddings: `(images, dimensions)` float32 of length 1.
    """
    order = np.argsort(-uncertainty, kind="stable")
    candidates = order[:CANDIDATES]
    # Distances between images of one project are small and alike without this.
    vectors = embeddings[candidates] - embeddings[candidates].mean(axis=0, keepdims=True)
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    worth = uncertainty[candidates]
    nearest = np.full(len(candidates), 2.0)
    free = np.ones(len(candidates), dtype=bool)
    chosen: list[int] = []
    for _ in range(min(ranked, len(candidates))):
        # The tiny sum keeps the order of what has no uncertainty or a twin before it.
        index = int(np.where(free, worth * nearest + 1e-9 * worth, -1.0).argmax())
        chosen.append(index)
        free[index] = False
        nearest = np.minimum(nearest, np.maximum(1 - vectors @ vectors[index], 0.0))
    picked = set(candidates[chosen].tolist())
    rest = [index for index in order.tolist() if index not in picked]
    return np.concatenate([candidates[chosen], np.array(rest, dtype=np.int64)]).astype(np.int64)
