"""The live model of boxes: what people marked teaches a head, which says again what each suggestion shows."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from dataclasses import asdict, dataclass, replace

import numpy as np
import structlog
from django.utils import timezone

from inference.embeddings.embedders import ProjectEmbedder
from inference.embeddings.stores import LIVE, boxes_of, folder_of
from inference.live_model.box_features import BACKGROUND, MarkedBox, features_of
from inference.live_model.files import fits_together
from projects.live import announce
from projects.models import Project
from vision.analysis.array_files import UNREADABLE, read_arrays
from vision.analysis.feature_store import FeatureStore, ids_of
from vision.analysis.live_head import LiveHead, fit_head, held_out

log = structlog.get_logger(__name__)

FILE = "boxes.npz"
FEWEST_BOXES = 4
CHUNK = 4096


@dataclass(frozen=True)
class BoxState:
    """How the live model of boxes stands.

    Attributes:
        labels: ids of the labels that it knows; the background comes after them.
        boxes_by_label: confirmed boxes that it was fitted on, likewise, without the background.
        signature: of the boxes; the same means that nothing is to be done.
        held_out, right: boxes it was tried on without having seen them, background among them; how many were right.
    """

    version: int
    fitted_at: str
    embedder: str
    labels: list[str]
    boxes_by_label: list[int]
    background: int
    held_out: int
    right: int
    suggestions: int
    seconds: float
    signature: str


@dataclass(frozen=True)
class BoxGuesses:
    """What it says of each suggestion.

    Attributes:
        ids: `(suggestions, 2)` uint64 of annotations.
        labels: `(suggestions,)` uint16, places in `state.labels`.
        confidences: `(suggestions,)` float32: that the box shows a thing of this label.
    """

    state: BoxState
    ids: np.ndarray
    labels: np.ndarray
    confidences: np.ndarray


def fit_boxes(project: Project, embedder: ProjectEmbedder, every: list[MarkedBox]) -> BoxGuesses | None:
    """Fit it on the confirmed boxes and guess what the suggestions show. None where there is too little to learn from:
    boxes and background."""
    started = time.monotonic()
    store, signature = boxes_of(project, embedder), _signature(embedder, every)
    before = read_box_guesses(project)
    if before is not None and before.state.signature == signature:
        return before
    learned = _learnable(store, [marked for marked in every if marked.annotation is None]) if store else None
    if store is None or learned is None:
        remove_box_guesses(project)
        return None
    boxes, rows, names = learned
    places = {label: place for place, label in enumerate(names)}
    labels = np.array([places[marked.label] for marked in boxes], np.int64)
    groups = np.unique([str(marked.image) for marked in boxes], return_inverse=True)[1]
    vectors, (mean, deviation) = store.vectors(), store.statistics()
    features = np.asarray(vectors[rows], np.float32)
    tried = held_out(features, labels, len(names), mean, deviation, groups)
    head = fit_head(features, labels, len(names), mean, deviation)
    if tried is not None:
        head = replace(head, temperature=tried.temperature)
    waiting, waiting_rows = features_of(store, [marked for marked in every if marked.annotation is not None])
    things = _probabilities(head, vectors, waiting_rows)[:, :-1]  # the last one is the background
    counts = np.bincount(labels, minlength=len(names)).tolist()
    state = BoxState(
        version=1 if before is None else before.state.version + 1,
        fitted_at=timezone.now().isoformat(),
        embedder=embedder.title,
        labels=names[:-1],
        boxes_by_label=counts[:-1],
        background=counts[-1],
        held_out=0 if tried is None else tried.images,
        right=0 if tried is None else tried.right,
        suggestions=len(waiting),
        seconds=round(time.monotonic() - started, 3),
        signature=signature,
    )
    guesses = BoxGuesses(
        state,
        ids_of([marked.annotation for marked in waiting if marked.annotation is not None]),
        things.argmax(axis=1).astype(np.uint16),
        np.round(things.max(axis=1, initial=0.0), 4),
    )
    _write(project, guesses)
    announce_boxes(project, state)
    log.info("live_boxes_fitted", project=str(project.pk), boxes=len(boxes), seconds=state.seconds)
    return guesses


def _probabilities(head: LiveHead, vectors: np.ndarray, rows: np.ndarray) -> np.ndarray:
    parts = [
        head.probabilities(np.asarray(vectors[rows[start : start + CHUNK]], np.float32))
        for start in range(0, len(rows), CHUNK)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, len(head.bias)), np.float32)


def _learnable(store: FeatureStore, boxes: list[MarkedBox]) -> tuple[list[MarkedBox], np.ndarray, list[str]] | None:
    """Boxes with features, their rows in rising order, and the labels that occur, the background last."""
    found, rows = features_of(store, boxes)
    names = sorted({marked.label for marked in found} - {BACKGROUND})
    background = sum(marked.label == BACKGROUND for marked in found)
    if not names or not background or len(found) - background < FEWEST_BOXES:
        return None
    order = np.argsort(rows, kind="stable")
    return [found[place] for place in order.tolist()], rows[order], [*names, BACKGROUND]


def _signature(embedder: ProjectEmbedder, every: list[MarkedBox]) -> str:
    digest = hashlib.sha256(embedder.name.encode())
    for marked in every:
        digest.update(f"{marked.key} {marked.label} {marked.annotation}".encode())
    return digest.hexdigest()


def announce_boxes(project: Project, state: BoxState) -> None:
    """Tell the members that there is something new to read of the live model."""
    announce(
        project=project.pk,
        kind="live_model",
        version=state.version,
        labelled=sum(state.boxes_by_label),
        guesses=state.suggestions,
        accuracy=round(state.right / state.held_out, 4) if state.held_out else None,
    )


def _write(project: Project, guesses: BoxGuesses) -> None:
    path = folder_of(project) / LIVE / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_name(f"{path.name}.{os.getpid()}")
    with open(written, "wb") as file:
        state = np.array(json.dumps(asdict(guesses.state)))
        np.savez(file, state=state, ids=guesses.ids, labels=guesses.labels, confidences=guesses.confidences)
    os.replace(written, path)


def read_box_guesses(project: Project) -> BoxGuesses | None:
    """None before the first fit, and where there is too little to learn from."""
    with contextlib.suppress(*UNREADABLE):
        content = read_arrays(folder_of(project) / LIVE / FILE)
        state = BoxState(**json.loads(str(content["state"])))
        guesses = BoxGuesses(state, content["ids"], content["labels"], content["confidences"])
        if fits_together(guesses.ids, guesses.labels, guesses.confidences, labels=state.labels):
            return guesses
    return None


def remove_box_guesses(project: Project) -> None:
    (folder_of(project) / LIVE / FILE).unlink(missing_ok=True)
