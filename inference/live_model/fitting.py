"""Fitting the live model of a project on what is labelled now, and guessing the labels of all other images."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import structlog
from django.utils import timezone

from datasets.models import Annotation, Image
from datasets.selectors import is_labelled
from inference.embeddings.embedders import ProjectEmbedder
from inference.embeddings.stores import halves_of, ids_in, store_of
from inference.live_model.files import Guesses, LiveState, read_guesses, remove_guesses, write_guesses
from inference.live_model.label_sets import LabelSets
from inference.live_model.limits import CHUNK, MOST_LABELLED
from inference.live_model.several_labels import images_with_several
from projects.live import announce
from projects.models import Project
from storage.stored_keys import stored_rows, written
from vision.analysis.feature_store import FeatureStore, Lookup
from vision.analysis.live_head import HeldOut, LiveHead, fit_head, held_out
from vision.analysis.selection import margin_uncertainty

log = structlog.get_logger(__name__)

KIND = "live_model"


# Ids, labels, confidences, margins and sets of labels, as `Guesses` has them.
Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, LabelSets | None]


@dataclass(frozen=True)
class Labelled:
    """Labelled images that have features.

    Attributes:
        ids: `(images, 2)` uint64, of all labelled images, with features or without.
        rows: `(images,)` int, where the features of those that have some are.
        labels: `(images,)` int, places in `names`.
        names: keys of the labels, as they are written.
        groups: `(images,)` int; images of one video, or of one group, have one number.
    """

    ids: np.ndarray
    rows: np.ndarray
    labels: np.ndarray
    names: list[str]
    groups: np.ndarray

    @property
    def is_enough(self) -> bool:
        return len(self.names) > 1

    @property
    def images(self) -> None:
        """Each counts for its label, see `LiveState.images`."""

    @property
    def images_by_label(self) -> list[int]:
        return np.bincount(self.labels, minlength=len(self.names)).tolist()

    def fit(self, store: FeatureStore) -> tuple[LiveHead, HeldOut | None]:
        return _fit(store, self)

    def guess(self, every: np.ndarray, store: FeatureStore, lookup: Lookup, head: LiveHead) -> Columns:
        return (*_guess(every, store, lookup, self, head), None)

    def signature(self, embedder: ProjectEmbedder, store: FeatureStore, every: np.ndarray) -> str:
        said = hashlib.sha256(f"{embedder.name} {store.count} {' '.join(self.names)}".encode())
        for part in (every, self.ids, self.rows, self.labels):
            said.update(np.ascontiguousarray(part).tobytes())
        return said.hexdigest()


def fit_live_model(project: Project, embedder: ProjectEmbedder) -> Guesses | None:
    """Fit it again where anything has changed. None where nothing can be guessed: fewer than two labels are in use, or
    where images have several, no label tells two images apart."""
    started = time.monotonic()
    store = store_of(project, embedder)
    if project.kind.has_boxes or store is None or not store.count:
        _end(project)
        return None
    lookup = Lookup(store.ids())
    labelled: Any = (labelled_images if project.kind.has_single_labels else images_with_several)(project, lookup)
    if not labelled.is_enough:
        _end(project)
        return None
    before, every = read_guesses(project), ids_in(project)
    signature = labelled.signature(embedder, store, every)
    if before is not None and before.state.signature == signature:
        return before
    head, tried = labelled.fit(store)
    guessed = labelled.guess(every, store, lookup, head)
    state = LiveState(
        version=1 if before is None else before.state.version + 1,
        fitted_at=timezone.now().isoformat(),
        embedder=embedder.title,
        labels=labelled.names,
        images_by_label=labelled.images_by_label,
        held_out=0 if tried is None else tried.images,
        right=0 if tried is None else tried.right,
        temperature=head.temperature,
        guesses=len(guessed[0]),
        seconds=round(time.monotonic() - started, 3),
        signature=signature,
        held_out_by_label=[] if tried is None else list(tried.images_by_label),
        right_by_label=[] if tried is None else list(tried.right_by_label),
        images=labelled.images,
    )
    guesses = Guesses(state, *guessed)
    write_guesses(project, guesses)
    announce_guesses(project)
    log.info("live_model_fitted", project=str(project.pk), images=len(labelled.rows), seconds=state.seconds)
    return guesses


def _end(project: Project) -> None:
    """Nothing can be guessed any more."""
    if remove_guesses(project):
        announce(project=project.pk, kind=KIND, version=0, labelled=0, guesses=0, accuracy=None)


def announce_guesses(project: Project) -> None:
    """Tell the members that there is something new to read of the live model."""
    guesses = read_guesses(project)
    if guesses is None:
        return
    state = guesses.state
    announce(
        project=project.pk,
        kind=KIND,
        version=state.version,
        labelled=state.labelled,
        guesses=state.guesses,
        accuracy=state.accuracy,
    )


def labelled_ids(project: Project) -> np.ndarray:
    """`(images, 2)` uint64: all images with a confirmed label, or looked at and empty where that says something."""
    rows = Image.objects.filter(is_labelled(), dataset__project=project).order_by("pk")
    return halves_of(image for (image,) in stored_rows(rows.values_list("pk")))


def labelled_images(project: Project, lookup: Lookup) -> Labelled:
    rows = Annotation.objects.filter(confirmed=True, image__dataset__project=project).order_by("-image", "pk")
    fields = ("image", "label", "label__order", "image__group", "image__video")
    found = stored_rows(rows.values_list(*fields)[:MOST_LABELLED])
    orders = {label: (order, written(label)) for _, label, order, _, _ in found}
    keys = sorted(orders, key=orders.__getitem__)
    places = {key: place for place, key in enumerate(keys)}
    ids = halves_of(image for image, *_ in found)
    stored = lookup.rows_of(ids)
    has_features = stored >= 0
    labels = np.array([places[label] for _, label, *_ in found], np.int64)
    groups = np.unique([group or str(video or image) for image, _, _, group, video in found], return_inverse=True)[1]
    used = Counter(labels[has_features].tolist())
    kept = [place for place in range(len(keys)) if used[place]]  # a label none of whose images has features yet waits
    renumbered = np.full(len(keys) + 1, -1)
    renumbered[kept] = range(len(kept))
    return Labelled(
        ids,
        stored[has_features],
        renumbered[labels[has_features]],
        [written(keys[n]) for n in kept],
        groups[has_features],
    )


def _fit(store: FeatureStore, labelled: Labelled) -> tuple[LiveHead, HeldOut | None]:
    vectors, (mean, deviation) = store.vectors(), store.statistics()
    order = np.argsort(labelled.rows, kind="stable")  # the disk is read in one direction
    features = np.asarray(vectors[labelled.rows[order]], np.float32)
    labels, groups, count = labelled.labels[order], labelled.groups[order], len(labelled.names)
    head = fit_head(features, labels, count, mean, deviation)
    tried = held_out(features, labels, count, mean, deviation, groups)
    if tried is None:
        return head, None
    return LiveHead(head.mean, head.deviation, head.weights, head.bias, tried.temperature), tried


def _guess(
    every: np.ndarray, store: FeatureStore, lookup: Lookup, labelled: Labelled, head: LiveHead
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Ids, labels, confidences and margins of all images that have features and no label, the most confident first."""
    open_ids = every[Lookup(labelled.ids).rows_of(every) < 0]
    rows = lookup.rows_of(open_ids)
    open_ids, rows = open_ids[rows >= 0], rows[rows >= 0]
    vectors = store.vectors()
    labels, confidences = np.zeros(len(rows), np.uint16), np.zeros(len(rows), np.float32)
    margins = np.zeros(len(rows), np.float32)
    for start in range(0, len(rows), CHUNK):
        part = slice(start, start + CHUNK)
        chances = head.probabilities(np.asarray(vectors[rows[part]], np.float32))
        labels[part], confidences[part] = chances.argmax(axis=1), chances.max(axis=1)
        margins[part] = 1 - margin_uncertainty(chances)
    confidences = np.round(confidences, 4)  # as they are answered: a filter by confidence keeps what people read
    order = np.argsort(-confidences, kind="stable")
    return open_ids[order], labels[order], confidences[order], margins[order]
