"""Images as programs read them: which, in which order, and what each says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, QuerySet, prefetch_related_objects
from django.http import HttpRequest
from django.urls import reverse

from custom_vision.errors import Refused
from custom_vision.metadata_filter import metadata_of, with_metadata
from custom_vision.wire import Query, naive
from custom_vision.workspace import find_dataset
from datasets.models import Annotation, Image
from datasets.renditions import SIZES as RENDITIONS
from datasets.thumbnails import SIZES as THUMBNAILS
from projects.models import Project
from storage.signing import base_url_of, sign_path

DAY = 86_400
MOST_TAGS, MOST_IMAGES = 20, 256
TAGGED, UNTAGGED, ALL = "tagged", "untagged", "all"


def listed_images(project: Project, query: Query, status: str = ALL) -> QuerySet[Image]:
    """The images of a project that a query asks for, the newest first unless it says otherwise.

    Raises:
        Refused: a filter that cannot be read.
    """
    rows = Image.objects.filter(dataset=find_dataset(project)).order_by(order_of(query))
    annotations = Annotation.objects.filter(image=OuterRef("pk"), confirmed=True)
    status = (query.text("taggingStatus") or status).lower()
    if status == TAGGED:
        rows = rows.filter(Exists(annotations))
    elif status == UNTAGGED:
        rows = rows.filter(~Exists(annotations))
    rows, tags = with_metadata(rows, query.text("$filter")), query.ids("tagIds", MOST_TAGS)
    return rows.filter(Exists(annotations.filter(label__in=tags))) if tags else rows


def order_of(query: Query, key: str = "id") -> str:
    return key if (query.text("orderBy") or "").lower() == "oldest" else f"-{key}"


def find_images(project: Project, ids: Sequence[UUID]) -> list[Image]:
    """Those that are there, in the order of the ids."""
    images = Image.objects.filter(dataset=find_dataset(project)).in_bulk(list(ids))
    return [images[pk] for pk in ids if pk in images]


def images_json(request: HttpRequest, images: Iterable[Image]) -> list[dict]:
    rows = _with_annotations(images)
    metadata = metadata_of(rows)
    return [
        image_json(request, image) | ({"metadata": metadata[image.pk]} if image.pk in metadata else {})
        for image in rows
    ]


def _with_annotations(images: Iterable[Image]) -> list[Image]:
    rows = list(images)
    marks = Annotation.objects.filter(confirmed=True).select_related("label").order_by("id")
    if rows:
        prefetch_related_objects(rows, Prefetch("annotations", marks, to_attr="marks"))
    return rows


def image_json(request: HttpRequest, image: Any) -> dict:
    """`image` has its confirmed annotations as `marks`."""
    row = {
        "id": str(image.pk),
        "created": naive(image.created_at),
        "width": image.width,
        "height": image.height,
        **addresses(request, image.pk),
    }
    tags = {mark.label_id: mark for mark in reversed(image.marks)}
    if tags:
        row["tags"] = [
            {"tagId": str(pk), "tagName": mark.label.name, "created": naive(mark.created_at)}
            for pk, mark in reversed(tags.items())
        ]
    regions = [region_json(mark, image.width, image.height) for mark in image.marks if mark.box is not None]
    return row | ({"regions": regions} if regions else {})


def region_json(mark: Annotation, width: int, height: int) -> dict:
    """Edges of the box as parts of the image."""
    return {
        "regionId": str(mark.pk),
        "tagName": mark.label.name,
        "created": naive(mark.created_at),
        "tagId": str(mark.label_id),
        **edges_of(mark.box or (0, 0, 0, 0), width, height),
    }


def edges_of(box: Sequence[float], width: int, height: int) -> dict[str, float]:
    """A box in pixels, xyxy, as parts of its image."""
    x_min, y_min, x_max, y_max = box
    return {
        "left": x_min / width,
        "top": y_min / height,
        "width": (x_max - x_min) / width,
        "height": (y_max - y_min) / height,
    }


def addresses(request: HttpRequest, image: UUID) -> dict[str, str]:
    """Absolute, and readable without a key for a day."""
    base = base_url_of(request)

    def signed(name: str, **query: int) -> str:
        return base + sign_path(reverse(name, args=[image]), seconds=DAY, **query)

    return {
        "originalImageUri": signed("image-file"),
        "resizedImageUri": signed("image-rendition", max=RENDITIONS[0]),
        "thumbnailUri": signed("image-thumbnail", size=THUMBNAILS[-1]),
    }


def image_of_artifact(project: Project, path: str | None) -> Image:
    """The image whose address has this path. Raises `Refused`."""
    for word in (path or "").split("/"):
        try:
            image = Image.objects.filter(dataset__project=project, pk=UUID(word)).select_related("blob").first()
        except ValueError:
            continue
        if image is not None:
            return image
    raise Refused(
        "BadRequestInvalidArtifactUri", "path must be the path of an image's address, as get_images gives it."
    )
