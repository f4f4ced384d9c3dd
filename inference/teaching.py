"""Which images to label next, and which labels to look at again: what a model knows of a dataset, kept as rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from django.db import transaction
from rest_framework.exceptions import ValidationError

from datasets.grouping import Candidate, group_images
from datasets.models import Dataset, Image
from datasets.selectors import live_datasets
from inference.frames import model_of
from inference.models import FileKind, Model, ModelFile, Suggestion, Suspect
from inference.services import LOWEST_SCORE, Prediction, Wishes, predictor_of, runtime_of, way_of
from inference.suggestions import store_suggestions, unlabelled
from inference.suspecting import replace_suspects
from inference.uncertainty import distribution, uncertainty_of
from jobs.context import JobContext
from jobs.errors import WorkFailed
from jobs.models import Job
from jobs.queues import queue_for
from jobs.services import enqueue_job, handles
from projects.models import Task
from storage import services as storage
from storage.database import by_key
from vision.analysis.embedding import DIMENSIONS, Embedder
from vision.analysis.selection import disagreement, teaching_order
from vision.analysis.suspects import DIMENSIONS as SUSPECT_DIMENSIONS
from vision.analysis.suspects import find_suspects, out_of_sample_probabilities
from vision.imaging.letterbox import to_letterboxed
from vision.imaging.preprocessing import ImageError, open_image
from vision.runtime.boxes import iou_matrix, thresholds_of
from vision.runtime.interpreters import LiteRTClassifier, ModelFileError

SUGGESTIONS = "suggestions"
SUSPECTS = "suspects"
REPORT_EVERY = 20
STORE_EVERY = 200
# Memory is a vector and a distribution for each image; what is beyond waits for the next time.
MOST_IMAGES = 200_000
MOST_LABELLED = 50_000
INSERT_CHUNK = 2000
FEWEST_IMAGES = 20
OVERLAP = 0.5
# A box that the model is surer of than this, where nobody drew one, was probably forgotten.
SURE_BOX = 0.7


def start_suggestions(
    *, model: Model, dataset: Dataset, user, other: Model | None = None, annotate: bool = True
) -> Job:
    """Make the job that looks at all images that nobody has labelled.

    Raises:
        ValidationError: a model is of another task, or every image is labelled.
    """
    for name, one in (("model", model), ("other_model", other)):
        if one is not None and one.task != dataset.project.task:
            raise ValidationError({name: [f"It is for {one.task}, the project for {dataset.project.task}."]})
    if not unlabelled(Image.objects.filter(dataset=dataset)).exists():
        raise ValidationError({"dataset": ["Every image of it is labelled."]}, code="nothing_to_suggest")
    parameters = {
        "model": str(model.pk), "dataset": str(dataset.pk), "other": None if other is None else str(other.pk),
        "annotate": annotate,
    }  # fmt: skip
    return enqueue_job(
        project=dataset.project, user=user, kind=SUGGESTIONS, parameters=parameters,
        queue=queue_for(images=dataset.image_count),
    )  # fmt: skip


def start_suspects(*, model: Model, dataset: Dataset, user) -> Job:
    """Make the job that looks for wrong labels. Raises `ValidationError`."""
    if model.task != dataset.project.task:
        raise ValidationError({"dataset": [f"Its project is for {dataset.project.task}, the model for {model.task}."]})
    labelled = Image.objects.filter(dataset=dataset, annotations__confirmed=True).distinct()
    if not labelled[FEWEST_IMAGES - 1 : FEWEST_IMAGES].exists():
        raise ValidationError(
            {"dataset": [f"It needs at least {FEWEST_IMAGES} labelled images to tell what is unusual."]},
            code="too_few_images",
        )
    parameters = {"model": str(model.pk), "dataset": str(dataset.pk)}
    return enqueue_job(
        project=dataset.project, user=user, kind=SUSPECTS, parameters=parameters,
        queue=queue_for(images=dataset.image_count),
    )  # fmt: skip


def _dataset_of(context: JobContext) -> Dataset:
    dataset = live_datasets().select_related("project").filter(pk=context.job.parameters["dataset"]).first()
    if dataset is None:
        raise WorkFailed("dataset_deleted", "The dataset was deleted meanwhile.")
    return dataset


@dataclass
class _Seen:
    """What a model made of one image."""

    pk: object
    uncertainty: float
    disagreement: float | None
    embedding: np.ndarray


@handles(SUGGESTIONS)
def suggest(context: JobContext) -> dict:
    """Predict every unlabelled image, store the predictions as suggestions, and put the images into the order in which
    labels teach the model most."""
    dataset, model = _dataset_of(context), model_of(context.job.parameters["model"])
    other = model_of(context.job.parameters["other"])
    assert model is not None
    look = _Look(model, other)
    images = unlabelled(Image.objects.filter(dataset=dataset)).select_related("blob")
    total = min(images.count(), MOST_IMAGES)
    seen: list[_Seen] = []
    waiting: list[tuple[Image, Prediction]] = []
    made = unreadable = 0
    user = context.job.created_by
    for number, image in enumerate(islice(by_key(images), MOST_IMAGES)):
        if number % REPORT_EVERY == 0:
            context.report(number, total)
        try:
            prediction, found = look.at(image)
        except ImageError:
            unreadable += 1
            continue
        seen.append(found)
        if context.job.parameters["annotate"]:
            waiting.append((image, prediction))
        if len(waiting) == STORE_EVERY:
            made += store_suggestions(
                project=dataset.project, model=model, predictions=waiting, user=context.job.created_by
            )
            waiting = []
    made += store_suggestions(project=dataset.project, model=model, predictions=waiting, user=user)
    _keep_order(model, dataset, seen)
    context.report(total, total)
    return {
        "model": str(model.pk), "dataset": str(dataset.pk), "images": len(seen), "suggestions": made,
        "unreadable": unreadable,
    }  # fmt: skip


def _keep_order(model: Model, dataset: Dataset, seen: list[_Seen]) -> None:
    order: list[int] = []
    if seen:  # computed before the transaction, in which nobody else can write
        worth = np.array([max(one.uncertainty, one.disagreement or 0.0) for one in seen])
        order = teaching_order(worth, np.stack([one.embedding for one in seen])).tolist()
    _replace_order(model, dataset, seen, order)


@transaction.atomic
def _replace_order(model: Model, dataset: Dataset, seen: list[_Seen], order: list[int]) -> None:
    Suggestion.objects.filter(model=model, dataset=dataset).delete()
    still_there = set(Image.objects.filter(dataset=dataset).values_list("pk", flat=True))
    Suggestion.objects.bulk_create(
        (
            Suggestion(
                model=model, dataset=dataset, image_id=seen[index].pk, rank=rank,
                uncertainty=seen[index].uncertainty, disagreement=seen[index].disagreement,
            )
            for rank, index in enumerate(order, start=1)
            if seen[index].pk in still_there
        ),
        batch_size=INSERT_CHUNK,
    )  # fmt: skip


class _Look:
    """A model, perhaps with a second one, looking at one image after another."""

    def __init__(self, model: Model, other: Model | None) -> None:
        self._model, self._other = model, other
        self._is_detector = model.task == Task.DETECTION
        self._embedder = embedder_of(model)
        # Doubt lives below the threshold too: one run gives all boxes, and those that count are among them.
        own = Wishes(threshold=LOWEST_SCORE) if self._is_detector else Wishes(limit=len(model.class_names))
        self._predict = predictor_of(model, own)
        self._thresholds: dict[str, float] = {}
        if self._is_detector:
            self._thresholds = dict(
                zip(model.class_names, thresholds_of(model.detector, model.class_names), strict=True)
            )
        wishes = Wishes() if self._is_detector else Wishes(limit=10_000)
        self._second = None if other is None else predictor_of(other, wishes)

    def at(self, image: Image) -> tuple[Prediction, _Seen]:
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
                apart = None if second is None else _boxes_apart(prediction.boxes, second.boxes)
            else:
                apart = None if second is None else self._labels_apart(prediction, second)
        return prediction, _Seen(image.pk, uncertainty, apart, embedding)

    def _reliable(self, every: Prediction) -> Prediction:
        """Of all boxes those that the model would answer with: scores are what boxes suppress each other by, so they
        are the same as those of a run of their own."""
        if not self._is_detector:
            return every
        boxes = [one for one in every.boxes if one["score"] >= self._thresholds[one["label"]]]
        return replace(every, boxes=boxes)

    def _embedded(self, file) -> np.ndarray:
        if self._embedder is None:
            return np.zeros(DIMENSIONS, np.float32)
        file.seek(0)
        with open_image(file) as picture:
            way = to_letterboxed if self._is_detector else way_of(self._model)
            return self._embedder.run(way(picture, self._embedder.image_size))

    def _labels_apart(self, one: Prediction, other: Prediction) -> float:
        assert self._other is not None
        names = list(dict.fromkeys([*self._model.class_names, *self._other.class_names]))
        return float(disagreement(distribution(one, names)[None], distribution(other, names)[None])[0])


def embedder_of(model: Model, dimensions: int = DIMENSIONS) -> Embedder | None:
    """The model's features; None for a network that shows none, which then has no notion of look-alikes."""
    row = ModelFile.objects.select_related("blob").filter(model=model, kind=FileKind.LITERT_FLOAT32).first()
    if row is None:
        return None
    try:
        with storage.pinned(row.blob) as path:
            return Embedder(path, dimensions=dimensions)
    except ModelFileError:
        return None


def _boxes_apart(one: list[dict], other: list[dict]) -> float:
    """Share of the boxes of either model that the other does not have, 0 to 1."""
    if not one and not other:
        return 0.0
    matched = len(_pairs(one, other))
    return 1 - 2 * matched / (len(one) + len(other))


def _pairs(one: list[dict], other: list[dict]) -> list[tuple[int, int]]:
    """Boxes of the same label that overlap, each once, the largest overlap first."""
    if not one or not other:
        return []
    overlap = iou_matrix(_array(one), _array(other))
    for row, mine in enumerate(one):
        for column, theirs in enumerate(other):
            if mine["label"] != theirs["label"]:
                overlap[row, column] = 0
    pairs = []
    for flat in np.argsort(-overlap, axis=None, kind="stable"):
        row, column = np.unravel_index(flat, overlap.shape)
        if overlap[row, column] < OVERLAP:
            break
        pairs.append((int(row), int(column)))
        overlap[row, :], overlap[:, column] = 0, 0
    return pairs


def _array(boxes: Iterable[dict]) -> np.ndarray:
    return np.array([one["box"] for one in boxes], np.float32).reshape(-1, 4)


# Suspects


@handles(SUSPECTS)
def find_wrong_labels(context: JobContext) -> dict:
    """Put the labelled images of a dataset into the order of suspicion."""
    dataset, model = _dataset_of(context), model_of(context.job.parameters["model"])
    assert model is not None
    images = (
        Image.objects.filter(dataset=dataset, annotations__confirmed=True)
        .distinct().select_related("blob").prefetch_related("annotations__label")
    )  # fmt: skip
    total = min(images.count(), MOST_LABELLED)
    chosen = enumerate(islice(by_key(images), MOST_LABELLED))

    def each() -> Iterable[Image]:
        for number, image in chosen:
            if number % REPORT_EVERY == 0:
                context.report(number, total)
            yield image

    rows = _suspect_boxes(model, each()) if model.task == Task.DETECTION else _suspect_labels(model, each())
    replace_suspects(model=model, dataset=dataset, rows=rows)
    context.report(total, total)
    return {
        "model": str(model.pk), "dataset": str(dataset.pk), "images": total,
        "probably_wrong": sum(row.is_issue for row in rows),
    }  # fmt: skip


def _suspect_labels(model: Model, images: Iterable[Image]) -> list[Suspect]:
    """By confident learning, on probabilities of a small model on this one's features that did not see the image, nor
    its near-duplicates. The features may be of a network that was trained on these very labels, and agree with their
    mistakes more than they should.
    """
    embedder, runtime, way = embedder_of(model, SUSPECT_DIMENSIONS), runtime_of(model, LiteRTClassifier), way_of(model)
    keys, names, features, looks = [], [], [], []
    for image in images:
        label = next(one.label.name for one in image.annotations.all() if one.confirmed)
        try:
            with storage.opened(image.blob) as file, open_image(file) as picture:
                pixels = way(picture, runtime.image_size)
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
    found = find_suspects(out_of_sample_probabilities(np.stack(features), labels, len(classes), groups), labels)
    return [
        Suspect(
            image_id=keys[index], kind=Suspect.Kind.LABEL, label=names[index],
            suggested=classes[found.suggested[index]], quality=float(found.quality[index]),
            suggested_score=max(0.0, float(found.suggested_score[index])), is_issue=bool(found.is_issue[index]),
        )
        for index in found.order.tolist()
    ]  # fmt: skip


def _suspect_boxes(model: Model, images: Iterable[Image]) -> list[Suspect]:
    """Boxes of another label than drawn, boxes that the model is sure of and nobody drew, drawn boxes it does not see.

    The model was perhaps trained on these images, and then agrees with their mistakes more than it should.
    """
    predict = predictor_of(model, Wishes(threshold=LOWEST_SCORE))
    thresholds = dict(zip(model.class_names, thresholds_of(model.detector, model.class_names), strict=True))
    rows: list[Suspect] = []
    for image in images:
        drawn = [
            {"label": one.label.name, "box": one.box, "pk": one.pk} for one in image.annotations.all() if one.confirmed
        ]
        try:
            with storage.opened(image.blob) as file:
                found = predict(file, image.filename).boxes
        except ImageError:
            continue
        rows += _doubts(image, drawn, found, thresholds)
    return sorted(rows, key=lambda row: row.quality)


def _doubts(image: Image, drawn: list[dict], found: list[dict], thresholds: dict[str, float]) -> Iterable[Suspect]:
    overlap = iou_matrix(_array(drawn), _array(found)) if drawn and found else np.zeros((len(drawn), len(found)))
    for index, one in enumerate(drawn):
        near = [other for column, other in enumerate(found) if overlap[index, column] >= OVERLAP]
        own = max((other["score"] for other in near if other["label"] == one["label"]), default=0.0)
        rival = max((other for other in near if other["label"] != one["label"]), key=lambda box: box["score"],
                    default=None)  # fmt: skip
        if rival is not None and rival["score"] >= thresholds[rival["label"]] and rival["score"] > own:
            yield Suspect(
                image=image, annotation_id=one["pk"], kind=Suspect.Kind.LABEL, label=one["label"],
                suggested=rival["label"], box=one["box"], quality=own / (own + rival["score"]),
                suggested_score=float(rival["score"]), is_issue=True,
            )  # fmt: skip
        elif own < thresholds.get(one["label"], SURE_BOX):
            yield Suspect(
                image=image, annotation_id=one["pk"], kind=Suspect.Kind.NOT_SEEN, label=one["label"],
                box=one["box"], quality=0.5 + own / 2, is_issue=own < thresholds.get(one["label"], SURE_BOX) / 4,
            )  # fmt: skip
    for column, other in enumerate(found):
        if other["score"] >= max(SURE_BOX, thresholds[other["label"]]) and not (overlap[:, column] >= 0.3).any():
            yield Suspect(
                image=image, kind=Suspect.Kind.NOT_DRAWN, suggested=other["label"], box=other["box"],
                quality=1 - other["score"], suggested_score=float(other["score"]), is_issue=True,
            )  # fmt: skip
