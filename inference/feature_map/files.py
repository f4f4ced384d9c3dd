"""The map of a project's images as one file beside their features: replaced whole, so that a reader never sees half."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inference.embeddings.embedders import ProjectEmbedder
from inference.embeddings.stores import folder_of
from projects.models import Project
from vision.analysis.array_files import UNREADABLE, read_arrays
from vision.analysis.feature_map import Layout
from vision.analysis.principal import Principal


@dataclass(frozen=True)
class FeatureMap:
    """Where the images are.

    Attributes:
        ids: `(images, 2)` uint64, see `FeatureStore.ids`.
        positions: `(images, 2)` uint16, x and y from the left upper corner.
        made_at: when it was laid out, ISO 8601.
        laid_out: how many images it had then; those behind came later.
        store_count: features that there were when images were placed last.
    """

    ids: np.ndarray
    positions: np.ndarray
    made_at: str
    laid_out: int
    store_count: int


def write_map(project: Project, embedder: ProjectEmbedder, feature_map: FeatureMap, layout: Layout) -> None:
    path = _path(project, embedder)
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_name(f"{path.name}.{os.getpid()}")
    with open(written, "wb") as file:
        np.savez(
            file,
            ids=feature_map.ids,
            positions=feature_map.positions,
            made_at=np.array(feature_map.made_at),
            counts=np.array([feature_map.laid_out, feature_map.store_count]),
            mean=layout.principal.mean,
            directions=layout.principal.directions,
            points=layout.points,
            landmarks=layout.positions,
        )
    os.replace(written, path)


def read_map(project: Project, embedder: ProjectEmbedder) -> FeatureMap | None:
    """None before the first one, and when its file is damaged."""
    with contextlib.suppress(*UNREADABLE):
        content = read_arrays(_path(project, embedder), "ids", "positions", "made_at", "counts")
        ids, positions = content["ids"], content["positions"]
        laid_out, store_count = content["counts"].tolist()
        if ids.shape == positions.shape == (len(ids), 2) and ids.dtype.kind == positions.dtype.kind == "u":
            return FeatureMap(ids, positions, str(content["made_at"]), laid_out, store_count)
    return None


def read_layout(project: Project, embedder: ProjectEmbedder) -> Layout | None:
    """What later images are placed by; None where there is no map."""
    with contextlib.suppress(*UNREADABLE):
        content = read_arrays(_path(project, embedder), "mean", "directions", "points", "landmarks")
        principal = Principal(content["mean"], content["directions"])
        layout = Layout(principal, content["points"], content["landmarks"])
        if _fits_together(layout):
            return layout
    return None


def _fits_together(layout: Layout) -> bool:
    count, components = layout.points.shape
    is_placed = count > 0 and layout.positions.shape == (count, 2)
    return is_placed and layout.principal.directions.shape == (*layout.principal.mean.shape, components)


@contextlib.contextmanager
def only_writer(project: Project) -> Iterator[None]:
    """So that a map that was made again is not replaced by the one before with some more images."""
    folder = folder_of(project)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "map.lock", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _path(project: Project, embedder: ProjectEmbedder) -> Path:
    return folder_of(project) / embedder.name / "map.npz"
