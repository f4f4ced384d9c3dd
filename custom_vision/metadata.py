"""Words that programs keep with images, and lists that are filtered by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from custom_vision.errors import Refused
from custom_vision.image_rows import find_images
from custom_vision.models import ImageMetadata
from projects.models import Project
from storage.database import atomic_again

MOST_PAIRS, LONGEST_KEY, LONGEST_VALUE = 10, 128, 256


def checked_metadata(data: Any) -> dict[str, str]:
    """Raises `BadRequestImageMetadataKey`, `BadRequestImageMetadataValue`."""
    if data is None:
        return {}
    if not isinstance(data, Mapping) or len(data) > MOST_PAIRS:
        raise Refused("BadRequestImageMetadataKey", f"metadata is an object of at most {MOST_PAIRS} names and texts.")
    for key, value in data.items():
        if not 1 <= len(key) <= LONGEST_KEY:
            raise Refused("BadRequestImageMetadataKey", f"A name in metadata has 1 to {LONGEST_KEY} characters.")
        if not isinstance(value, str) or len(value) > LONGEST_VALUE:
            raise Refused(
                "BadRequestImageMetadataValue", f"A value in metadata has at most {LONGEST_VALUE} characters."
            )
    return dict(data)


@atomic_again
def note_metadata(images: Iterable[UUID], data: Mapping[str, str]) -> dict[UUID, str]:
    """Add the words to those that the images have. Returns the status of each."""
    statuses = {}
    present = {row.image_id: row for row in ImageMetadata.objects.select_for_update().filter(image__in=images)}
    for pk in images:
        content = {**(present[pk].content if pk in present else {}), **data}
        statuses[pk] = "OK" if len(content) <= MOST_PAIRS else "ErrorLimitExceed"
        if statuses[pk] == "OK" and data:
            ImageMetadata.objects.update_or_create(image_id=pk, defaults={"content": content})
    return statuses


def update_metadata(*, project: Project, ids: Sequence[UUID], data: Any) -> tuple[int, dict[str, Any]]:
    """The status of the answer, and the answer. Raises `Refused`."""
    metadata = checked_metadata(data)
    statuses = note_metadata([image.pk for image in find_images(project, ids)], metadata)
    rows = [{"imageId": str(pk), "status": statuses.get(pk, "ErrorImageNotFound"), "metadata": metadata} for pk in ids]
    is_successful = all(row["status"] == "OK" for row in rows)
    return 200 if is_successful else 207, {"isBatchSuccessful": is_successful, "images": rows}
