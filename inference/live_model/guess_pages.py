"""Guesses of a live model, a page of them, in the order that people ask for."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import numpy as np

from common.errors import NotFound
from datasets.models import Dataset, Image, Label
from datasets.selectors import labels_of
from inference.embeddings.stores import ids_in, uuids_of
from inference.live_model.files import Guesses, read_guesses
from inference.live_model.label_sets import LabelSets
from inference.live_model.reading import open_rows
from projects.models import Project
from projects.pagination import decode_cursor, encode_cursor
from vision.analysis.feature_store import Lookup, ids_of

MOST_GUESSES = 200
LEAST_CONFIDENT, MOST_CONFIDENT = "least_confident", "most_confident"
ORDERS = (MOST_CONFIDENT, LEAST_CONFIDENT)
# Some may have been labelled since the last fit: so many more are looked at for a page at a time, and so many at most.
SPARE, MOST_LOOKED_AT = 200, 2000
# Confidences are written with four digits.
UNITS = 10_000


@dataclass(frozen=True)
class GuessPage:
    """Some guesses.

    Attributes:
        count: so many there are with these filters.
        results: rows with `image`, `label`, `labels` and `confidence`.
        cursor: where the next page begins; None behind the last one. Pages before that may be short.
    """

    version: int
    count: int
    results: list[dict]
    cursor: str | None = None


def guesses_of(
    project: Project,
    *,
    label: Label | None = None,
    is_empty: bool = False,
    dataset: Dataset | None = None,
    image: Image | None = None,
    order: str = MOST_CONFIDENT,
    min_confidence: float = 0.0,
    max_confidence: float = 1.0,
    limit: int = 60,
    offset: int = 0,
    cursor: str | None = None,
) -> GuessPage:
    """Guesses of images that nobody has labelled, a page of them.

    Args:
        is_empty: only those of images on which it sees none of the labels.
        cursor: of the page before. Unlike an offset it leaves nothing out where guesses before it are gone.

    Raises:
        NotFound: it is no cursor.
    """
    place = _place_of(cursor)
    guesses = read_guesses(project)
    if guesses is None:
        return GuessPage(0, 0, [])
    rows = _chosen(project, guesses, label, is_empty, dataset, min_confidence, max_confidence)
    if image is not None:
        rows = rows[(guesses.ids[rows] == ids_of([image.pk])).all(axis=1)]
    if order == LEAST_CONFIDENT:
        rows = rows[::-1]
    count, rows = len(rows), rows[offset:]
    if place is not None:
        rows = rows[_is_behind(guesses, rows, *place, order=order)]
    results, looked_at = _results(project, guesses, rows, limit)
    following = _cursor_at(guesses, rows[looked_at - 1]) if looked_at < len(rows) else None
    return GuessPage(guesses.state.version, count, results, following)


def _results(project: Project, guesses: Guesses, rows: np.ndarray, limit: int) -> tuple[list[dict], int]:
    """Those of the images that still have no label, and how many rows were looked at for them."""
    results: list[dict] = []
    sets, looked_at = guesses.sets, 0
    while looked_at < min(len(rows), MOST_LOOKED_AT) and len(results) < limit:
        part = rows[looked_at : looked_at + limit + SPARE]
        keys = uuids_of(guesses.ids[part])
        images = {row["id"]: row for row in open_rows(project, keys)}
        for key, row in zip(keys, part.tolist(), strict=True):
            if len(results) == limit:
                break
            looked_at += 1
            if str(key) in images:
                results.append({"image": images[str(key)], **_said(guesses, sets, row)})
    return results, looked_at


def _said(guesses: Guesses, sets: LabelSets, row: int) -> dict:
    names = guesses.state.labels
    labels = [{"label": names[place], "confidence": round(chance, 4)} for place, chance in sets.at(row)]
    confidence = round(float(guesses.confidences[row]), 4)
    return {"label": names[guesses.labels[row]], "labels": labels, "confidence": confidence}


def _chosen(
    project: Project,
    guesses: Guesses,
    label: Label | None,
    is_empty: bool,
    dataset: Dataset | None,
    least: float,
    most: float,
) -> np.ndarray:
    """`(images,)` int: rows of the guesses, the most confident first, without labels that were deleted since."""
    sets, names = guesses.sets, guesses.state.labels
    known = {str(pk) for pk in labels_of(project).values_list("pk", flat=True)}
    shown = _units(guesses.confidences) / UNITS
    keep = (shown >= least) & (shown <= most) & ~sets.have(np.array([name not in known for name in names], bool))
    if label is not None:
        keep &= sets.have(np.array([name == str(label.pk) for name in names], bool))
    if is_empty:
        keep &= sets.are_empty
    rows = np.flatnonzero(keep)
    if dataset is not None:
        rows = rows[Lookup(ids_in(dataset.project, dataset.pk)).rows_of(guesses.ids[rows]) >= 0]
    return rows


def _is_behind(guesses: Guesses, rows: np.ndarray, units: int, key: uuid.UUID, *, order: str) -> np.ndarray:
    """`(rows,)` bool: which come after a guess of this confidence for this image, whether that is there still or not.
    Of equal confidence images are in the order of their ids, and turned round with the least confident first."""
    own = _units(guesses.confidences[rows])
    high, low = guesses.ids[rows].astype(np.uint64).T
    own_high, own_low = ids_of([key]).astype(np.uint64)[0]
    if order == LEAST_CONFIDENT:
        return (own > units) | ((own == units) & ((high < own_high) | ((high == own_high) & (low < own_low))))
    return (own < units) | ((own == units) & ((high > own_high) | ((high == own_high) & (low > own_low))))


def _units(confidences: np.ndarray) -> np.ndarray:
    return np.rint(confidences.astype(np.float64) * UNITS).astype(np.int64)


def _cursor_at(guesses: Guesses, row: int) -> str:
    (key,) = uuids_of(guesses.ids[row : row + 1])
    return encode_cursor(str(key), int(_units(guesses.confidences[row : row + 1])[0]))


def _place_of(cursor: str | None) -> tuple[int, uuid.UUID] | None:
    place = decode_cursor(cursor)
    if place is None:
        return None
    try:
        units = place["value"]
        if type(units) is not int or not 0 <= units <= UNITS:
            raise ValueError("no confidence")
        return units, uuid.UUID(place["id"])
    except ValueError as error:
        raise NotFound("Invalid cursor.") from error
