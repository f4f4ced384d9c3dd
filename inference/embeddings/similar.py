"""Images that are like one."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import numpy as np

from common.errors import Conflict
from datasets.models import Image
from inference.embeddings.embedders import embedder_for
from inference.embeddings.stores import ids_in, store_of, uuids_of
from vision.analysis.feature_store import Lookup, ids_of
from vision.analysis.nearest import most_alike

# Some of the nearest may be in the trash: so many more are looked for.
SPARE = 50


class NotEmbedded(Conflict):
    """The features of an image are not computed yet."""

    code = "not_embedded"
    detail = "This image was not compared with others yet. Ask again in some seconds."
    wait = 5


@dataclass(frozen=True)
class SimilarImage:
    """An image and how like the other it is: cosine of their features, -1 to 1."""

    image: uuid.UUID
    similarity: float


def similar_images(image: Image, *, limit: int, dataset: uuid.UUID | None = None) -> list[SimilarImage]:
    """The images of its project that are most like one, the most alike first.

    Args:
        dataset: only of this one.

    Raises:
        NoEmbedder
        NotEmbedded
    """
    embedder = embedder_for(image.project)
    kept = store_of(image.project, embedder)
    store = None if kept is None else kept.opened()
    row = -1 if store is None else int(store.rows_of(ids_of([image.pk]))[0])
    if store is None or row < 0:
        raise NotEmbedded()
    mean, _ = store.statistics()
    ids = store.ids
    # Of a small dataset beside a large one nothing may be among the nearest of all.
    among = None if dataset is None else Lookup(ids_in(image.project, dataset)).rows_of(ids) >= 0
    rows, likeness = most_alike(store.vectors, store.codes, row, limit + SPARE, mean, among)
    found = dict(zip(uuids_of(ids[rows]), np.round(likeness, 4).tolist(), strict=True))
    there = Image.objects.filter(pk__in=list(found), dataset__project=image.project)
    live = set(there.values_list("pk", flat=True))
    return [SimilarImage(pk, value) for pk, value in found.items() if pk in live][:limit]
