"""Boxes of images that are there already: added and taken away one by one, with ids that stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.utils import timezone
from uuid_utils.compat import uuid7

from custom_vision.errors import Refused, missing
from custom_vision.image_rows import find_images
from custom_vision.images import MOST_OF_AN_IMAGE, MOST_REGIONS, Region, regions_of
from custom_vision.iterations import iterations_of
from custom_vision.predictions import answer_of, bounding_box
from custom_vision.wire import id_or_none, ids_of, naive
from custom_vision.workspace import find_dataset, is_detection
from datasets.annotating import AnnotationInput, change_annotations
from datasets.models import Annotation, Image, Label
from jobs.models import WorkState
from projects.models import Project
from storage import services as storage
from vision.formats.boxes import on_grid

Content = tuple[UUID, tuple[float, ...]]


def add_regions(*, project: Project, user: User, rows: Any) -> dict[str, list[dict]]:
    """Draw boxes: `created` says which were drawn, `duplicated` which were there, `exceeded` which are too many.

    Raises:
        Refused: an image or a tag is not there, something is no box, or the project is none for detection.
    """
    if not is_detection(project) or not isinstance(rows, list) or not rows:
        raise Refused("BadRequestImageRegions", "Name regions of a detection project, each with imageId and tagId.")
    if len(rows) > MOST_REGIONS:
        raise Refused("BadRequestExceededBatchSize", f"At most {MOST_REGIONS} regions are drawn at once.")
    regions = regions_of(rows)
    ids = [ids_of([row.get("imageid")], 1, "imageId")[0] for row in rows]
    images = {image.pk: image for image in find_images(project, list(dict.fromkeys(ids)))}
    labels = Label.objects.filter(project=project).in_bulk([region.tag for region in regions])
    if len(images) < len(set(ids)) or len(labels) < len({region.tag for region in regions}):
        raise Refused("BadRequestImageRegions", "One of the images or tags is not there.")
    answer: dict[str, list[dict]] = {"created": [], "duplicated": [], "exceeded": []}
    for pk, image in images.items():
        own = [region for region, of in zip(regions, ids, strict=True) if of == pk]
        _draw(image, own, labels, user, answer)
    return answer


def _draw(
    image: Image, regions: Sequence[Region], labels: dict[UUID, Label], user: User, answer: dict[str, list[dict]]
) -> None:
    present = {_content(mark.label_id, mark.box or ()): mark.pk for mark in Annotation.objects.filter(image=image)}
    add = []
    for region in regions:
        box = region.box(image.width, image.height)
        content = _content(region.tag, box or ())
        if box is None or (content not in present and len(present) >= MOST_OF_AN_IMAGE):
            answer["exceeded"].append(_row(image, region, None))
        elif content in present:
            answer["duplicated"].append(_row(image, region, present[content]))
        else:
            present[content] = uuid7()
            add.append(AnnotationInput(labels[region.tag], box, present[content]))
            answer["created"].append(_row(image, region, present[content]))
    if add:
        change_annotations(image=image, add=add, revision=None, user=user)


def _content(label: UUID, box: Sequence[float]) -> Content:
    return label, tuple(on_grid(box)) if box else ()  # type: ignore[arg-type]


def _row(image: Image, region: Region, pk: UUID | None) -> dict[str, Any]:
    row = {
        "imageId": str(image.pk),
        "tagId": str(region.tag),
        "left": region.left,
        "top": region.top,
        "width": region.width,
        "height": region.height,
    }
    named = {"regionId": str(pk), "tagName": None, "created": naive(timezone.now())}
    return row if pk is None else {**row, **named}


def remove_regions(*, project: Project, user: User, ids: Sequence[UUID]) -> None:
    """Take boxes away. An image without any is untagged again: it is none that shows nothing."""
    marks = Annotation.objects.filter(image__dataset=find_dataset(project), pk__in=ids)
    by_image: dict[UUID, list[UUID]] = {}
    for pk, annotation in marks.values_list("image", "pk"):
        by_image.setdefault(pk, []).append(annotation)
    for image in find_images(project, list(by_image)):
        change_annotations(image=image, remove=by_image[image.pk], revision=None, user=user, shows_nothing=False)


def proposals(project: Project, text: str) -> dict[str, Any]:
    """Where the newest detector of the project sees something on an image; nothing while there is none.

    Raises:
        Refused: `NotFoundImage`.
    """
    pk = id_or_none(text)
    image = next(iter(find_images(project, [pk] if pk else [])), None)
    if image is None:
        raise missing("Image")
    run = iterations_of(project).filter(state=WorkState.SUCCEEDED).first() if is_detection(project) else None
    rows = []
    if run is not None and run.model is not None:
        with storage.pinned(image.blob) as path:
            found = answer_of(run.model, path)
        rows = [
            {"confidence": row["score"], "boundingBox": bounding_box(row["box"], found.width, found.height)}
            for row in found.boxes
        ]
    return {"projectId": str(project.pk), "imageId": str(image.pk), "proposals": rows}
