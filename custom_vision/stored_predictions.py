"""Predictions that are kept: asked for again, added to the training images, or forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import get_script_prefix
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from custom_vision.errors import Refused
from custom_vision.fetching import copy_of
from custom_vision.image_batches import entries_of
from custom_vision.image_rows import DAY
from custom_vision.images import NewImage
from custom_vision.iterations import detail_of
from custom_vision.models import StoredPrediction
from custom_vision.wire import ids_of, number_in, text_of, zoned
from projects.models import Project
from storage import services as storage
from storage.cache import Incoming
from storage.deleting import delete_in_chunks
from storage.signing import base_url_of, sign_path
from training.models import TrainingRun

MOST_DELETED, MOST_TAGS, MOST_ANSWERED, USUALLY_ANSWERED = 64, 2, 100, 50
LONGEST_APPLICATION = 200


def store(*, run: TrainingRun, answer: dict[str, Any], incoming: Incoming, application: str) -> None:
    """Keep what was answered with its image, unless the operator keeps none. The file stays where it is."""
    if not settings.KEEP_PREDICTIONS_DAYS:
        return
    storage.stage([incoming])
    with transaction.atomic():
        StoredPrediction.objects.create(
            id=UUID(answer["id"]),
            project_id=run.project_id,
            run=run,
            blob=storage.keep(incoming, "application/octet-stream"),
            application=application[:LONGEST_APPLICATION],
            predictions=answer["predictions"],
            best=max((row["probability"] for row in answer["predictions"]), default=0.0),
            expires_at=timezone.now() + timedelta(days=settings.KEEP_PREDICTIONS_DAYS),
        )


def forget_old_predictions() -> int:
    """Returns how many."""
    return delete_in_chunks(StoredPrediction.objects.filter(expires_at__lt=timezone.now()))


def delete_predictions(*, project: Project, ids: Sequence[UUID]) -> None:
    """Those that are not there are forgotten already."""
    StoredPrediction.objects.filter(project=project, pk__in=ids).delete()


def query_predictions(request: HttpRequest, project: Project, token: dict[str, Any]) -> dict[str, Any]:
    """The kept predictions that a token asks for, and the token that asks for the next ones.

    Raises:
        Refused: a value of the token cannot be used.
    """
    rows = _chosen(project, token)
    start, count = (
        number_in(token, "continuation"),
        min(number_in(token, "maxcount") or USUALLY_ANSWERED, MOST_ANSWERED),
    )
    tags = _tags(token)
    found = [row for row in rows if _fits(row, tags)] if tags else rows
    page = list(found[start : start + count])
    is_more = len(found[start + count : start + count + 1]) > 0
    answer = {
        "session": text_of(token, "session") or f"{project.pk}",
        "continuation": str(start + count) if is_more else None,
        "maxCount": count,
        "orderBy": text_of(token, "orderby") or "Newest",
        "tags": token.get("tags"),
        "iterationId": text_of(token, "iterationid"),
        "startTime": text_of(token, "starttime"),
        "endTime": text_of(token, "endtime"),
        "application": text_of(token, "application"),
    }
    return {"token": answer, "results": [stored_json(request, row) for row in page]}


ORDERS = {"newest": ("-id",), "oldest": ("id",), "suggested": ("best", "id")}


def _chosen(project: Project, token: dict[str, Any]) -> QuerySet[StoredPrediction]:
    order = ORDERS.get((text_of(token, "orderby") or "newest").lower())
    if order is None:
        raise Refused("BadRequestPredictionInvalidQueryParameters", "orderBy is Newest, Oldest or Suggested.")
    rows = StoredPrediction.objects.filter(project=project, expires_at__gt=timezone.now())
    rows = rows.select_related("run__project", "run__custom_vision").order_by(*order)
    if run := text_of(token, "iterationid"):
        rows = rows.filter(run__in=ids_of([run], 1, "iterationId"))
    if application := text_of(token, "application"):
        rows = rows.filter(application=application)
    since, until = _time(token, "starttime"), _time(token, "endtime")
    rows = rows.filter(created_at__gte=since) if since else rows
    return rows.filter(created_at__lte=until) if until else rows


def _time(token: dict[str, Any], name: str) -> datetime | None:
    text = text_of(token, name)
    moment = parse_datetime(text) if text else None
    if text and moment is None:
        raise Refused("BadRequestPredictionInvalidQueryParameters", f"{name} is no time.")
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _tags(token: dict[str, Any]) -> list[dict[str, Any]]:
    tags = token.get("tags") or []
    if not isinstance(tags, list) or len(tags) > MOST_TAGS or not all(isinstance(tag, dict) for tag in tags):
        raise Refused("BadRequestPredictionTagsExceededCount", f"Ask for at most {MOST_TAGS} tags.")
    return tags


def _fits(row: StoredPrediction, tags: Sequence[dict[str, Any]]) -> bool:
    return all(any(_is_so(answer, tag) for answer in row.predictions) for tag in tags)


def _is_so(answer: dict[str, Any], tag: dict[str, Any]) -> bool:
    low, high = tag.get("minthreshold") or 0.0, tag.get("maxthreshold") or 1.0
    return answer["tagId"] == str(tag.get("id")).lower() and low <= answer["probability"] <= high


def stored_json(request: HttpRequest, row: StoredPrediction) -> dict[str, Any]:
    path = f"{get_script_prefix()}customvision/v3/training/projects/{row.project_id}/predictions/{row.pk}/image"
    address = base_url_of(request) + sign_path(path, seconds=DAY)
    return {
        "id": str(row.pk),
        "project": str(row.project_id),
        "iteration": str(row.run_id),
        "created": zoned(row.created_at),
        "predictions": row.predictions,
        "domain": detail_of(row.run).domain,
        **dict.fromkeys(("originalImageUri", "resizedImageUri", "thumbnailUri"), address),
    }


@contextmanager
def images_of_predictions(project: Project, data: dict[str, Any]) -> Iterator[list[NewImage]]:
    """The images of kept predictions, to be added; a prediction that is gone is an image that cannot be.

    Raises:
        Refused: as every batch.
    """
    entries = entries_of(data, "No predictions are named: each of the images has the id of one.")
    ids = {entry_id for entry, _ in entries for entry_id in ids_of([entry.get("id")], 1, "id")}
    rows = {str(row.pk): row for row in StoredPrediction.objects.filter(project=project, pk__in=ids)}
    images = []
    try:
        for entry, named in entries:
            row = rows.get(str(entry.get("id")).lower())
            image = NewImage(str(entry.get("id")), filename="image", **named)
            image.incoming = None if row is None else copy_of(row.blob)
            image.problem = "ErrorSource" if row is None else ""
            images.append(image)
        yield images
    finally:
        for image in images:
            if image.incoming is not None:
                image.incoming.discard()


def forget_used(project: Project, images: Sequence[NewImage]) -> None:
    """What became an image is no unused prediction any more."""
    used = [UUID(image.source) for image in images if image.image_id is not None]
    delete_predictions(project=project, ids=used)
