"""Which images to label next: what a model knows of a dataset, kept as rows."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from itertools import islice
from typing import BinaryIO

import numpy as np
from django.contrib.auth.models import User
from django.db import transaction

from common.errors import Invalid
from datasets.models import Dataset, Image
from inference.labeling.box_pairs import boxes_apart
from inference.labeling.datasets import REPORT_EVERY, dataset_of
from inference.labeling.features import embedder_of
from inference.labeling.uncertainty import distribution, uncertainty_of, uncertainty_options
from inference.models import LabelingCandidate, Model
from inference.serving.job_models import get_model_or_fail
from inference.serving.predicted_annotations import store_suggestions, unlabelled
from inference.serving.prediction import Prediction, PredictionOptions, make_predictor, preprocessor_for
from jobs.context import JobContext
from jobs.contracts import JobParameters, JobResult
from jobs.models import Job, JobKind
from jobs.queues import queue_for
from jobs.services import enqueue_job, handles
from projects.models import Task
from storage import services as storage
from storage.database import by_key
from vision.analysis.embedding import DIMENSIONS
from vision.analysis.selection import disagreement, labeling_order
from vision.imaging.letterbox import to_letterboxed
from vision.imaging.preprocessing import ImageError, open_image
from vision.runtime.boxes import thresholds_of

STORE_EVERY = 200

# Memory is a vector and a distribution for each image; what is beyond waits for the next time.
MOST_IMAGES = 200_000

INSERT_CHUNK = 2000


@dataclass(frozen=True)
class SuggestionsParameters(JobParameters, kind=JobKind.SUGGESTIONS):
    model: str
    dataset: str
    other: str | None
    annotate: bool


@dataclass(frozen=True)
class SuggestionsResult(JobResult):
    model: str
    dataset: str
    images: int
    suggestions: int
    unreadable: int


def start_suggestions(
    *, model: Model, dataset: Dataset, user: User, other: Model | None = None, annotate: bool = True
) -> Job:
    """Make the job that looks at all images that nobody has labelled.

    Raises:
        Invalid: a model is of another task, or every image is labelled.
    """
    for name, used in (("model", model), ("other_model", other)):
        if used is not None and used.task != dataset.project.task:
            raise Invalid(f"It is for {used.task}, the project for {dataset.project.task}.", attr=name)
    if not unlabelled(Image.objects.filter(dataset=dataset)).exists():
        raise Invalid("Every image of it is labelled.", attr="dataset", code="nothing_to_suggest")
    other_model = None if other is None else str(other.pk)
    parameters = SuggestionsParameters(str(model.pk), str(dataset.pk), other_model, annotate)
    queue = queue_for(images=dataset.image_count)
    return enqueue_job(project=dataset.project, user=user, parameters=parameters, queue=queue)


@dataclass
class _ScoredImage:
    """What a model made of one image."""

    pk: uuid.UUID
    uncertainty: float
    disagreement: float | None
    embedding: np.ndarray


@handles(SuggestionsParameters)
def suggest(context: JobContext[SuggestionsParameters]) -> SuggestionsResult:
    """Predict every unlabelled image, store the predictions as suggestions, and put the images into the order in which
    labels help the model most."""
    dataset, model = dataset_of(context), get_model_or_fail(context.parameters.model)
    second = context.parameters.other
    other = None if second is None else get_model_or_fail(second)
    look = _ImageScorer(model, other)
    images = unlabelled(Image.objects.filter(dataset=dataset)).select_related("blob")
    total = min(images.count(), MOST_IMAGES)
    seen: list[_ScoredImage] = []
    waiting: list[tuple[Image, Prediction]] = []
    made = unreadable = 0
    user = context.job.created_by
    for number, image in enumerate(islice(by_key(images), MOST_IMAGES)):
        if number % REPORT_EVERY == 0:
            context.report(number, total)
        try:
            prediction, scored = look.at(image)
        except ImageError:
            unreadable += 1
            continue
        seen.append(scored)
        if context.parameters.annotate:
            waiting.append((image, prediction))
        if len(waiting) == STORE_EVERY:
            made += store_suggestions(
                project=dataset.project, model=model, predictions=waiting, user=context.job.created_by
            )
            waiting = []
    made += store_suggestions(project=dataset.project, model=model, predictions=waiting, user=user)
    _keep_order(model, dataset, seen)
    context.report(total, total)
    return SuggestionsResult(str(model.pk), str(dataset.pk), len(seen), made, unreadable)


def _keep_order(model: Model, dataset: Dataset, seen: list[_ScoredImage]) -> None:
    order: list[int] = []
    if seen:  # computed before the transaction, in which nobody else can write
        worth = np.array([max(prediction.uncertainty, prediction.disagreement or 0.0) for prediction in seen])
        order = labeling_order(worth, np.stack([prediction.embedding for prediction in seen])).tolist()
    _replace_order(model, dataset, seen, order)


@transaction.atomic
def _replace_order(model: Model, dataset: Dataset, seen: list[_ScoredImage], order: list[int]) -> None:
    LabelingCandidate.objects.filter(model=model, dataset=dataset).delete()
    still_there = set(Image.objects.filter(dataset=dataset).values_list("pk", flat=True))
    LabelingCandidate.objects.bulk_create(
        (
            LabelingCandidate(
                model=model,
                dataset=dataset,
                image_id=seen[index].pk,
                rank=rank,
                uncertainty=seen[index].uncertainty,
                disagreement=seen[index].disagreement,
            )
            for rank, index in enumerate(order, start=1)
            if seen[index].pk in still_there
        ),
        batch_size=INSERT_CHUNK,
    )


class _ImageScorer:
    """A model, perhaps with a second one, looking at one image after another."""

    def __init__(self, model: Model, other: Model | None) -> None:
        self._model, self._other = model, other
        self._is_detector, self._has_one_label = Task(model.task).has_boxes, Task(model.task).has_single_labels
        self._embedder = embedder_of(model)
        # Doubt lives below the threshold too: one run gives all boxes, and those that count are among them.
        own = uncertainty_options(model) if not self._has_one_label else PredictionOptions(limit=len(model.class_names))
        self._predict = make_predictor(model, own)
        self._thresholds: dict[str, float] = {}
        if self._is_detector:
            self._thresholds = dict(
                zip(model.class_names, thresholds_of(model.detector, model.class_names), strict=True)
            )
        options = PredictionOptions() if self._is_detector else PredictionOptions(limit=10_000)
        self._second = None if other is None else make_predictor(other, options)

    def at(self, image: Image) -> tuple[Prediction, _ScoredImage]:
        with storage.opened(image.blob) as file:
            every = self._predict(file, image.filename)
            prediction = self._reliable(every)
            embedding = self._embedded(file)
            uncertainty = uncertainty_of(self._model, every)
            second = None
            if self._second is not None:
                file.seek(0)
                second = self._second(file, image.filename)
            if self._is_detector:
                apart = None if second is None else boxes_apart(prediction.boxes, second.boxes)
            else:
                apart = None if second is None else self._labels_apart(prediction, second)
        return prediction, _ScoredImage(image.pk, uncertainty, apart, embedding)

    def _reliable(self, every: Prediction) -> Prediction:
        """Of all boxes those that the model would answer with: scores are what boxes suppress each other by, so they
        are the same as those of a run of their own."""
        if not self._is_detector:
            return every
        boxes = [box for box in every.boxes if box["score"] >= self._thresholds[box["label"]]]
        return replace(every, boxes=boxes)

    def _embedded(self, file: BinaryIO) -> np.ndarray:
        if self._embedder is None:
            return np.zeros(DIMENSIONS, np.float32)
        file.seek(0)
        with open_image(file) as opened:
            way = to_letterboxed if self._is_detector else preprocessor_for(self._model)
            return self._embedder.run(way(opened, self._embedder.image_size))

    def _labels_apart(self, first: Prediction, second: Prediction) -> float:
        assert self._other is not None
        names = list(dict.fromkeys([*self._model.class_names, *self._other.class_names]))
        if not self._has_one_label:  # the labels that only one of them sees
            said = [{answer["label"] for answer in prediction.answers} for prediction in (first, second)]
            return len(said[0] ^ said[1]) / max(1, len(said[0] | said[1]))
        return float(disagreement(distribution(first, names)[None], distribution(second, names)[None])[0])
