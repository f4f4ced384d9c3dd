"""Lists of images by the words that programs keep with them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet, TextField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from custom_vision.errors import Refused
from custom_vision.models import ImageMetadata
from datasets.models import Image

FILTER = re.compile(r"""^\s*(?:metadata\s*=\s*)?(?P<key>[^\s=]+)\s+eq\s+(?P<quote>['"]?)(?P<value>.*)(?P=quote)\s*$""")


def with_metadata(images: QuerySet[Image], text: str | None) -> QuerySet[Image]:
    """The images that `$filter` asks for, as `metadata=name eq 'value'`. Raises `BadRequest`."""
    if text is None:
        return images
    match = FILTER.match(text)
    if match is None:
        raise Refused("BadRequest", "$filter is read as: metadata=name eq 'value'.")
    rows = ImageMetadata.objects.filter(image=OuterRef("pk"))
    # As text, for SQLite takes the value that a key is compared with for JSON.
    word = Cast(KeyTextTransform(match["key"], "content"), TextField())
    return images.filter(Exists(rows.annotate(word=word).filter(word=match["value"])))


def metadata_of(images: Sequence[Image]) -> dict[UUID, dict[str, str]]:
    rows = ImageMetadata.objects.filter(image__in=[image.pk for image in images])
    return dict(rows.values_list("image", "content"))
