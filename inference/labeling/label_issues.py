"""Labels that are probably wrong: what a model knows of a dataset, kept as rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np
from django.contrib.auth.models import User
from django.db.models import QuerySet

from common.errors import Invalid
from datasets.grouping import Candidate, group_images
from datasets.models import Dataset, Image
from datasets.selectors import is_labelled
from inference.labeling.box_pairs import OVERLAP, box_array
from inference.labeling.datasets import REPORT_EVERY, dataset_of
from inference.labeling.feature_issues import images_with_features, issues_by_features
from inference.labeling.features import embedder_of
from inference.labeling.label_doubts import doubts_by_model
from inference.labeling.label_issue_rows import replace_label_issues
from inference.models import LabelIssue, Model
from inference.serving.job_models import get_model_or_fail
from inference.serving.prediction import LOWEST_SCORE, PredictionOptions, load_runtime, make_predictor, preprocessor_for
from jobs.context import JobContext
from jobs.contracts import JobParameters, JobResult
from jobs.errors import WorkFailed
from jobs.models import Job, JobKind
from jobs.queues import queue_for
from jobs.services import enqueue_job, handles
from projects.models import Task
from storage import services as storage
from storage.database import by_key
from vision.analysis.label_issues import DIMENSIONS as LABEL_ISSUE_DIMENSIONS
from vision.analysis.label_issues import find_label_issues, out_of_sample_probabilities
from vision.imaging.preprocessing import ImageError, open_image
from vision.runtime.boxes import iou_matrix, thresholds_of
from vision.runtime.interpreters import LiteRTClassifier

MOST_LABELLED = 50_000

FEWEST_IMAGES = 20

# A box that the model is surer of than this, where nobody drew one, was probably forgotten.
CONFIDENT_BOX_SCORE = 0.7


@dataclass(frozen=True)
class LabelIssuesParameters(JobParameters, kind=JobKind.SUSPECTS):
    """An empty model: by the features of the images alone."""

    model: str
    dataset: str


@dataclass(frozen=True)
class LabelIssuesResult(JobResult):
    """Without a model there are outliers, too."""

    model: str | None
    dataset: str
    images: int
    probably_wrong: int
    outliers: int | None = None


def start_label_issues(*, model: Model, dataset: Dataset, user: User) -> Job:
    """Make the job that looks for wrong labels. Raises `Invalid`."""
    if model.task != dataset.project.task:
        raise Invalid(f"Its project is for {dataset.project.task}, the model for {model.task}.", attr="dataset")
    if not _searched(dataset)[FEWEST_IMAGES - 1 : FEWEST_IMAGES].exists():
        raise Invalid(
            f"It needs at least {FEWEST_IMAGES} labelled images to tell what is unusual.",
            attr="dataset",
            code="too_few_images",
        )
    parameters = LabelIssuesParameters(str(model.pk), str(dataset.pk))
    queue = queue_for(images=dataset.image_count)
    return enqueue_job(project=dataset.project, user=user, parameters=parameters, queue=queue)


def start_feature_issues(*, dataset: Dataset, user: User) -> Job:
    """Make the job that looks for wrong labels and outliers by the features of the images.

    Raises:
        NoEmbedder, TooFewFeatures
    """
    images_with_features(dataset)
    parameters = LabelIssuesParameters("", str(dataset.pk))
    queue = queue_for(images=dataset.image_count)
    return enqueue_job(project=dataset.project, user=user, parameters=parameters, queue=queue)


@handles(LabelIssuesParameters)
def find_wrong_labels(context: JobContext[LabelIssuesParameters]) -> LabelIssuesResult:
    """Put the labelled images of a dataset into the order of suspicion."""
    dataset = dataset_of(context)
    if not context.parameters.model:
        return _by_features(context, dataset)
    model = get_model_or_fail(context.parameters.model)
    images = _searched(dataset).select_related("blob").prefetch_related("annotations__label")
    total = min(images.count(), MOST_LABELLED)
    chosen = enumerate(islice(by_key(images), MOST_LABELLED))

    def each() -> Iterable[Image]:
        for number, image in chosen:
            if number % REPORT_EVERY == 0:
                context.report(number, total)
            yield image

    rows = LOOKS[Task(model.task)](model, each())
    replace_label_issues(model=model, dataset=dataset, rows=rows)
    context.report(total, total)
    return LabelIssuesResult(str(model.pk), str(dataset.pk), total, sum(row.is_issue for row in rows))


def _searched(dataset: Dataset) -> QuerySet[Image]:
    """Images with something to doubt. One that was looked at and has none of several labels is one of them."""
    images = Image.objects.filter(dataset=dataset)
    if dataset.project.kind is Task.MULTILABEL:
        return images.filter(is_labelled())
    return images.filter(annotations__confirmed=True).distinct()


def _by_features(context: JobContext[LabelIssuesParameters], dataset: Dataset) -> LabelIssuesResult:
    context.report(0, dataset.image_count)
    rows = issues_by_features(dataset)
    context.report(dataset.image_count, dataset.image_count)
    replace_label_issues(model=None, dataset=dataset, rows=rows)
    of_labels = [row for row in rows if row.kind != LabelIssue.Kind.OUTLIER]
    wrong = sum(row.is_issue for row in of_labels)
    outliers = sum(row.is_issue for row in rows) - wrong
    images = len({row.image_id for row in of_labels})
    return LabelIssuesResult(None, str(dataset.pk), images, wrong, outliers)


def _label_issues(model: Model, images: Iterable[Image]) -> list[LabelIssue]:
    """By confident learning, on probabilities of a small model on this one's features that did not see the image, nor
    its near-duplicates. The features may be of a network that was trained on these very labels, and agree with their
    mistakes more than they should.
    """
    embedder, runtime, way = (
        embedder_of(model, LABEL_ISSUE_DIMENSIONS),
        load_runtime(model, LiteRTClassifier),
        preprocessor_for(model),
    )
    keys, names, features, looks = [], [], [], []
    for image in images:
        label = next(annotation.label.name for annotation in image.annotations.all() if annotation.confirmed)
        try:
            with storage.opened(image.blob) as file, open_image(file) as opened:
                pixels = way(opened, runtime.image_size)
        except ImageError:
            continue
        vector = runtime.predict(pixels) if embedder is None else embedder.run(pixels)
        keys.append(image.pk)
        names.append(label)
        features.append(vector)
        looks.append(
            Candidate(key=str(image.pk), phash=image.phash, label=label, group=image.group, name=image.filename)
        )
    classes = sorted(set(names))
    if len(classes) < 2:
        raise WorkFailed("one_label", "All images carry the same label: there is nothing to tell it from.")
    labels = np.array([classes.index(name) for name in names])
    groups = group_images(looks).roots
    issues = find_label_issues(out_of_sample_probabilities(np.stack(features), labels, len(classes), groups), labels)
    return [
        LabelIssue(
            image_id=keys[index],
            kind=LabelIssue.Kind.LABEL,
            label=names[index],
            suggested=classes[issues.suggested[index]],
            quality=float(issues.quality[index]),
            suggested_score=max(0.0, float(issues.suggested_score[index])),
            is_issue=bool(issues.is_issue[index]),
        )
        for index in issues.order.tolist()
    ]


def _box_issues(model: Model, images: Iterable[Image]) -> list[LabelIssue]:
    """Boxes of another label than drawn, boxes that the model is sure of and nobody drew, drawn boxes it does not see.

    The model was perhaps trained on these images, and then agrees with their mistakes more than it should.
    """
    predict = make_predictor(model, PredictionOptions(threshold=LOWEST_SCORE))
    thresholds = dict(zip(model.class_names, thresholds_of(model.detector, model.class_names), strict=True))
    rows: list[LabelIssue] = []
    for image in images:
        drawn = [
            {"label": annotation.label.name, "box": annotation.box, "pk": annotation.pk}
            for annotation in image.annotations.all()
            if annotation.confirmed
        ]
        try:
            with storage.opened(image.blob) as file:
                predicted = predict(file, image.filename).boxes
        except ImageError:
            continue
        rows += _issues_in(image, drawn, predicted, thresholds)
    return sorted(rows, key=lambda row: row.quality)


def _issues_in(
    image: Image, drawn: list[dict], boxes: list[dict], thresholds: dict[str, float]
) -> Iterable[LabelIssue]:
    overlap = iou_matrix(box_array(drawn), box_array(boxes)) if drawn and boxes else np.zeros((len(drawn), len(boxes)))
    for index, annotation in enumerate(drawn):
        near = [other for column, other in enumerate(boxes) if overlap[index, column] >= OVERLAP]
        own = max((other["score"] for other in near if other["label"] == annotation["label"]), default=0.0)
        rival = max(
            (other for other in near if other["label"] != annotation["label"]),
            key=lambda box: box["score"],
            default=None,
        )
        if rival is not None and rival["score"] >= thresholds[rival["label"]] and rival["score"] > own:
            yield LabelIssue(
                image=image,
                annotation_id=annotation["pk"],
                kind=LabelIssue.Kind.LABEL,
                label=annotation["label"],
                suggested=rival["label"],
                box=annotation["box"],
                quality=own / (own + rival["score"]),
                suggested_score=float(rival["score"]),
                is_issue=True,
            )
        elif own < thresholds.get(annotation["label"], CONFIDENT_BOX_SCORE):
            yield LabelIssue(
                image=image,
                annotation_id=annotation["pk"],
                kind=LabelIssue.Kind.NOT_SEEN,
                label=annotation["label"],
                box=annotation["box"],
                quality=0.5 + own / 2,
                is_issue=own < thresholds.get(annotation["label"], CONFIDENT_BOX_SCORE) / 4,
            )
    for column, other in enumerate(boxes):
        if (
            other["score"] >= max(CONFIDENT_BOX_SCORE, thresholds[other["label"]])
            and not (overlap[:, column] >= 0.3).any()
        ):
            yield LabelIssue(
                image=image,
                kind=LabelIssue.Kind.NOT_DRAWN,
                suggested=other["label"],
                box=other["box"],
                quality=1 - other["score"],
                suggested_score=float(other["score"]),
                is_issue=True,
            )


# How a model of each task looks at labels.
LOOKS: dict[Task, Callable[[Model, Iterable[Image]], list[LabelIssue]]] = {
    Task.CLASSIFICATION: _label_issues,
    Task.MULTILABEL: doubts_by_model,
    Task.DETECTION: _box_issues,
}
