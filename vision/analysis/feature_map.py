"""A map of images by their features: alike ones lie near each other. Two dimensions, memory bounded.

A few thousand landmarks are laid out by t-SNE (van der Maaten 2014, Barnes-Hut; openTSNE, Poličar et al. 2024) on their
principal components; every other image is placed among the landmarks that it is most like. What comes later is placed
in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vision.analysis.neighbour_distances import nearest_among
from vision.analysis.principal import Principal, principal_of

LANDMARKS = 3000
NEIGHBOURS = 8
PERPLEXITY = 30
# Iterations: first with clusters pulled together, then without.
EARLY, LATE = 250, 500
REPORT_EVERY = 25
SEED = 0
# Coordinates are kept as 16 bits without a sign.
HIGHEST = 65_535
# The part of each edge that stays free, so that no point is cut.
MARGIN = 0.02


@dataclass(frozen=True)
class Layout:
    """What later images are placed by.

    Attributes:
        principal: how features become points.
        points: `(landmarks, components)` float32.
        positions: `(landmarks, 2)` float32, x and y of each from 0 to 1.
    """

    principal: Principal
    points: np.ndarray
    positions: np.ndarray

    def place(self, points: np.ndarray) -> np.ndarray:
        """`(images, 2)` float32 from 0 to 1: the median of the landmarks that each point is nearest to, which lies
        within one cluster where most of them do; a landmark is where it is.

        Args:
            points: `(images, components)` float32.
        """
        near, distances = nearest_among(points, self.points, NEIGHBOURS)
        placed = np.median(self.positions[near], axis=1)
        is_landmark = distances[:, 0] <= 1e-3
        placed[is_landmark] = self.positions[near[is_landmark, 0]]
        return placed.astype(np.float32)


def lay_out(
    vectors: np.ndarray,
    rows: np.ndarray,
    seed: int = SEED,
    landmarks: int = LANDMARKS,
    on_progress: Callable[[float], None] = lambda share: None,
) -> Layout:
    """Choose landmarks at random and lay them out. The same images and seed make the same layout.

    Args:
        vectors: `(images, features)` float16, perhaps on the disk.
        rows: `(rows,)` int, the images of the map.
        landmarks: how many at most.
        on_progress: told how far it is, 0 to 1; what it raises ends the work.

    Raises:
        ValueError: there is no image.
    """
    principal = principal_of(vectors, rows)
    chosen = np.random.default_rng(seed).permutation(len(rows))[:landmarks]
    points = principal.of(vectors, rows[np.sort(chosen)])
    return Layout(principal, points, _within_edges(_two_dimensions(points, seed, on_progress)))


def _two_dimensions(points: np.ndarray, seed: int, on_progress: Callable[[float], None]) -> np.ndarray:
    """`(landmarks, 2)` float: t-SNE, or the first two components where there are too few images for neighbours."""
    if len(np.unique(points, axis=0)) <= 3 * NEIGHBOURS:
        return np.pad(points, ((0, 0), (0, max(0, 2 - points.shape[1]))))[:, :2]
    from openTSNE import TSNE
    from threadpoolctl import threadpool_limits

    steps = iter(range(REPORT_EVERY, EARLY + LATE + 1, REPORT_EVERY))

    def report(*_: object) -> None:
        on_progress(next(steps, EARLY + LATE) / (EARLY + LATE))

    layout = TSNE(
        perplexity=min(PERPLEXITY, (len(points) - 1) / 3),
        early_exaggeration_iter=EARLY,
        n_iter=LATE,
        initialization="pca",
        neighbors="exact",
        negative_gradient_method="bh",
        n_jobs=1,
        random_state=seed,
        callbacks=[report],
        callbacks_every_iters=REPORT_EVERY,
    )
    with threadpool_limits(1):
        return np.asarray(layout.fit(points.astype(np.float64)))


def _within_edges(positions: np.ndarray) -> np.ndarray:
    """The same shape within 0 to 1, in the middle; the longer side fills it."""
    low, high = positions.min(axis=0), positions.max(axis=0)
    scale = (1 - 2 * MARGIN) / max(float((high - low).max()), 1e-9)
    return ((positions - (low + high) / 2) * scale + 0.5).astype(np.float32)


def to_short(positions: np.ndarray) -> np.ndarray:
    """`(images, 2)` uint16 of positions from 0 to 1."""
    return np.round(np.clip(positions, 0, 1) * HIGHEST).astype(np.uint16)
