"""Distances of many images to their nearest neighbours: exact among so many references, a part at a time."""

from __future__ import annotations

import numpy as np

# So many distances are in memory at a time: 64 MiB as float32.
CELLS = 16 * 2**20


def nearest_among(points: np.ndarray, references: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the nearest references and their Euclidean distances, the nearest first.

    Args:
        points: `(images, dimensions)` float32.
        references: `(references, dimensions)` float32, at least one.
        count: how many neighbours; no more than there are references are answered.

    Returns:
        `(images, count)` int64 rows of references, `(images, count)` float32 distances.
    """
    count = min(count, len(references))
    rows = np.empty((len(points), count), np.int64)
    distances = np.empty((len(points), count), np.float32)
    squares = np.einsum("ij,ij->i", references, references)
    step = max(1, CELLS // len(references))
    for start in range(0, len(points), step):
        part = points[start : start + step]
        # Without the squares of the points, which change no order.
        compared = part @ (-2 * references.T) + squares
        near = np.argpartition(compared, count - 1, axis=1)[:, :count]
        values = np.take_along_axis(compared, near, axis=1) + np.einsum("ij,ij->i", part, part)[:, np.newaxis]
        order = np.lexsort((near, values), axis=1)
        rows[start : start + step] = np.take_along_axis(near, order, axis=1)
        distances[start : start + step] = np.sqrt(np.maximum(np.take_along_axis(values, order, axis=1), 0))
    return rows, distances
