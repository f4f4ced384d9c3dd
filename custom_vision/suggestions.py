"""What models think of images that nobody has tagged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from custom_vision.image_rows import addresses, find_images
from custom_vision.iterations import detail_of
from custom_vision.predictions import Tags, bounding_box, predict
from custom_vision.wire import ids_of, number_in, text_of, zoned
from custom_vision.workspace import find_dataset
from datasets.models import Annotation, Image
from projects.models import Project
from storage import services as storage
from training.models import TrainingRun

MOST_IMAGES, MOST_TAGS, USUALLY_ANSWERED, MOST_ANSWERED = 64, 500, 50, 100


def suggest(project: Project, run: TrainingRun, ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Ask the model about each of the images now. Raises `Refused`, `ModelNotServable`."""
    rows = []
    for image in find_images(project, ids):
        with storage.pinned(image.blob) as path:
            answer = predict(run, path)
        rows.append({**answer, "id": str(image.pk), "predictionUncertainty": _uncertainty(answer["predictions"])})
    return rows


def _uncertainty(predictions: Sequence[dict[str, Any]]) -> float:
    """What the best answer lacks to 1."""
    return 1.0 - max((row["probability"] for row in predictions), default=0.0)


def _waiting(project: Project, data: dict[str, Any]) -> QuerySet[Annotation]:
    """What models have suggested for images of the project and nobody has confirmed."""
    tags, threshold = ids_of(data.get("tagids"), MOST_TAGS, "tagIds"), data.get("threshold")
    rows = Annotation.objects.filter(image__dataset=find_dataset(project), confirmed=False)
    rows = rows.filter(label__in=tags) if tags else rows
    return rows.filter(score__gte=threshold) if isinstance(threshold, int | float) and threshold > 0 else rows


def count_suggested(project: Project, data: dict[str, Any]) -> dict[str, int]:
    """Tag → how many images wait with a suggestion of it."""
    rows = _waiting(project, data).order_by().values_list("label")
    counts = {str(pk): 0 for pk in ids_of(data.get("tagids"), MOST_TAGS, "tagIds")}
    return counts | {str(label): count for label, count in rows.annotate(count=Count("image", distinct=True))}


def query_suggested(request: HttpRequest, project: Project, run: TrainingRun, data: dict[str, Any]) -> dict[str, Any]:
    """Images with suggestions, and the token for the next ones."""
    waiting = _waiting(project, data)
    images = Image.objects.filter(Exists(waiting.filter(image=OuterRef("pk")))).order_by("lowest_score", "id")
    if (text_of(data, "sortby") or "").lower() == "uncertaintyascending":
        images = images.order_by("-lowest_score", "id")
    start, count = number_in(data, "continuation"), number_in(data, "maxcount") or USUALLY_ANSWERED
    count = min(count, MOST_ANSWERED)
    page = list(images[start : start + count + 1])
    token = {
        "tagIds": data.get("tagids"),
        "threshold": data.get("threshold"),
        "session": text_of(data, "session") or str(project.pk),
        "continuation": str(start + count) if len(page) > count else None,
        "maxCount": count,
        "sortBy": data.get("sortby"),
    }
    marks = waiting.filter(image__in=page).select_related("label").order_by("-score")
    return {"token": token, "results": [_row(request, run, image, marks) for image in page[:count]]}


def _row(request: HttpRequest, run: TrainingRun, image: Image, marks: QuerySet[Annotation]) -> dict[str, Any]:
    tags = Tags(run)
    predictions = [_mark(tags, mark, image) for mark in marks if mark.image_id == image.pk]
    return {
        "id": str(image.pk),
        "project": str(run.project_id),
        "iteration": str(run.pk),
        "created": zoned(timezone.now()),
        "width": image.width,
        "height": image.height,
        **addresses(request, image.pk),
        "domain": detail_of(run).domain,
        "predictions": predictions,
        "predictionUncertainty": _uncertainty(predictions),
    }


def _mark(tags: Tags, mark: Annotation, image: Image) -> dict[str, Any]:
    row = {"probability": mark.score or 0.0, **tags.describe(mark.label.name)}
    return row if mark.box is None else {**row, "boundingBox": bounding_box(mark.box, image.width, image.height)}
