"""Near-duplicates by features, for the reports and splits of datasets."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import numpy as np

from inference.embeddings.embedders import NoEmbedder, embedder_for
from inference.embeddings.stores import store_of
from projects.models import Project
from vision.analysis.feature_pairs import near_pairs
from vision.analysis.feature_store import ids_of


def pairs_by_features(project: Project, keys: Sequence[uuid.UUID]) -> tuple[tuple[np.ndarray, np.ndarray], int]:
    """Places of near-duplicates among the images, and how many of these have no features yet."""
    none = np.zeros(0, np.int64)
    try:
        kept = store_of(project, embedder_for(project))
    except NoEmbedder:
        kept = None
    if kept is None or not keys:
        return (none, none), len(keys)
    store = kept.opened()
    rows = store.rows_of(ids_of(keys))
    there = np.flatnonzero(rows >= 0)
    pairs = near_pairs(store.vectors, store.codes, rows[there])
    return (there[pairs.starts], there[pairs.ends]), len(keys) - len(there)
