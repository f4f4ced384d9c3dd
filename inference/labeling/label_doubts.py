"""Labels of a dataset that are probably wrong or missing, where an image has none to many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

import numpy as np

from datasets.grouping import Candidate, group_images
from datasets.models import Image
from inference.labeling.features import embedder_of
from inference.models import LabelIssue, Model
from inference.serving.prediction import load_runtime, preprocessor_for
from jobs.errors import WorkFailed
from storage import services as storage
from vision.analysis.label_doubts import find_label_doubts, out_of_fold_labels
from vision.analysis.label_issues import DIMENSIONS
from vision.analysis.live_labels import is_learnable
from vision.imaging.preprocessing import ImageError, open_image
from vision.runtime.interpreters import LiteRTClassifier


def doubts_by_model(model: Model, images: Iterable[Image]) -> list[LabelIssue]:
    """By confident learning, on what a head says that saw neither the image nor its near-duplicates, from the features
    of a model. They may be of a network that was trained on these very labels, and agree
    with their mistakes more than they should."""
    embedder, runtime = embedder_of(model, DIMENSIONS), load_runtime(model, LiteRTClassifier)
    to_pixels = preprocessor_for(model)
    keys, sets, features, looks = [], [], [], []
    for image in images:
        annotations = list(image.annotations.all())
        if not image.reviewed and not all(annotation.confirmed for annotation in annotations):
            continue  # nobody has looked at it as a whole
        try:
            with storage.opened(image.blob) as file, open_image(file) as opened:
                pixels = to_pixels(opened, runtime.image_size)
        except ImageError:
            continue
        keys.append(image.pk)
        sets.append({annotation.label.name for annotation in annotations if annotation.confirmed})
        features.append(runtime.predict(pixels) if embedder is None else embedder.run(pixels))
        looks.append(Candidate(key=str(image.pk), phash=image.phash, label="", group=image.group, name=image.filename))
    names = sorted(set().union(*sets))
    truth = np.array([[name in own for name in names] for own in sets], bool).reshape(len(sets), len(names))
    if not is_learnable(truth):
        raise WorkFailed("one_label", "All images carry the same labels: there is nothing to tell them from.")
    vectors = np.stack(features).astype(np.float32)
    statistics = vectors.mean(axis=0), vectors.std(axis=0)
    rows = np.arange(len(vectors))
    probabilities = out_of_fold_labels(vectors, rows, truth, *statistics, _groups_of(looks))
    return issues_of(keys, names, probabilities, truth)


def issues_of(
    keys: Sequence[UUID], names: Sequence[str], probabilities: np.ndarray, truth: np.ndarray
) -> list[LabelIssue]:
    """Rows of what is doubted, the least believed first: labels that look wrong, and labels that seem to be missing."""
    doubts = find_label_doubts(probabilities, truth)
    rows = []
    for image, label, quality, is_issue in zip(
        doubts.images.tolist(), doubts.labels.tolist(), doubts.quality.tolist(), doubts.is_issue.tolist(), strict=True
    ):
        is_there = bool(truth[image, label])
        rows.append(
            LabelIssue(
                image_id=keys[image],
                kind=LabelIssue.Kind.WRONG if is_there else LabelIssue.Kind.MISSING,
                label=names[label] if is_there else "",
                suggested="" if is_there else names[label],
                quality=quality,
                suggested_score=None if is_there else 1 - quality,
                is_issue=is_issue,
            )
        )
    return rows


def _groups_of(candidates: Iterable[Candidate]) -> np.ndarray:
    """`(images,)` int: near-duplicates, and images of one group or video, have one number."""
    return np.unique(group_images(list(candidates)).roots, return_inverse=True)[1]
