"""Laying out the map of a project's images in the background, and placing images that come later."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from django.contrib.auth.models import User
from django.utils import timezone

from common.errors import Conflict
from inference.embeddings.embedders import ProjectEmbedder, embedder_for
from inference.embeddings.stores import ids_in, store_of
from inference.feature_map.files import FeatureMap, only_writer, read_layout, read_map, write_map
from jobs.context import JobContext
from jobs.contracts import JobParameters, JobResult
from jobs.models import Job, JobKind
from jobs.queues import queue_for
from jobs.services import enqueue_job, handles
from projects.models import Project
from vision.analysis.feature_map import Layout, lay_out, to_short
from vision.analysis.feature_store import Lookup, OpenedStore

FEWEST_IMAGES = 10
# So many are placed between two looks whether the job was cancelled.
PART = 4096


class TooFewFeatures(Conflict):
    """Too few images were compared for what is asked."""

    code = "too_few_features"
    wait = 10
    detail = (
        f"This needs at least {FEWEST_IMAGES} images that were compared with each other. Add images, or ask again when "
        "more of them are ready."
    )


@dataclass(frozen=True)
class FeatureMapParameters(JobParameters, kind=JobKind.FEATURE_MAP):
    """The map is that of the job's project."""


@dataclass(frozen=True)
class FeatureMapResult(JobResult):
    images: int


def start_map(*, project: Project, user: User) -> Job:
    """Make the job that lays out the map of a project, or lays it out again.

    Raises:
        NoEmbedder, TooFewFeatures
    """
    store = store_of(project, embedder_for(project))
    if store is None or store.count < FEWEST_IMAGES:
        raise TooFewFeatures()
    queue = queue_for(images=store.count)
    return enqueue_job(project=project, user=user, parameters=FeatureMapParameters(), queue=queue)


@handles(FeatureMapParameters)
def make_map(context: JobContext[FeatureMapParameters]) -> FeatureMapResult:
    """Lay out some thousand images of the project and place the others among them."""
    project = context.job.project
    embedder = embedder_for(project)
    kept = store_of(project, embedder)
    store = None if kept is None else kept.opened()
    rows, ids, count = _rows_of(project, store)
    if store is None or len(rows) < FEWEST_IMAGES:
        raise TooFewFeatures()
    total, half = len(rows), len(rows) // 2  # to lay out and to place are half of the work each, more or less
    context.report(0, total)
    layout = lay_out(store.vectors, rows, on_progress=lambda share: context.report(round(share * half), total))
    parts = []
    for start in range(0, len(rows), PART):
        context.report(half + start // 2, total)
        parts.append(_placed(store, rows[start : start + PART], layout))
    feature_map = FeatureMap(ids, np.concatenate(parts), timezone.now().isoformat(), len(ids), count)
    with only_writer(project):
        write_map(project, embedder, feature_map, layout)
    context.report(total, total)
    return FeatureMapResult(len(rows))


def place_new_images(project: Project, embedder: ProjectEmbedder) -> int:
    """Place images whose features came after the map among those that they are like. Returns how many."""
    kept, before = store_of(project, embedder), read_map(project, embedder)
    if kept is None or before is None or before.store_count == kept.count:
        return 0
    store = kept.opened()
    with only_writer(project):
        feature_map, layout = read_map(project, embedder), read_layout(project, embedder)
        if feature_map is None or layout is None or len(layout.principal.mean) != store.vectors.shape[1]:
            return 0
        rows, ids, count = _rows_of(project, store)
        is_new = Lookup(feature_map.ids).rows_of(ids) < 0
        positions = _placed(store, rows[is_new], layout)
        changed = replace(
            feature_map,
            ids=np.concatenate([feature_map.ids, ids[is_new]]),
            positions=np.concatenate([feature_map.positions, positions]),
            store_count=count,
        )
        write_map(project, embedder, changed, layout)
    return len(positions)


def _rows_of(project: Project, store: OpenedStore | None) -> tuple[np.ndarray, np.ndarray, int]:
    """Rows and ids of the images of a project that have features, and how many features there are."""
    ids = ids_in(project)
    if store is None:
        return np.zeros(0, np.int64), ids[:0], 0
    rows = store.rows_of(ids)
    return rows[rows >= 0], ids[rows >= 0], len(store.ids)


def _placed(store: OpenedStore, rows: np.ndarray, layout: Layout) -> np.ndarray:
    """`(rows, 2)` uint16."""
    return to_short(layout.place(layout.principal.of(store.vectors, rows)))
