"""What follows from a fit, and takes longer: which images to label next, and how much more labels are worth."""

from __future__ import annotations

import numpy as np

from inference.embeddings.embedders import ProjectEmbedder
from inference.embeddings.stores import ids_in, store_of
from inference.live_model.files import Guesses, read_curve, write_curve, write_order
from inference.live_model.fitting import labelled_ids, labelled_images
from projects.models import Project
from vision.analysis.embedding import project as to_unit
from vision.analysis.feature_store import Lookup
from vision.analysis.learning_curve import MOST_IMAGES, learning_curve
from vision.analysis.selection import labeling_order

CANDIDATES = 20_000
ORDERED = 200
SEED = 0
# The curve is measured again when there are so many more labelled images, or fewer.
CHANGED = 1.1


def order_images(project: Project, embedder: ProjectEmbedder, guesses: Guesses | None) -> None:
    """Keep which images to label next: those the live model is unsure of, unlike each other. Without one, images that
    together show most of what there is (greedy k-centers)."""
    store = store_of(project, embedder)
    if store is None or not store.count:
        return
    if guesses is None:
        every = ids_in(project)
        ids = every[Lookup(labelled_ids(project)).rows_of(every) < 0]
        worth = np.ones(len(ids))
    else:
        ids, worth = guesses.ids, 1.0 - guesses.margins.astype(np.float64)
    rows = store.rows_of(ids)
    ids, rows, worth = ids[rows >= 0], rows[rows >= 0], worth[rows >= 0]
    chosen = _candidates(worth, is_cold=guesses is None)
    codes = to_unit(np.asarray(store.codes()[np.sort(rows[chosen])], np.float32)) if len(chosen) else np.zeros((0, 1))
    by_row = chosen[np.argsort(rows[chosen], kind="stable")]
    order = labeling_order(worth[by_row], codes, ranked=ORDERED)[:ORDERED] if len(by_row) else by_row
    write_order(project, ids[by_row[order]])


def _candidates(worth: np.ndarray, *, is_cold: bool) -> np.ndarray:
    if len(worth) <= CANDIDATES:
        return np.arange(len(worth))
    if is_cold:
        return np.random.default_rng(SEED).permutation(len(worth))[:CANDIDATES]
    return np.argsort(-worth, kind="stable")[:CANDIDATES]


def measure_curve(project: Project, embedder: ProjectEmbedder) -> bool:
    """Measure the learning curve again where the labelled images have become more, or fewer. Whether it did."""
    store = store_of(project, embedder)
    if store is None or not store.count:
        return False
    labelled = labelled_images(project, Lookup(store.ids()))
    before, _ = read_curve(project)
    count = len(labelled.rows)
    if len(labelled.names) < 2 or (before and before / CHANGED < count < before * CHANGED):
        return False
    chosen = np.sort(np.random.default_rng(SEED).permutation(count)[:MOST_IMAGES])
    order = chosen[np.argsort(labelled.rows[chosen], kind="stable")]
    features = np.asarray(store.vectors()[labelled.rows[order]], np.float32)
    names, groups = len(labelled.names), labelled.groups[order]
    curve = learning_curve(features, labelled.labels[order], names, *store.statistics(), groups)
    write_curve(project, count, curve)
    return True
