"""The images behind the figures of an evaluation, and the figures as charts."""

from __future__ import annotations

import numpy as np

from common.errors import Invalid, NotFound
from datasets.natural_order import natural_key
from inference.errors import NotEvaluated
from inference.evaluation.multilabel_rows import multilabel_answers, multilabel_images, multilabel_rows
from inference.evaluation.result_rows import (
    box_answers,
    box_images,
    box_rows,
    kept_labels,
    kept_several_labels,
    label_answers,
    label_images,
    label_rows,
    sure_boxes,
)
from inference.evaluation.shown_images import with_images
from inference.models import Evaluation
from projects.models import Task
from storage.models import Blob
from vision.analysis.charts import calibration_chart, confusion_chart, curve_chart
from vision.analysis.curves import precision_recall_curve, reliability, roc_curve
from vision.analysis.threshold_costs import threshold_costs
from vision.runtime.boxes import thresholds_of

FIGURES = ("confusion", "precision_recall", "roc", "calibration")


def list_evaluation_images(evaluation: Evaluation, options: dict, *, is_seen: bool) -> tuple[int, list[dict]]:
    """How many images of an evaluation fit the options, and those of the page, mistakes with the highest scores first.

    Args:
        is_seen: whether the user sees the project of its snapshot.

    Raises:
        NotEvaluated: it has no outcomes: a training of an earlier release made it, or it came with its model.
        Invalid: a label that the model does not have, or no label for `outcome` "cell".
    """
    blob = _outcomes_of(evaluation, options)
    if options.get("outcome") == "cell" and not {"label", "predicted"} & set(options):
        raise Invalid("A cell is named by label, predicted, or both.", attr="outcome", code="required")
    page = slice(options["offset"], options["offset"] + options["page_size"])
    task = Task(evaluation.model.task)
    if task is Task.MULTILABEL:
        found = kept_several_labels(blob)
        chosen = multilabel_images(found, options)
        return len(chosen), with_images(multilabel_rows(found, chosen[page]), evaluation.snapshot, is_seen=is_seen)
    if not task.has_boxes:
        outcomes = kept_labels(blob)
        chosen = label_images(outcomes, options)
        return len(chosen), with_images(label_rows(outcomes, chosen[page]), evaluation.snapshot, is_seen=is_seen)
    threshold = options["threshold"] if "threshold" in options else measured_thresholds(evaluation)
    sure = sure_boxes(blob, threshold)
    chosen = box_images(sure, options)
    return len(chosen), with_images(box_rows(sure, chosen[page]), evaluation.snapshot, is_seen=is_seen)


def threshold_table(evaluation: Evaluation, options: dict) -> dict:
    """What each lowest score would cost, for one label or for all together.

    Raises:
        NotEvaluated: as `list_evaluation_images`.
        Invalid: a label that the model does not have.
    """
    blob, label = _outcomes_of(evaluation, options), options.get("label")
    index = None if label is None else evaluation.model.class_names.index(label)
    task = Task(evaluation.model.task)
    if task is Task.MULTILABEL:
        answers = multilabel_answers(kept_several_labels(blob), index)
    elif task.has_boxes:
        answers = box_answers(sure_boxes(blob, 0.0), index)
    else:
        answers = label_answers(kept_labels(blob), index)
    return {"label": label, "total": answers[2], "rows": threshold_costs(*answers)}


def label_curves(evaluation: Evaluation, options: dict) -> dict:
    """Precision and recall, ROC and calibration of one label against all others, with the score of every point.

    Of a detector a box counts as right where it takes an annotated box of its label at an overlap of one half; it has
    no ROC, since nobody counts the boxes that are rightly not there.

    Raises:
        NotEvaluated: as `list_evaluation_images`.
        Invalid: a label that the model does not have.
    """
    blob, label = _outcomes_of(evaluation, options), options["label"]
    index, roc = evaluation.model.class_names.index(label), None
    task = Task(evaluation.model.task)
    if task is Task.MULTILABEL:
        scores, right, total = multilabel_answers(kept_several_labels(blob), index)
        roc = roc_curve(scores, right)
    elif task.has_boxes:
        scores, right, total = box_answers(sure_boxes(blob, 0.0), index)
    else:
        outcomes = kept_labels(blob)
        scores, right = outcomes.probabilities[:, index], outcomes.truth == index
        total, roc = int(right.sum()), roc_curve(scores, right)
    curve = precision_recall_curve(scores, right, total)
    return {"label": label, "precision_recall": curve, "roc": roc, "calibration": reliability(scores, right)}


def _outcomes_of(evaluation: Evaluation, options: dict) -> Blob:
    if evaluation.outcomes is None:
        raise NotEvaluated("Only figures were kept. POST models/MODEL/evaluations/ measures again, with images.")
    for field in ("label", "predicted", "score_of"):
        if field in options and options[field] not in evaluation.model.class_names:
            raise Invalid(f"The model has no label {options[field]!r}.", attr=field, code="unknown_label")
    return evaluation.outcomes


def measured_thresholds(evaluation: Evaluation) -> list[float]:
    """Of each label of a detector what the figures were made with; the model may have others by now."""
    measured = {row["label"]: row.get("threshold") for row in evaluation.metrics.get("per_class", ())}
    names = evaluation.model.class_names
    own = thresholds_of(evaluation.model.detector, names)
    return [limit if measured.get(name) is None else measured[name] for name, limit in zip(names, own, strict=True)]


def render_figure(evaluation: Evaluation, name: str, kind: str) -> bytes:
    """A chart of the evaluation's figures.

    Raises:
        NotFound: it does not have these figures.
    """
    is_detector = Task(evaluation.model.task).has_boxes
    names, metrics, curves = evaluation.model.class_names, evaluation.metrics, evaluation.curves
    about = _about(evaluation)
    if name == "confusion" and "confusion_matrix" in metrics:
        return confusion_chart(*_in_order(metrics["confusion_matrix"], names, is_detector), kind, about)
    if name == "precision_recall" and is_detector:
        lines = [
            (_title(row["label"], row["ap50"]), list(np.linspace(0, 1, 101)), row["precision_at_recall"])
            for row in metrics["per_class"]
            if row.get("precision_at_recall")
        ]
        axes = {"title": "Precision and recall", "x_label": "Recall", "y_label": "Precision"}
        return curve_chart(lines, kind=kind, about=about, value="label (AP50)", **axes)
    if name == "precision_recall" and "per_class" in curves:
        lines = [
            (
                _title(row["label"], row["precision_recall"]["average_precision"]),
                row["precision_recall"]["recall"],
                row["precision_recall"]["precision"],
            )
            for row in curves["per_class"]
            if row["precision_recall"]
        ]
        axes = {"title": "Precision and recall", "x_label": "Recall", "y_label": "Precision"}
        return curve_chart(lines, kind=kind, about=about, value="label (average precision)", **axes)
    if name == "roc" and "per_class" in curves:
        lines = [
            (
                _title(row["label"], row["roc"]["auc"]),
                row["roc"]["false_positive_rate"],
                row["roc"]["true_positive_rate"],
            )
            for row in curves["per_class"]
            if row["roc"]
        ]
        axes = {"title": "ROC", "x_label": "False positive rate", "y_label": "True positive rate"}
        return curve_chart(lines, kind=kind, about=about, value="label (area under it)", diagonal="up", **axes)
    if name == "calibration" and curves.get("calibration"):
        return calibration_chart(curves["calibration"], kind, about)
    raise NotFound(f"This evaluation has no chart {name!r}. POST models/MODEL/evaluations/ makes one with all of them.")


def _about(evaluation: Evaluation) -> str:
    """Which model on which images, and when."""
    count = evaluation.metrics.get("count")
    images = f"{count:,} {evaluation.split} images" if count else f"{evaluation.split} images"
    snapshot = "" if evaluation.snapshot is None else f" of snapshot {evaluation.snapshot.number}"
    return f"{evaluation.model}: {images}{snapshot}, {evaluation.created_at:%d %B %Y}"


def _in_order(matrix: list[list[int]], names: list[str], is_detector: bool) -> tuple[list[list[int]], list[str]]:
    """With the labels in natural order, and what is no box at the end."""
    order = sorted(range(len(names)), key=lambda index: natural_key(names[index]))
    shown = [names[index] for index in order]
    if is_detector:
        order, shown = [*order, len(names)], [*shown, "nothing"]
    return [[matrix[row][column] for column in order] for row in order], shown


def _title(label: str, value: float | None) -> str:
    return label if value is None else f"{label} ({value:.3f})"
