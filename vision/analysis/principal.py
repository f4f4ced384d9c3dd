"""The directions in which images differ most, by principal component analysis with bounded memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision.analysis.feature_store import finite, spread

COMPONENTS = 50
SAMPLE = 5000
CHUNK = 4096
SMALLEST_DEVIATION = 1e-6


@dataclass(frozen=True)
class Principal:
    """A change of coordinates: from features to the few directions in which a sample of them differs most.

    Attributes:
        mean: `(features,)` float32.
        directions: `(features, components)` float32, of standardised features.
    """

    mean: np.ndarray
    directions: np.ndarray

    def of(self, vectors: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """`(rows, components)` float32, read a part at a time.

        Args:
            vectors: `(images, features)` float16, perhaps on the disk.
            rows: `(rows,)` int, which of them.
        """
        points = np.empty((len(rows), self.directions.shape[1]), np.float32)
        order = np.argsort(rows, kind="stable")  # the disk is read in one direction
        for start in range(0, len(rows), CHUNK):
            part = order[start : start + CHUNK]
            points[part] = (finite(vectors[rows[part]]) - self.mean) @ self.directions
        return points


def principal_of(vectors: np.ndarray, rows: np.ndarray, components: int = COMPONENTS) -> Principal:
    """The first principal components of standardised features, from at most 5,000 of the rows.

    Args:
        vectors: `(images, features)` float16.
        rows: `(rows,)` int, at least one.
        components: how many at most; there are no more than features, nor than rows.

    Raises:
        ValueError: there is no row.
    """
    from threadpoolctl import threadpool_limits

    if not len(rows):
        raise ValueError("rows must name at least one image, received none")
    sample = finite(vectors[np.sort(rows[spread(len(rows), SAMPLE)])])
    mean, deviation = sample.mean(axis=0), np.maximum(sample.std(axis=0), SMALLEST_DEVIATION)
    sample = (sample - mean) / deviation
    with threadpool_limits(1):
        # Eigenvectors of the covariance, or of the products between images where these are fewer.
        if len(sample) < sample.shape[1]:
            values, own = np.linalg.eigh(sample @ sample.T)
            directions = sample.T @ own / np.sqrt(np.maximum(values, 1e-12))
        else:
            values, directions = np.linalg.eigh(sample.T @ sample)
    kept = np.argsort(-values)[: min(components, len(values))]
    directions = directions[:, kept]
    # Which way a direction points is by chance of the library: the largest entry is made positive.
    signs = np.sign(directions[np.abs(directions).argmax(axis=0), np.arange(directions.shape[1])])
    directions = directions * np.where(signs == 0, 1, signs)
    return Principal(mean, (directions / deviation[:, np.newaxis]).astype(np.float32))
