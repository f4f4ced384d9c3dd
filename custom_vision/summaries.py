"""What became of a batch, as an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from rest_framework.response import Response

from custom_vision.image_rows import find_images, images_json
from custom_vision.images import UNNAMED, NewImage
from custom_vision.metadata import checked_metadata, note_metadata
from custom_vision.wire import batch_status
from projects.models import Project


def summary(
    request: HttpRequest,
    project: Project,
    images: Sequence[NewImage],
    statuses: Sequence[str],
    data: Mapping[str, Any] = MappingProxyType({}),
) -> Response:
    """207 unless all of them are new, where the version knows it. A duplicate is no success, and names the image that
    is there.

    Args:
        data: the batch; its metadata goes to the images that are new.
    """
    new = [UUID(image.image_id) for image, status in zip(images, statuses, strict=True) if status == "OK"]  # type: ignore[arg-type]
    note_metadata(new, checked_metadata(data.get("metadata")))
    ids = list(dict.fromkeys(UUID(image.image_id) for image in images if image.image_id is not None))
    rows = {row["id"]: row for row in images_json(request, find_images(project, ids))}
    is_successful = all(status == "OK" for status in statuses)
    answer = {
        "isBatchSuccessful": is_successful,
        "images": [
            {
                "sourceUrl": "" if image.source == UNNAMED else image.source,
                "status": status,
                "image": rows.get(image.image_id or ""),
            }
            for image, status in zip(images, statuses, strict=True)
        ],
    }
    return Response(answer, status=batch_status(request, is_successful))
