"""Doubtful labels and outliers of a dataset by the features of its images: no model was trained for it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from datasets.grouping import Candidate, group_images
from datasets.models import Annotation, Dataset, Image, Label
from inference.embeddings.embedders import embedder_for
from inference.embeddings.stores import halves_of, ids_in, store_of, uuids_of
from inference.feature_map.making import TooFewFeatures
from inference.labeling.label_doubts import issues_of
from inference.live_model.several_labels import images_with_several
from inference.models import LabelIssue
from projects.models import Task
from storage.stored_keys import stored_rows
from vision.analysis.feature_store import Lookup, OpenedStore
from vision.analysis.label_doubts import out_of_fold_labels
from vision.analysis.label_issues import find_label_issues
from vision.analysis.out_of_fold import out_of_fold_probabilities
from vision.analysis.outliers import NO_LABEL, find_outliers
from vision.analysis.principal import principal_of

FEWEST_IMAGES = 20
# Labels that are put into order, as by a model; outliers are looked for among as many images.
MOST_IMAGES = 50_000
# The outliers that are kept: all that are called so up to the most, and the next ones up to the fewest.
MOST_OUTLIERS, FEWEST_OUTLIERS = 1000, 50


@dataclass(frozen=True)
class Compared:
    """Images of a dataset that have features.

    Attributes:
        ids: `(images, 2)` uint64.
        rows: `(images,)` int, where the features of each are.
        labels: `(images,)` int, places in `names`; -1: no label, or a project of boxes.
        groups: `(images,)` int; near-duplicates, and images of one group or video, have one number.
    """

    store: OpenedStore
    ids: np.ndarray
    rows: np.ndarray
    labels: np.ndarray
    names: list[str]
    groups: np.ndarray


def images_with_features(dataset: Dataset) -> tuple[OpenedStore, np.ndarray, np.ndarray]:
    """Where the features of its images are, their ids, and their rows there.

    Raises:
        NoEmbedder
        TooFewFeatures
    """
    kept = store_of(dataset.project, embedder_for(dataset.project))
    store = None if kept is None else kept.opened()
    ids = ids_in(dataset.project, dataset.pk)
    rows = np.zeros(0, np.int64) if store is None else store.rows_of(ids)
    ids, rows = ids[: len(rows)][rows >= 0], rows[rows >= 0]
    if store is None or len(rows) < FEWEST_IMAGES:
        raise TooFewFeatures(
            f"It needs at least {FEWEST_IMAGES} images of the dataset that were compared with each other. Add images, "
            "or ask again when more of them are ready."
        )
    return store, ids, rows


def compared_images(dataset: Dataset) -> Compared:
    """At most 50,000 images, those with labels before the others. Raises what `images_with_features` does."""
    store, ids, rows = images_with_features(dataset)
    names, labels = _labels_of(dataset, ids)
    order = np.argsort(labels == NO_LABEL, kind="stable")[:MOST_IMAGES]
    ids, rows, labels = ids[order], rows[order], labels[order]
    return Compared(store, ids, rows, labels, names, _groups_of(dataset, ids))


def issues_by_features(dataset: Dataset) -> list[LabelIssue]:
    """Labels that the live head would not give, the least believed first; then images unlike all others.

    Raises:
        NoEmbedder
        TooFewFeatures
    """
    images = compared_images(dataset)
    has_several = dataset.project.kind is Task.MULTILABEL
    of_labels = _label_doubts(dataset, images.store) if has_several else _label_issues(images)
    return [*of_labels, *_outliers(images)]


def _label_issues(images: Compared) -> list[LabelIssue]:
    """By confident learning, as a model's, on what a head says that saw neither the image nor its near-duplicates."""
    labelled = np.flatnonzero(images.labels != NO_LABEL)
    labels, count = images.labels[labelled], len(images.names)
    if len(np.unique(labels)) < 2:
        return []
    probabilities = out_of_fold_probabilities(
        images.store.vectors,
        images.rows[labelled],
        labels,
        count,
        *images.store.statistics(),
        images.groups[labelled],
    )
    was_held_out = probabilities.any(axis=1)
    labelled, labels, probabilities = labelled[was_held_out], labels[was_held_out], probabilities[was_held_out]
    if not len(labels):
        return []
    issues = find_label_issues(probabilities, labels)
    keys = uuids_of(images.ids[labelled])
    return [
        LabelIssue(
            image_id=keys[index],
            kind=LabelIssue.Kind.LABEL,
            label=images.names[labels[index]],
            suggested=images.names[issues.suggested[index]],
            quality=float(issues.quality[index]),
            suggested_score=max(0.0, float(issues.suggested_score[index])),
            is_issue=bool(issues.is_issue[index]),
        )
        for index in issues.order.tolist()
    ]


def _label_doubts(dataset: Dataset, store: OpenedStore) -> list[LabelIssue]:
    """The same where an image has none to many labels: those that look wrong, and those that seem to be missing."""
    labelled = images_with_several(dataset.project, Lookup(store.ids), dataset=dataset, most=MOST_IMAGES)
    if not labelled.is_enough:
        return []
    ids = labelled.ids[labelled.is_learned]
    groups = np.unique(_groups_of(dataset, ids), return_inverse=True)[1]
    named = {str(pk): name for pk, name in Label.objects.filter(project=dataset.project).values_list("pk", "name")}
    names = [named.get(key, "") for key in labelled.names]
    probabilities = out_of_fold_labels(store.vectors, labelled.rows, labelled.truth, *store.statistics(), groups)
    return issues_of(uuids_of(ids), names, probabilities, labelled.truth)


def _outliers(images: Compared) -> list[LabelIssue]:
    vectors = images.store.vectors
    points = principal_of(vectors, images.rows).of(vectors, images.rows)
    outliers = find_outliers(points, images.labels)
    count = min(MOST_OUTLIERS, max(FEWEST_OUTLIERS, int(outliers.is_outlier.sum())))
    order = np.argsort(-outliers.score, kind="stable")[:count]
    keys = uuids_of(images.ids[order])
    return [
        LabelIssue(
            image_id=key,
            kind=LabelIssue.Kind.OUTLIER,
            label="" if images.labels[index] == NO_LABEL else images.names[images.labels[index]],
            quality=min(1.0, 1 / float(outliers.ratio[index])),
            suggested_score=None,
            is_issue=bool(outliers.is_outlier[index]),
        )
        for key, index in zip(keys, order.tolist(), strict=True)
        if outliers.score[index] > 0
    ]


def _labels_of(dataset: Dataset, ids: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Names of the labels in use, and the place of each image's label among them."""
    places = np.full(len(ids), NO_LABEL)
    if dataset.project.task != Task.CLASSIFICATION:
        return [], places
    rows = Annotation.objects.filter(confirmed=True, image__dataset=dataset).order_by("-pk")
    found = stored_rows(rows.values_list("image", "label__name"))
    at = Lookup(ids).rows_of(halves_of(image for image, _ in found))
    used = Counter(name for (_, name), row in zip(found, at.tolist(), strict=True) if row >= 0)
    names = sorted(used)
    place_of = {name: place for place, name in enumerate(names)}
    for (_, name), row in zip(found, at.tolist(), strict=True):
        if row >= 0:
            places[row] = place_of[name]
    return names, places


def _groups_of(dataset: Dataset, ids: np.ndarray) -> np.ndarray:
    """`(images,)` int: as splits see them, frames of a video together."""
    fields = ("pk", "phash", "group", "video", "filename")
    found = stored_rows(Image.objects.filter(dataset=dataset).values_list(*fields))
    at = Lookup(ids).rows_of(halves_of(key for key, *_ in found))
    candidates = [Candidate(key="", phash="0" * 64, label="")] * len(ids)
    for (key, phash, group, video, filename), row in zip(found, at.tolist(), strict=True):
        if row >= 0:
            together = group or (f"video {video}" if video else "")
            candidates[row] = Candidate(key=str(key), phash=phash, label="", group=together, name=filename)
    return group_images(candidates).roots
