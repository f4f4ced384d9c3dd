"""The images that are most like one, among the codes of a feature store: exact, with bounded memory."""

from __future__ import annotations

import numpy as np

from vision.analysis.feature_store import finite, spread

CHUNK = 16_384
# So many of the nearest by their codes are compared by all of their features.
COMPARED = 200


def unit(vectors: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """`(images, dimensions)` float32 of length 1, seen from the mean: without this all images are alike."""
    shifted = finite(vectors) - mean
    return shifted / np.maximum(np.linalg.norm(shifted, axis=1, keepdims=True), 1e-12)


def mean_of(codes: np.ndarray, sample: int = 5000) -> np.ndarray:
    """`(dimensions,)` float32 over at most `sample` images."""
    return finite(codes[spread(len(codes), sample)]).mean(axis=0)


def nearest(
    codes: np.ndarray, query: np.ndarray, count: int, mean: np.ndarray, among: np.ndarray | None = None
) -> np.ndarray:
    """`(count,)` int: the rows that are most like the query by cosine, the most alike first.

    Args:
        codes: `(images, dimensions)` float16.
        query: `(dimensions,)` float, in the same space.
        among: `(images,)` bool, which rows may be found; None: all.
    """
    wanted = unit(query[np.newaxis], mean)[0]
    both = np.stack([wanted, mean], axis=1)
    square = float(mean @ mean)
    best_rows, best = np.zeros(0, np.int64), np.zeros(0, np.float32)
    for start in range(0, len(codes), CHUNK):
        # `unit(part, mean) @ wanted`, without three more copies of the part
        part = finite(codes[start : start + CHUNK])
        by_query, by_mean = (part @ both).T
        lengths = np.sqrt(np.maximum(np.einsum("ij,ij->i", part, part) - 2 * by_mean + square, 1e-12))
        likeness = (by_query - both[:, 0] @ mean) / lengths
        rows = np.arange(start, start + len(likeness))
        if among is not None:
            rows, likeness = rows[among[rows]], likeness[among[rows]]
        rows, likeness = np.concatenate([best_rows, rows]), np.concatenate([best, likeness])
        keep = np.argpartition(-likeness, count - 1)[:count] if len(likeness) > count else np.arange(len(likeness))
        best_rows, best = rows[keep], likeness[keep]
    return best_rows[np.argsort(-best, kind="stable")]


def most_alike(
    vectors: np.ndarray, codes: np.ndarray, row: int, count: int, mean: np.ndarray, among: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The rows that are most like one, without itself, and their likeness: cosine of all features, -1 to 1.

    Args:
        vectors: `(images, features)` float16; read only where codes are near.
        codes: `(images, dimensions)` float16.
        mean: `(features,)` float32.
        among: as of `nearest`.
    """
    near = nearest(codes, codes[row], max(count, COMPARED) + 1, mean_of(codes), among)
    near = near[near != row]
    own = unit(np.asarray(vectors[row : row + 1]), mean)[0]
    likeness = unit(vectors[np.sort(near)], mean) @ own
    order = np.argsort(-likeness, kind="stable")[:count]
    return np.sort(near)[order], likeness[order]
