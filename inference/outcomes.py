"""The images behind the figures of an evaluation, and the figures as pictures."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from rest_framework.exceptions import NotFound, ValidationError

from inference.analysis.outcomes import BoxOutcomes, LabelOutcomes
from inference.analysis.plots import calibration_picture, confusion_picture, curve_picture
from inference.errors import NotEvaluated
from inference.evaluations import outcomes_of
from inference.models import Evaluation
from inference.runtime.boxes import Detections, thresholds_of
from inference.runtime.detection_metrics import Threshold, Truth, boxes_taken, hits_of, sure_of
from inference.shown_images import with_images
from projects.models import Task

PICTURES = ("confusion", "precision_recall", "roc", "calibration")


def images_behind(evaluation: Evaluation, wishes: dict, *, is_seen: bool) -> tuple[int, list[dict]]:
    """How many images of an evaluation fit the wishes, and those of the page, the surest mistakes first.

    Args:
        is_seen: whether the user sees the project of its snapshot.

    Raises:
        NotEvaluated: it has no outcomes: a training of an earlier release made it, or it came with its model.
        ValidationError: a label that the model does not have.
    """
    if evaluation.outcomes is None:
        raise NotEvaluated("Only figures were kept. POST models/MODEL/evaluations/ measures again, with images.")
    names = evaluation.model.class_names
    for field in ("label", "predicted"):
        if field in wishes and wishes[field] not in names:
            raise ValidationError({field: [f"The model has no label {wishes[field]!r}."]}, code="unknown_label")
    found = outcomes_of(evaluation)
    page = slice(wishes["offset"], wishes["offset"] + wishes["page_size"])
    if isinstance(found, LabelOutcomes):
        rows = list(_labels(found, wishes))
        return len(rows), with_images(rows[page], evaluation.snapshot, is_seen=is_seen)
    threshold = wishes.get("threshold", thresholds_of(evaluation.model.detector, found.class_names))
    rows = list(_boxes(found, wishes, threshold))
    shown = {row["image"] for row in rows[page]}
    marks = {
        truth.id: list(_marks(truth, sure_of(one, threshold), found.class_names))
        for truth, one in zip(found.truths, found.found, strict=True)
        if truth.id in shown
    }
    found_rows = [row | {"boxes": marks[row["image"]]} for row in rows[page]]
    return len(rows), with_images(found_rows, evaluation.snapshot, is_seen=is_seen)


def _marks(truth: Truth, kept: Detections, names: list[str]) -> Iterator[dict]:
    """What was found, the surest first, and what was missed."""
    taken = boxes_taken(truth, kept)
    for index in np.argsort(-kept.scores, kind="stable"):
        box, other = kept.boxes[index], int(taken[index])
        yield {
            "match": "false_positive" if other < 0 else "hit", "label": names[int(kept.labels[index])],
            "score": round(float(kept.scores[index]), 6), "box": _rounded(box),
            "annotation": None if other < 0 else _rounded(truth.boxes[other]),
        }  # fmt: skip
    for index in sorted(set(range(len(truth.boxes))) - set(taken.tolist())):
        box = _rounded(truth.boxes[index])
        yield {
            "match": "miss", "label": names[int(truth.labels[index])], "score": None, "box": None, "annotation": box,
        }  # fmt: skip


def _rounded(box: np.ndarray) -> list[float]:
    return [round(float(edge), 2) for edge in box]


def _labels(found: LabelOutcomes, wishes: dict) -> Iterator[dict]:
    predicted = found.predicted
    rows = np.arange(len(found.keys))
    scores, own = found.probabilities[rows, predicted], found.probabilities[rows, found.truth]
    right = predicted == found.truth
    keep = np.ones(len(rows), bool)
    for field, column in (("label", found.truth), ("predicted", predicted)):
        if field in wishes:
            keep &= column == found.class_names.index(wishes[field])
    if wishes.get("outcome") == "right":
        keep &= right
    elif wishes.get("outcome"):
        keep &= ~right
    keep &= (scores >= wishes.get("min_score", 0.0)) & (scores <= wishes.get("max_score", 1.0))
    for index in sorted(np.flatnonzero(keep).tolist(), key=lambda index: (bool(right[index]), -scores[index])):
        yield {
            "image": found.keys[index], "label": found.class_names[found.truth[index]],
            "predicted": found.class_names[predicted[index]], "score": round(float(scores[index]), 6),
            "label_score": round(float(own[index]), 6),
        }  # fmt: skip


def _boxes(found: BoxOutcomes, wishes: dict, threshold: Threshold) -> Iterator[dict]:
    rows = []
    names = found.class_names
    for truth, one in zip(found.truths, found.found, strict=True):
        kept = sure_of(one, threshold)
        best = float(kept.scores.max()) if len(kept.scores) else 0.0
        hits = hits_of(truth, kept)
        wrong, missed = int((~hits).sum()), len(truth.boxes) - int(hits.sum())
        if "label" in wishes and names.index(wishes["label"]) not in truth.labels:
            continue
        if "predicted" in wishes and names.index(wishes["predicted"]) not in kept.labels:
            continue
        fits = {
            None: True, "right": not wrong and not missed, "wrong": bool(wrong or missed),
            "false_positive": bool(wrong), "miss": bool(missed),
        }[wishes.get("outcome")]  # fmt: skip
        if fits and wishes.get("min_score", 0.0) <= best <= wishes.get("max_score", 1.0):
            rows.append(
                {"image": truth.id, "hits": int(hits.sum()), "false_positives": wrong, "misses": missed,
                 "score": round(best, 6)}
            )  # fmt: skip
    rows.sort(key=lambda row: -(row["false_positives"] + row["misses"]))
    yield from rows


def picture_of(evaluation: Evaluation, name: str, kind: str) -> bytes:
    """A picture of the evaluation's figures.

    Raises:
        NotFound: it does not have these figures.
    """
    is_detector = evaluation.model.task == Task.DETECTION
    names, metrics, curves = evaluation.model.class_names, evaluation.metrics, evaluation.curves
    if name == "confusion" and "confusion_matrix" in metrics:
        return confusion_picture(metrics["confusion_matrix"], [*names, "nothing"] if is_detector else names, kind)
    if name == "precision_recall" and is_detector:
        lines = [
            (_title(row["label"], row["ap50"]), list(np.linspace(0, 1, 101)), row["precision_at_recall"])
            for row in metrics["per_class"]
            if row.get("precision_at_recall")
        ]
        return curve_picture(lines, x_label="Recall", y_label="Precision", kind=kind)
    if name == "precision_recall" and "per_class" in curves:
        lines = [
            (_title(row["label"], row["precision_recall"]["average_precision"]), row["precision_recall"]["recall"],
             row["precision_recall"]["precision"])
            for row in curves["per_class"]
            if row["precision_recall"]
        ]  # fmt: skip
        return curve_picture(lines, x_label="Recall", y_label="Precision", kind=kind)
    if name == "roc" and "per_class" in curves:
        lines = [
            (_title(row["label"], row["roc"]["auc"]), row["roc"]["false_positive_rate"],
             row["roc"]["true_positive_rate"])
            for row in curves["per_class"]
            if row["roc"]
        ]  # fmt: skip
        return curve_picture(
            lines, x_label="False positive rate", y_label="True positive rate", kind=kind, diagonal="up"
        )
    if name == "calibration" and curves.get("calibration"):
        return calibration_picture(curves["calibration"], kind)
    raise NotFound(f"This evaluation has no chart {name!r}. POST models/MODEL/evaluations/ makes one with all of them.")


def _title(label: str, value: float | None) -> str:
    return label if value is None else f"{label} ({value:.3f})"
