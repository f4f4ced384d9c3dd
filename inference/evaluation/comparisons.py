"""Models side by side on the same images, and whether the difference means anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from django.contrib.auth.models import User
from django.db.models import QuerySet

from common.errors import Invalid
from datasets.models import Snapshot
from inference.errors import NotEvaluated, NothingToCompare
from inference.evaluation.compared_labels import SeveralLabels
from inference.evaluation.evaluations import check_fits, evaluate, outcomes_of
from inference.models import Evaluation, FileKind, Model
from jobs.context import JobContext
from jobs.contracts import JobParameters, JobResult
from jobs.errors import WorkFailed
from jobs.models import Job, JobKind
from jobs.queues import queue_for
from jobs.services import enqueue_job, handles
from projects.models import Project, Task
from vision.analysis.comparison import ap50_difference, mcnemar
from vision.analysis.predictions import ClassifierPredictions, DetectorPredictions
from vision.runtime.boxes import Detections, thresholds_of
from vision.runtime.detection_metrics import worst_images
from vision.runtime.matching import GroundTruth, match

MOST_DIFFERENCES = 200

MOST_MODELS = 5


@dataclass(frozen=True)
class ComparisonParameters(JobParameters, kind=JobKind.COMPARISON):
    models: list[str]
    snapshot: str
    split: str


@dataclass(frozen=True)
class Comparison(JobResult):
    """What several models say of the same images.

    Attributes:
        images: how many have labels that all of them know.
        pairs: a test of each two of the models.
        differences: the first images on which they say different things.
    """

    snapshot: str
    split: str
    images: int
    models: list[dict]
    pairs: list[dict]
    differences: list[dict]


def start_comparison(*, models: Sequence[Model], project: Project, user: User, snapshot: Snapshot, split: str) -> Job:
    """Make the job that measures those of the models that were not yet measured there, and compares them.

    Raises:
        Invalid
    """
    check_models(models)
    for model in models:
        check_fits(model, snapshot, split)
    parameters = ComparisonParameters([str(model.pk) for model in models], str(snapshot.pk), split)
    count = snapshot.counts["splits"].get(split, 0) * len(models)
    return enqueue_job(project=project, user=user, parameters=parameters, queue=queue_for(images=count))


def check_models(models: Sequence[Model]) -> None:
    """Raises `Invalid` for fewer than two, too many, or models of different tasks."""
    if not 2 <= len(models) <= MOST_MODELS:
        raise Invalid(f"Name 2 to {MOST_MODELS} different models.", attr="ids")
    if len({model.task for model in models}) > 1:
        raise Invalid("Models for different tasks cannot be compared.", attr="ids")


@handles(ComparisonParameters)
def run_comparison(context: JobContext[ComparisonParameters]) -> Comparison:
    parameters = context.parameters
    snapshot = Snapshot.objects.filter(pk=parameters.snapshot).first()
    by_pk = {str(model.pk): model for model in Model.objects.select_related("project").filter(pk__in=parameters.models)}
    if snapshot is None or len(by_pk) < len(parameters.models):
        raise WorkFailed("comparison_without_object", "A model or the snapshot was deleted meanwhile.")
    models = [by_pk[pk] for pk in parameters.models]
    for model in models:
        if latest_evaluation(model, snapshot, parameters.split) is None:
            context.log(f"Measuring {model}")
            evaluate(context, model, snapshot, parameters.split)
    return compare(models=models, snapshot=snapshot, split=parameters.split)


def latest_evaluation(model: Model, snapshot: Snapshot, split: str) -> Evaluation | None:
    """With outcomes, by the file that serves."""
    measured = Evaluation.objects.filter(
        model=model, snapshot=snapshot, split=split, outcomes__isnull=False, file_kind=FileKind.LITERT_FLOAT32
    )
    return measured.select_related("model", "outcomes").order_by("-id").first()


def common_snapshot(models: Sequence[Model], split: str, among: QuerySet[Snapshot]) -> Snapshot:
    """The newest of these snapshots on which all of them were measured. Raises `NotEvaluated`."""
    shared = among
    for model in models:
        measured = Evaluation.objects.filter(
            model=model, split=split, outcomes__isnull=False, file_kind=FileKind.LITERT_FLOAT32
        )
        shared = shared.filter(pk__in=measured.values("snapshot"))
    snapshot = shared.order_by("-id").first()
    if snapshot is None:
        raise NotEvaluated()
    return snapshot


def compare(*, models: Sequence[Model], snapshot: Snapshot, split: str) -> Comparison:
    """The models' figures on the images that all of them were measured on, and a test of each pair.

    Raises:
        NotEvaluated: a model was not measured there.
        NothingToCompare: no image has labels that all of them know.
    """
    latest = [latest_evaluation(model, snapshot, split) for model in models]
    evaluations = [evaluation for evaluation in latest if evaluation is not None]
    if len(evaluations) < len(latest):
        raise NotEvaluated()
    measured = [outcomes_of(evaluation) for evaluation in evaluations]
    keys = common_keys([outcomes.keys for outcomes in measured])
    if not keys:
        raise NothingToCompare()
    common = _compared(models, measured, keys)
    return Comparison(
        snapshot=str(snapshot.pk),
        split=split,
        images=len(keys),
        models=[
            {
                "id": str(model.pk),
                "name": model.name,
                "version": model.version,
                "evaluation": str(evaluation.pk),
                "left_out": len(outcomes.keys) - len(keys),
                **common.figures(index),
            }
            for index, (model, evaluation, outcomes) in enumerate(zip(models, evaluations, measured, strict=True))
        ],
        pairs=[
            {"first": str(models[first].pk), "second": str(models[second].pk), **common.test(first, second)}
            for first, second in combinations(range(len(models)), 2)
        ],
        differences=common.differences()[:MOST_DIFFERENCES],
    )


def _compared(models: Sequence[Model], measured: Sequence, keys: list[str]) -> _Labels | SeveralLabels | _Boxes:
    task = Task(models[0].task)
    if task is Task.MULTILABEL:
        return SeveralLabels(measured, [_rows_of(outcomes.keys, keys) for outcomes in measured], keys)
    return _Boxes(models, measured, keys) if task.has_boxes else _Labels(models, measured, keys)


def common_keys(keys: Sequence[Sequence[str]]) -> list[str]:
    """Those that are in all, in the order of the first."""
    others = [set(keys_of_model) for keys_of_model in keys[1:]]
    return [key for key in keys[0] if all(key in names for names in others)]


def _rows_of(every: Sequence[str], keys: Sequence[str]) -> list[int]:
    """Where each of the keys is."""
    row_of = {key: row for row, key in enumerate(every)}
    return [row_of[key] for key in keys]


class _Labels:
    """Classifiers on the same images; each with its own labels."""

    def __init__(self, models: Sequence[Model], predictions: Sequence[ClassifierPredictions], keys: list[str]) -> None:
        self._keys = keys
        self._rows = [_rows_of(outcomes.keys, keys) for outcomes in predictions]
        self._predictions = predictions
        self._truth = [predictions[0].class_names[predictions[0].truth[row]] for row in self._rows[0]]
        self._said = [
            [outcomes.class_names[label] for label in outcomes.predicted[rows]]
            for outcomes, rows in zip(predictions, self._rows, strict=True)
        ]
        self._right = [
            np.array([said == truth for said, truth in zip(names, self._truth, strict=True)], bool)
            for names in self._said
        ]

    def figures(self, index: int) -> dict:
        from vision.runtime.metrics import wilson_interval

        right, count = int(self._right[index].sum()), len(self._keys)
        labels = sorted(set(self._truth))
        return {
            "accuracy": right / count if count else 0.0,
            "accuracy_interval": list(wilson_interval(right, count)),
            "recall_by_label": {
                label: float(self._right[index][[truth == label for truth in self._truth]].mean()) for label in labels
            },
        }

    def test(self, first: int, second: int) -> dict:
        return {"test": "mcnemar_exact", **mcnemar(self._right[first], self._right[second])}

    def differences(self) -> list[dict]:
        """Images on which the models say different things: first where one is right, then by score."""
        rows = []
        for position, key in enumerate(self._keys):
            said = [names[position] for names in self._said]
            if len(set(said)) > 1:
                scores = [
                    float(outcomes.probabilities[rows_[position]].max())
                    for outcomes, rows_ in zip(self._predictions, self._rows, strict=True)
                ]
                answers = [
                    {"label": label, "score": round(score, 4)} for label, score in zip(said, scores, strict=True)
                ]
                rows.append({"image": key, "label": self._truth[position], "answers": answers})
        rows.sort(
            key=lambda row: (
                all(answer["label"] != row["label"] for answer in row["answers"]),
                -max(answer["score"] for answer in row["answers"]),
            )
        )
        return rows


class _Boxes:
    """Detectors on the same images, with the labels that occur in any of them."""

    def __init__(self, models: Sequence[Model], predictions: Sequence[DetectorPredictions], keys: list[str]) -> None:
        self._names = list(dict.fromkeys(name for outcomes in predictions for name in outcomes.class_names))
        self._common = [model.detector["score_threshold"] for model in models]
        self._thresholds = [thresholds_of(model.detector, self._names) for model in models]
        self._keys = keys
        self._truths: list[list[GroundTruth]] = []
        self._boxes: list[list[Detections]] = []
        for outcomes in predictions:
            index = np.array([self._names.index(name) for name in outcomes.class_names], int)
            row_of = {key: row for row, key in enumerate(outcomes.keys)}
            truths = [outcomes.truths[row_of[key]] for key in keys]
            boxes = [outcomes.found[row_of[key]] for key in keys]
            self._truths.append([GroundTruth(t.id, t.boxes, index[t.labels.astype(int)]) for t in truths])
            self._boxes.append([Detections(b.boxes, b.scores, index[b.labels.astype(int)]) for b in boxes])
        self._matches = [
            match(truths, boxes, len(self._names)) for truths, boxes in zip(self._truths, self._boxes, strict=True)
        ]

    def figures(self, index: int) -> dict:
        from vision.runtime.detection_metrics import detection_metrics

        metrics = detection_metrics(
            self._truths[index], self._boxes[index], self._names, self._common[index], self._thresholds[index]
        )
        names = ("ap", "ap50", "ap50_interval", "precision", "recall", "threshold")
        per_label = {row["label"]: row["ap50"] for row in metrics["per_class"]}
        return {**{name: metrics[name] for name in names}, "ap50_by_label": per_label}

    def test(self, first: int, second: int) -> dict:
        return {"test": "paired_bootstrap_ap50", **ap50_difference(self._matches[first], self._matches[second])}

    def differences(self) -> list[dict]:
        """Images on which the models make different numbers of mistakes, the largest difference first."""
        mistakes = []
        for truths, boxes, threshold in zip(self._truths, self._boxes, self._thresholds, strict=True):
            mistakes.append({row["image"]: row for row in worst_images(truths, boxes, threshold, limit=len(truths))})
        rows = []
        for key in self._keys:
            answers = [
                {name: counts.get(key, {}).get(name, 0) for name in ("false_positives", "misses")}
                for counts in mistakes
            ]
            totals = [sum(answer.values()) for answer in answers]
            if len(set(totals)) > 1:
                rows.append((max(totals) - min(totals), {"image": key, "answers": answers}))
        return [row for _, row in sorted(rows, key=lambda pair: -pair[0])]
