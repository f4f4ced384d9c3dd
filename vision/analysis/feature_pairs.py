"""Near-duplicates that hashes miss, by features: crops, mirrored copies, other light.

Two images are near-duplicates when the cosine of their features is at least 0.85, or at least 0.7 and 0.15 above that
of the fifth nearest image of both: copies stand out among what is around them, and scenes that are all alike do not.
Chosen on changed copies of sign digits and of blood cells; see decision 0104.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision.analysis.feature_store import SAMPLE, finite, spread
from vision.analysis.nearest import mean_of, unit
from vision.analysis.neighbour_distances import nearest_among

SURE = 0.85
LEAST, MARGIN = 0.7, 0.15
# The margin is measured to this neighbour, so that a few copies of one image do not hide each other.
FIFTH = 5
# So many of the nearest by random projection are compared by all features.
COMPARED = 24
CHUNK = 256


@dataclass(frozen=True)
class Pairs:
    """Pairs of near-duplicates, each once: places of the two images, the lower first, and their cosine.

    Attributes:
        starts, ends: `(pairs,)` int64.
        similarities: `(pairs,)` float32.
    """

    starts: np.ndarray
    ends: np.ndarray
    similarities: np.ndarray


def near_pairs(vectors: np.ndarray, codes: np.ndarray, rows: np.ndarray) -> Pairs:
    """Near-duplicates among the images of some rows of a feature store.

    Args:
        vectors: `(store, features)` float16.
        codes: `(store, dimensions)` float16, their random projections.
        rows: `(images,)` int.
    """
    count = len(rows)
    if count < 2:
        return Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))
    near, cosines = _nearest(vectors, codes, rows)
    fifth = np.full(count, np.inf)  # of fewer images nobody knows what is around them
    if cosines.shape[1] >= FIFTH:
        fifth = np.sort(cosines, axis=1)[:, -FIFTH].astype(np.float64)
    own = np.arange(count)[:, np.newaxis]
    stands_out = (cosines >= fifth[own] + MARGIN) & (cosines >= fifth[near] + MARGIN)
    at, column = np.nonzero((cosines >= SURE) | ((cosines >= LEAST) & stands_out))
    other = near[at, column]
    keys, first = np.unique(np.minimum(at, other) * count + np.maximum(at, other), return_index=True)
    return Pairs(keys // count, keys % count, cosines[at, column][first])


def _nearest(vectors: np.ndarray, codes: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`(images, neighbours)` places of the nearest by their projections, without the image, and all-feature cosines."""
    projected = unit(codes[rows], mean_of(codes)).astype(np.float32)
    near, _ = nearest_among(projected, projected, COMPARED + 1)
    # The image itself may not be the first among copies; of these one is left out in its place.
    is_self = near == np.arange(len(rows))[:, np.newaxis]
    is_self[~is_self.any(axis=1), -1] = True
    near = near[~is_self].reshape(len(rows), -1)
    mean = finite(vectors[spread(len(vectors), SAMPLE)]).mean(axis=0)
    cosines = np.empty(near.shape, np.float32)
    for start in range(0, len(rows), CHUNK):
        part = slice(start, start + CHUNK)
        needed, places = np.unique(np.concatenate([rows[part], rows[near[part]].ravel()]), return_inverse=True)
        features = unit(vectors[needed], mean)
        count = len(rows[part])
        own, others = features[places[:count]], features[places[count:]].reshape(count, near.shape[1], -1)
        cosines[part] = np.einsum("id,ijd->ij", own, others)
    return near, cosines


def around_leaders(roots: np.ndarray, starts: np.ndarray, ends: np.ndarray, most: int) -> np.ndarray:
    """`(images,)` int64 groups that join others without chains: each group is near its leader itself.

    A group that is there already joins the largest one that it has a pair with and that leads; what joined leads no
    further. Groups are taken by their size, then in their order.

    Args:
        roots: `(images,)` int, the groups that are there.
        starts, ends: `(pairs,)` int, places of near-duplicates.
        most: a group joins no further where it would be larger than this.
    """
    groups, own = np.unique(roots, return_inverse=True)
    sizes = np.bincount(own, minlength=len(groups))
    neighbours: dict[int, set[int]] = {}
    for one, other in zip(own[starts].tolist(), own[ends].tolist(), strict=True):
        if one != other:
            neighbours.setdefault(one, set()).add(other)
            neighbours.setdefault(other, set()).add(one)
    leader = np.arange(len(groups))
    is_taken = np.zeros(len(groups), bool)
    total = sizes.copy()
    for group in sorted(neighbours, key=lambda group: (-sizes[group], -len(neighbours[group]), group)):
        if is_taken[group]:
            continue
        is_taken[group] = True
        for other in sorted(neighbours[group]):
            if not is_taken[other] and total[group] + sizes[other] <= most:
                is_taken[other] = True
                leader[other] = group
                total[group] += sizes[other]
    return leader[own].astype(np.int64)
