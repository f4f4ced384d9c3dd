"""From what came with a request to images that are to be added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

from custom_vision.errors import Refused
from custom_vision.images import MOST_TAGS, UNNAMED, NewImage, tags_and_regions
from custom_vision.metadata import checked_metadata
from custom_vision.receiving import MOST_IMAGES, Batch
from custom_vision.wire import ids_of, text_of
from storage.uploads import StoredUpload

NO_FILES = "No valid image files: send images as bytes, as a form, or a batch with contents."


def batch_of_uploads(files: Sequence[StoredUpload], tags: Sequence[UUID]) -> list[NewImage]:
    """Raises `Refused`: there is none, or there are too many."""
    _require_some(files, NO_FILES)
    return [NewImage(file.name or "", file.incoming, tags=list(tags)) for file in files]


def batch_of_files(batch: Batch) -> list[NewImage]:
    """Raises `Refused`: it has no images, too many, or a tag or region that is none."""
    images = []
    for entry, named in entries_of(batch.data, NO_FILES):
        content = batch.content(entry)
        image = NewImage(text_of(entry, "name") or "", None if content is None else content.incoming, **named)
        image.problem = "" if content is None else content.problem
        images.append(image)
    return images


def batch_of_urls(data: Mapping[str, Any]) -> list[NewImage]:
    """Raises `Refused`, as `batch_of_files`."""
    images = []
    for entry, named in entries_of(data, "No image urls provided."):
        url = text_of(entry, "url") or ""
        images.append(NewImage(url, filename=unquote(urlsplit(url).path.rpartition("/")[2]) or UNNAMED, **named))
    return images


def entries_of(data: Mapping[str, Any], nothing: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each entry of a batch, and the tags and regions that it gets. Raises `Refused`."""
    entries = data.get("images")
    _require_some(entries, nothing)
    tags = ids_of(data.get("tagids"), MOST_TAGS, "tagIds")
    checked_metadata(data.get("metadata"))
    if not all(isinstance(entry, dict) for entry in entries):  # type: ignore[union-attr]
        raise Refused("BadRequestImageBatch", "Each of the images must be an object.")
    return [(entry, tags_and_regions(entry, tags)) for entry in entries]  # type: ignore[union-attr]


def _require_some(entries: Any, nothing: str) -> None:
    if not isinstance(entries, list) or not entries:
        raise Refused("BadRequestImageBatch", nothing)
    if len(entries) > MOST_IMAGES:
        raise Refused("BadRequestExceededBatchSize", f"At most {MOST_IMAGES} images are taken at once.")
