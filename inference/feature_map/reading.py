"""What people read of the map: how it stands, and the points that a filter leaves."""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db.models import Q, QuerySet

from datasets.gallery.selection import Selection, images_in
from datasets.models import Annotation, Dataset, ImageLabel
from inference.embeddings.embedders import NoEmbedder, embedder_for
from inference.embeddings.stores import embedded_in, halves_of, ids_in, store_of
from inference.feature_map.files import read_map
from inference.feature_map.making import FEWEST_IMAGES
from projects.models import Project
from storage.stored_keys import stored_rows, written
from vision.analysis.feature_store import Lookup

NO_LABEL = 65_535
NOT_YET = {
    "no_images": "Add images first.",
    "embedding": "The images are being compared with each other in the background.",
    "too_few_images": f"A map needs at least {FEWEST_IMAGES} images.",
    "not_made": "The images are ready: the map can be made.",
}


@dataclass(frozen=True)
class MapStatus:
    """How the map of a project stands.

    Attributes:
        code: why there is none, "" where there is one.
        images: of the project; `embedded` of them can be compared.
        mapped: images that are on it; `placed_later` of them came after it was laid out.
    """

    code: str
    detail: str
    images: int
    embedded: int
    made_at: datetime | None = None
    mapped: int = 0
    placed_later: int = 0


def map_status(project: Project) -> MapStatus:
    images = sum(Dataset.objects.filter(project=project).values_list("image_count", flat=True))
    if not images:
        return MapStatus("no_images", NOT_YET["no_images"], 0, 0)
    try:
        embedder = embedder_for(project)
    except NoEmbedder as missing:
        return MapStatus(missing.code, str(missing), images, 0)
    store = store_of(project, embedder)
    embedded = embedded_in(project, store, images)
    feature_map = read_map(project, embedder)
    if feature_map is not None:
        is_there = Lookup(ids_in(project)).rows_of(feature_map.ids) >= 0
        later = int(is_there[feature_map.laid_out :].sum())
        made_at = datetime.fromisoformat(feature_map.made_at)
        return MapStatus("", "", images, embedded, made_at, int(is_there.sum()), later)
    code = "not_made" if embedded >= FEWEST_IMAGES else "embedding" if embedded < images else "too_few_images"
    return MapStatus(code, NOT_YET[code], images, embedded)


def map_points(project: Project, selection: Selection) -> dict[str, Any]:
    """The images of the map that a filter leaves, as bytes in base64: 22 of each image before that.

    Returns:
        `count`; `ids`, 16 bytes each; `positions`, x and y as little-endian uint16; `places`, of each image's label in
        `labels`, little-endian uint16, 65535 where it has none. An image with boxes of several labels has one of them.
    """
    nothing = {"count": 0, "ids": "", "positions": "", "places": "", "labels": []}
    try:
        feature_map = read_map(project, embedder_for(project))
    except NoEmbedder:
        return nothing
    if feature_map is None:
        return nothing
    ids = halves_of(key for (key,) in stored_rows(images_in(selection).order_by().values_list("pk")))
    rows = Lookup(feature_map.ids).rows_of(ids)
    ids, rows = ids[rows >= 0], rows[rows >= 0]
    places, labels = _labels_of(project, ids)
    return {
        "count": len(ids),
        "ids": _text(ids.astype(">u8")),
        "positions": _text(feature_map.positions[rows].astype("<u2")),
        "places": _text(places.astype("<u2")),
        "labels": [uuid.UUID(label) for label in labels],
    }


def _labels_of(project: Project, ids: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """`(images,)` int places of their labels, and the labels in their order."""
    of_project = Q(image__dataset__project=project)
    rows: QuerySet[Any] = ImageLabel.objects.filter(of_project)
    if project.kind.has_single_labels:
        rows = Annotation.objects.filter(of_project, confirmed=True)
    found = stored_rows(rows.order_by("label__order", "label").values_list("image", "label"))
    names = list(dict.fromkeys(label for _, label in found))[:NO_LABEL]
    place_of = {label: place for place, label in enumerate(names)}
    places = np.full(len(ids), NO_LABEL)
    at = Lookup(ids).rows_of(halves_of(image for image, _ in found))
    own = np.array([place_of.get(label, NO_LABEL) for _, label in found], np.int64)
    places[at[at >= 0]] = own[at >= 0]
    return places, [written(label) for label in names]


def _text(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()
