"""How good a model is on a split of a snapshot, by the file that serves it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from django.db import transaction
from PIL.Image import Image
from rest_framework.exceptions import ValidationError

from datasets.imaging.letterbox import Letterbox, to_letterboxed
from datasets.imaging.preprocessing import ImageError, open_image, to_pixels, upright_size
from datasets.models import Snapshot, SnapshotImage
from datasets.snapshots import iterate_images
from inference.models import Evaluation, Model, Resize
from inference.runtime.boxes import AnchorShapes, Detections, anchors_for, detections_from
from inference.runtime.detection_metrics import MAX_DETECTIONS, Truth, detection_metrics, worst_images
from inference.runtime.interpreters import LiteRTClassifier, LiteRTDetector
from inference.runtime.metrics import classification_metrics, worst_mistakes
from inference.services import LOWEST_SCORE, runtime_of
from projects.errors import WorkFailed
from projects.jobs import JobContext, enqueue_job, handles
from projects.models import Job, Task
from storage import services as storage

KIND = "evaluation"
REPORT_EVERY = 20


def start_evaluation(*, model: Model, user, snapshot: Snapshot, split: str) -> Job:
    """Make the job that measures the model.

    Raises:
        ValidationError: the snapshot is of another task, its split is empty, or has none of the model's labels.
    """
    if snapshot.project.task != model.task:
        raise ValidationError({"snapshot": ["It is of a project with another task."]}, code="snapshot_does_not_fit")
    if not snapshot.counts["splits"].get(split):
        raise ValidationError({"split": [f"The snapshot has no images in its {split} split."]}, code="empty_split")
    if not set(snapshot.class_names) & set(model.class_names):
        detail = f"None of its labels is one of the model's: {', '.join(model.class_names[:5])}."
        raise ValidationError({"snapshot": [detail]}, code="snapshot_does_not_fit")
    parameters = {"model": str(model.pk), "snapshot": str(snapshot.pk), "split": split}
    with transaction.atomic():
        return enqueue_job(project=model.project, user=user, kind=KIND, parameters=parameters)


@handles(KIND)
def evaluate(context: JobContext) -> dict:
    """Predict every image of the split and keep the figures. Images with a label that the model does not know, and
    such that cannot be read, are counted and left out."""
    parameters = context.job.parameters
    model = Model.objects.select_related("project").filter(pk=parameters["model"]).first()
    snapshot = Snapshot.objects.filter(pk=parameters["snapshot"]).first()
    if model is None or snapshot is None:
        raise WorkFailed("evaluation_without_object", "The model or the snapshot was deleted meanwhile.")
    measure = _detector if model.task == Task.DETECTION else _classifier
    rows = _Rows(context, model, snapshot, parameters["split"])
    metrics, mistakes = measure(model, rows)
    metrics |= {"unknown_label": rows.unknown, "unreadable": rows.unreadable}
    evaluation = Evaluation.objects.create(
        model=model, snapshot=snapshot, split=parameters["split"], metrics=metrics, mistakes=mistakes
    )
    return {"model": str(model.pk), "evaluation": str(evaluation.pk), "images": metrics["count"]}


class _Rows:
    """The images of a split that the model can be measured on."""

    def __init__(self, context: JobContext, model: Model, snapshot: Snapshot, split: str) -> None:
        self._context, self._snapshot, self._split = context, snapshot, split
        self.index = {name: number for number, name in enumerate(model.class_names)}
        self.unknown = self.unreadable = 0

    def each(self, read: Callable[[Image], None]) -> Iterator[SnapshotImage]:
        """Every image that `read` took."""
        total = self._snapshot.counts["splits"][self._split]
        for number, row in enumerate(iterate_images(self._snapshot, self._split)):
            if number % REPORT_EVERY == 0:
                self._context.report(number, total)
            if not {one["label"] for one in row.annotations} <= set(self.index):
                self.unknown += 1
                continue
            try:
                with storage.opened(row.blob) as file, open_image(file) as image:
                    read(image)
            except ImageError:
                self.unreadable += 1
                continue
            yield row


def _classifier(model: Model, rows: _Rows) -> tuple[dict, list[dict]]:
    runtime = runtime_of(model, LiteRTClassifier)
    way = to_letterboxed if model.resize == Resize.LETTERBOX else to_pixels
    probabilities: list[np.ndarray] = []

    def read(image: Image) -> None:
        probabilities.append(runtime.predict(way(image, runtime.image_size)))

    seen = [(str(row.image_key), rows.index[row.annotations[0]["label"]]) for row in rows.each(read)]
    truth = np.array([label for _, label in seen], dtype=np.int64)
    found = np.stack(probabilities) if probabilities else np.zeros((0, len(model.class_names)), np.float32)
    mistakes = worst_mistakes(found, truth, [key for key, _ in seen], model.class_names)
    return classification_metrics(found, truth, model.class_names), mistakes


def _detector(model: Model, rows: _Rows) -> tuple[dict, list[dict]]:
    runtime = runtime_of(model, LiteRTDetector)
    anchors = anchors_for(runtime.image_size, AnchorShapes.from_dict(model.detector["anchors"]))
    found: list[Detections] = []
    truths = []
    for row in rows.each(partial(_detect, runtime, anchors, model.detector["iou_threshold"], found)):
        boxes = np.array([one["box"] for one in row.annotations], np.float32).reshape(-1, 4)
        labels = np.array([rows.index[one["label"]] for one in row.annotations], int)
        truths.append(Truth(str(row.image_key), boxes, labels))
    if not truths:
        raise WorkFailed("nothing_to_measure", "None of the images could be used: unknown labels, or damaged files.")
    threshold = model.detector["score_threshold"]
    return detection_metrics(truths, found, model.class_names, threshold), worst_images(truths, found, threshold)


def _detect(runtime: LiteRTDetector, anchors, iou_threshold: float, found: list[Detections], image: Image) -> None:
    width, height = upright_size(image)
    letterbox = Letterbox.fit(width, height, runtime.image_size)
    boxes = detections_from(
        anchors, runtime.run(to_letterboxed(image, runtime.image_size)), letterbox.content_size,
        score_threshold=LOWEST_SCORE, iou_threshold=iou_threshold, limit=MAX_DETECTIONS,
    )  # fmt: skip
    found.append(Detections(letterbox.to_image(boxes.boxes, width, height), boxes.scores, boxes.labels))
