"""Which images are behind a figure, and what was said of each of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TypeVar

import numpy as np

from storage import services as storage
from storage.models import Blob
from vision.analysis.box_table import BoxTable
from vision.analysis.predictions import ClassifierPredictions, MultilabelPredictions
from vision.runtime.boxes import Detections
from vision.runtime.matching import GroundTruth, boxes_taken
from vision.runtime.thresholds import Threshold

# A page asks for the same evaluation again and again. A large one is read each time: it would fill the memory.
KEPT, LARGEST_KEPT_BYTES = 3, 32 * 2**20

Results = TypeVar("Results", ClassifierPredictions, MultilabelPredictions, BoxTable)


def kept_labels(blob: Blob) -> ClassifierPredictions:
    """What a classifier said, from memory where it was asked for before."""
    return _labels_of(blob.sha256) if blob.size <= LARGEST_KEPT_BYTES else _loaded(ClassifierPredictions, blob)


def kept_several_labels(blob: Blob) -> MultilabelPredictions:
    """What a multilabel model said, from memory where it was asked for before."""
    if blob.size > LARGEST_KEPT_BYTES:
        return _loaded(MultilabelPredictions, blob)
    return _several_labels_of(blob.sha256)


def kept_boxes(blob: Blob) -> BoxTable:
    """What a detector said, from memory where it was asked for before."""
    return _boxes_of(blob.sha256) if blob.size <= LARGEST_KEPT_BYTES else _loaded(BoxTable, blob)


def sure_boxes(blob: Blob, threshold: Threshold) -> BoxTable:
    """Without the boxes below the threshold; with its matches, which take longest, from memory where it can be."""
    if blob.size > LARGEST_KEPT_BYTES:
        return kept_boxes(blob).sure(threshold)
    limits = threshold if isinstance(threshold, float) else tuple(np.asarray(threshold, float).tolist())
    return _sure_of(blob.sha256, limits)


def _loaded(kind: type[Results], blob: Blob) -> Results:
    with storage.pinned(blob) as path:
        return kind.load(path)


@lru_cache(maxsize=KEPT)
def _labels_of(sha256: str) -> ClassifierPredictions:
    return _loaded(ClassifierPredictions, Blob.objects.get(sha256=sha256))


@lru_cache(maxsize=KEPT)
def _several_labels_of(sha256: str) -> MultilabelPredictions:
    return _loaded(MultilabelPredictions, Blob.objects.get(sha256=sha256))


@lru_cache(maxsize=KEPT)
def _boxes_of(sha256: str) -> BoxTable:
    return _loaded(BoxTable, Blob.objects.get(sha256=sha256))


@lru_cache(maxsize=2 * KEPT)
def _sure_of(sha256: str, limits: float | tuple[float, ...]) -> BoxTable:
    return _boxes_of(sha256).sure(limits)


def label_images(predictions: ClassifierPredictions, options: dict) -> np.ndarray:
    """`(images,)` int: indexes of the images that fit, the wrong ones first, by descending score.

    With `score_of` scores are those of this label, and an image is right where it shows the label.
    """
    predicted, rows = predictions.predicted, np.arange(len(predictions.keys))
    scores, right = predictions.probabilities[rows, predicted], predicted == predictions.truth
    if "score_of" in options:
        of = predictions.class_names.index(options["score_of"])
        scores, right = predictions.probabilities[:, of], predictions.truth == of
    keep = _in_range(scores, options)
    for field, column in (("label", predictions.truth), ("predicted", predicted)):
        if field in options:
            keep &= column == predictions.class_names.index(options[field])
    outcome = options.get("outcome")
    if outcome == "right":
        keep &= right
    elif outcome not in (None, "cell"):
        keep &= ~right
    order = np.lexsort((-scores, right))
    return order[keep[order]]


def label_rows(predictions: ClassifierPredictions, images: np.ndarray) -> list[dict]:
    rows = []
    for index in images.tolist():
        truth, said = int(predictions.truth[index]), int(predictions.probabilities[index].argmax())
        score, own = (round(float(predictions.probabilities[index, label]), 6) for label in (said, truth))
        names = {"label": predictions.class_names[truth], "predicted": predictions.class_names[said]}
        rows.append({"image": predictions.keys[index], **names, "score": score, "label_score": own})
    return rows


def label_answers(predictions: ClassifierPredictions, label: int | None) -> tuple[np.ndarray, np.ndarray, int]:
    """Scores of the answers (that name the label), whether they are right, and how many images have it."""
    predicted = predictions.predicted
    mine = _is(predicted, label)
    scores = predictions.probabilities[np.arange(len(predictions.keys)), predicted]
    return scores[mine], (predicted == predictions.truth)[mine], int(_is(predictions.truth, label).sum())


def box_answers(table: BoxTable, label: int | None) -> tuple[np.ndarray, np.ndarray, int]:
    """The same of the boxes that were found."""
    mine = _is(table.labels, label)
    return table.scores[mine], (table.hits >= 0)[mine], int(_is(table.true_labels, label).sum())


def box_images(table: BoxTable, options: dict) -> np.ndarray:
    """`(images,)` int: indexes of the images that fit, those with the most false alarms and misses first."""
    label, predicted = (
        table.class_names.index(options[name]) if name in options else None for name in ("label", "predicted")
    )
    if "score_of" in options:
        mine = table.labels == table.class_names.index(options["score_of"])
        keep = table.per_image(table.image[mine & _in_range(table.scores, options)]) > 0
    else:
        keep = _in_range(table.best, options)
    outcome = options.get("outcome")
    if outcome == "cell":
        keep &= _cell(table, label, predicted) > 0
    else:
        keep &= _with_outcome(table, outcome, label, predicted)
        if label is not None:
            keep &= table.per_image(table.true_image[table.true_labels == label]) > 0
        if predicted is not None:
            keep &= table.per_image(table.image[table.labels == predicted]) > 0
    order = np.argsort(-table.errors, kind="stable")
    return order[keep[order]]


def _with_outcome(table: BoxTable, outcome: str | None, label: int | None, predicted: int | None) -> np.ndarray:
    """`(images,)` bool. A miss is one of the label, a false alarm one of the predicted label, where they are named."""
    if outcome == "miss":
        mine = table.missed & _is(table.true_labels, label)
        return table.per_image(table.true_image[mine]) > 0
    if outcome == "false_positive":
        return table.per_image(table.image[(table.hits < 0) & _is(table.labels, predicted)]) > 0
    if outcome is None:
        return np.ones(len(table.keys), bool)
    return table.errors == 0 if outcome == "right" else table.errors > 0


def _cell(table: BoxTable, label: int | None, predicted: int | None) -> np.ndarray:
    """`(images,)` int: how many boxes of each image a cell of the confusion matrix counts. Without `label` those that
    were found where nothing is annotated, without `predicted` those where nothing was found."""
    if predicted is None:
        return table.per_image(table.true_image[table.free(table.pairs) & (table.true_labels == label)])
    if label is None:
        return table.per_image(table.image[(table.pairs < 0) & (table.labels == predicted)])
    mine = (table.pairs >= 0) & (table.labels == predicted)
    mine[mine] = table.true_labels[table.pairs[mine]] == label
    return table.per_image(table.image[mine])


def box_rows(table: BoxTable, images: np.ndarray) -> list[dict]:
    rows = []
    for index in images.tolist():
        truth, detections = table.of_image(index)
        true, boxes = table.rows_of(index)
        hits, misses = int((table.hits[boxes] >= 0).sum()), int(table.missed[true].sum())
        counts = {"hits": hits, "false_positives": len(detections.scores) - hits, "misses": misses}
        marks = list(_marks(truth, detections, table.class_names))
        rows.append({"image": truth.id, **counts, "score": round(float(table.best[index]), 6), "boxes": marks})
    return rows


def _in_range(scores: np.ndarray, options: dict) -> np.ndarray:
    return (scores >= options.get("min_score", 0.0)) & (scores <= options.get("max_score", 1.0))


def _is(labels: np.ndarray, label: int | None) -> np.ndarray:
    return np.ones(len(labels), bool) if label is None else labels == label


def _marks(truth: GroundTruth, kept: Detections, names: list[str]) -> Iterator[dict]:
    """What was found, by descending score, and what was missed."""
    taken = boxes_taken(truth, kept)
    for index in np.argsort(-kept.scores, kind="stable"):
        box, other = kept.boxes[index], int(taken[index])
        yield {
            "match": "false_positive" if other < 0 else "hit",
            "label": names[int(kept.labels[index])],
            "score": round(float(kept.scores[index]), 6),
            "box": _rounded(box),
            "annotation": None if other < 0 else _rounded(truth.boxes[other]),
        }
    for index in sorted(set(range(len(truth.boxes))) - set(taken.tolist())):
        box = _rounded(truth.boxes[index])
        yield {
            "match": "miss",
            "label": names[int(truth.labels[index])],
            "score": None,
            "box": None,
            "annotation": box,
        }


def _rounded(box: np.ndarray) -> list[float]:
    return [round(float(edge), 2) for edge in box]
