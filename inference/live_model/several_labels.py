"""What a live model learns from, and guesses, where an image has none to many labels."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from datasets.models import Annotation, Dataset, Image
from datasets.selectors import is_labelled
from inference.embeddings.embedders import ProjectEmbedder
from inference.embeddings.stores import halves_of
from inference.live_model.label_sets import LabelSets
from inference.live_model.limits import CHUNK, MOST_LABELLED
from projects.models import Project
from storage.stored_keys import stored_rows, written
from vision.analysis.feature_store import FeatureStore, Lookup
from vision.analysis.live_labels import (
    HeldOutLabels,
    LabelsHead,
    calibrated,
    fit_labels,
    held_out_labels,
    is_learnable,
)
from vision.analysis.selection import decision_uncertainty


@dataclass(frozen=True)
class SeveralLabels:
    """Labelled images that have features, as `fitting.Labelled`.

    Attributes:
        ids: `(images, 2)` uint64, of all labelled images: those without features too, and those of which suggestions
            still wait, which teach nothing.
        is_learned: bool, of the same: from which of them it learns.
        rows: `(images,)` int, where the features of those are that it learns from.
        truth: `(images, labels)` bool, of the same; an image that was looked at and has no label has none.
        names: keys of the labels, as they are written.
        groups: `(images,)` int; images of one video, or of one group, have one number.
    """

    ids: np.ndarray
    is_learned: np.ndarray
    rows: np.ndarray
    truth: np.ndarray
    names: list[str]
    groups: np.ndarray

    @property
    def is_enough(self) -> bool:
        return is_learnable(self.truth)

    @property
    def images(self) -> int:
        return len(self.rows)

    @property
    def images_by_label(self) -> list[int]:
        return self.truth.sum(axis=0).tolist()

    def signature(self, embedder: ProjectEmbedder, store: FeatureStore, every: np.ndarray) -> str:
        said = hashlib.sha256(f"several {embedder.name} {store.count} {' '.join(self.names)}".encode())
        for part in (every, self.ids, self.rows, np.packbits(self.truth)):
            said.update(np.ascontiguousarray(part).tobytes())
        return said.hexdigest()

    def fit(self, store: FeatureStore) -> tuple[LabelsHead, HeldOutLabels | None]:
        vectors, (mean, deviation) = store.vectors(), store.statistics()
        order = np.argsort(self.rows, kind="stable")  # the disk is read in one direction
        features, truth = np.asarray(vectors[self.rows[order]], np.float32), self.truth[order]
        tried = held_out_labels(features, truth, mean, deviation, self.groups[order])
        return calibrated(fit_labels(features, truth, mean, deviation), tried), tried

    def guess(self, every: np.ndarray, store: FeatureStore, lookup: Lookup, head: LabelsHead) -> Any:
        """Ids, the most likely label, confidence, margin and labels of all images that have features and that nobody
        has labelled, the most confident first."""
        open_ids = every[Lookup(self.ids).rows_of(every) < 0]
        rows = lookup.rows_of(open_ids)
        open_ids, rows = open_ids[rows >= 0], rows[rows >= 0]
        vectors, chances = store.vectors(), np.zeros((len(rows), len(self.names)), np.float32)
        for start in range(0, len(rows), CHUNK):
            part = slice(start, start + CHUNK)
            chances[part] = head.probabilities(np.asarray(vectors[rows[part]], np.float32))
        is_present = chances >= head.thresholds
        # As they are answered: a filter by confidence keeps what people read.
        confidences = np.round(head.confidence(chances), 4).astype(np.float32)
        margins = (1 - decision_uncertainty(chances, head.thresholds)).astype(np.float32)
        order = np.argsort(-confidences, kind="stable")
        likeliest = chances.argmax(axis=1).astype(np.uint16)
        sets = LabelSets.of(chances, is_present).take(order)
        return open_ids[order], likeliest[order], confidences[order], margins[order], sets


def images_with_several(
    project: Project, lookup: Lookup, *, dataset: Dataset | None = None, most: int = MOST_LABELLED
) -> SeveralLabels:
    """The newest labelled images of a project, or of one of its datasets. One with labels counts as having just these,
    one without any as having none; one on which suggestions wait that nobody has looked at as a whole teaches nothing,
    as in snapshots."""
    among = {"dataset__project": project} if dataset is None else {"dataset": dataset}
    labelled = Image.objects.filter(is_labelled(), **among).order_by("-pk")
    fields = ("pk", "reviewed", "suggestion_count", "group", "video")
    images = stored_rows(labelled.values_list(*fields)[:most])
    ids = halves_of(image for image, *_ in images)
    rows = lookup.rows_of(ids)
    carrying = _carrying(project)
    is_learned = np.array(
        [
            row >= 0 and (not waiting or (bool(reviewed) and image in carrying))
            for (image, reviewed, waiting, *_), row in zip(images, rows.tolist(), strict=True)
        ],
        bool,
    )
    learned = [image for image, is_one in zip(images, is_learned.tolist(), strict=True) if is_one]
    used = dict.fromkeys(
        (order, written(label), label) for image, *_ in learned for label, order in carrying.get(image, ())
    )
    names = sorted(used)
    place_of = {label: place for place, (_, _, label) in enumerate(names)}
    truth = np.zeros((len(learned), len(names)), bool)
    for has, (image, *_) in zip(truth, learned, strict=True):
        has[[place_of[label] for label, _ in carrying.get(image, ())]] = True
    groups = np.unique([group or str(video or image) for image, _, _, group, video in learned], return_inverse=True)[1]
    return SeveralLabels(ids, is_learned, rows[is_learned], truth, [name for _, name, _ in names], groups)


def _carrying(project: Project) -> dict[Any, list[tuple[Any, int]]]:
    """The confirmed labels of each image that has some, with the places of these among the labels."""
    rows = Annotation.objects.filter(confirmed=True, image__dataset__project=project).order_by("pk")
    carrying: dict[Any, list[tuple[Any, int]]] = {}
    for image, label, order in stored_rows(rows.values_list("image", "label", "label__order")):
        carrying.setdefault(image, []).append((label, order))
    return carrying
