"""Tags of images that are there already, and their end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User

from custom_vision.errors import Refused
from custom_vision.image_rows import find_images
from custom_vision.tags import is_mixture, negative_tags
from custom_vision.wire import Query, ids_of
from custom_vision.workspace import find_dataset, is_detection
from datasets.annotating import change_annotations
from datasets.image_labels import add_label
from datasets.images import label_images
from datasets.models import Annotation, Image, Label
from projects.models import Project, Task

MOST_IMAGES, MOST_PAIRS, MOST_DELETED = 64, 1280, 256


def images_to_delete(project: Project, query: Query) -> list[Image]:
    """Raises `BadRequestInvalidIds`: neither ids nor all."""
    if query.flag("allImages"):
        return list(Image.objects.filter(dataset=find_dataset(project)))
    ids = query.ids("imageIds", MOST_DELETED)
    if not ids:
        raise Refused("BadRequestInvalidIds", "Name images with imageIds, or all of them with allImages=true.")
    return find_images(project, ids)


def add_tags(*, project: Project, user: User, rows: Any) -> dict:
    """Give images tags: `created` says which got theirs, `duplicated` which had it.

    `exceeded` are those that cannot have it beside what they have: a second tag in a Multiclass project, and tags
    without regions in a detection project.

    Raises:
        Refused: `BadRequestImageTags`, `BadRequestExceededBatchSize`, `BadRequestNegativeAndRegularTagOnSameImage`.
    """
    pairs = pairs_of(rows)
    images = {image.pk: image for image in find_images(project, [image for image, _ in pairs])}
    labels = Label.objects.filter(project=project).in_bulk([tag for _, tag in pairs])
    if len(images) < len({image for image, _ in pairs}) or len(labels) < len({tag for _, tag in pairs}):
        raise Refused("BadRequestImageTags", "One of the images or tags is not there.")
    present, are_several = _tags_of(images), project.kind is Task.MULTILABEL
    if are_several:
        _require_no_mixture(project, present, pairs)
    answer: dict[str, list[dict]] = {"created": [], "duplicated": [], "exceeded": []}
    for image, tag in pairs:
        if tag in present[image]:
            kind = "duplicated"
        elif is_detection(project) or (present[image] and not are_several):
            kind = "exceeded"
        else:
            kind = "created"
            give = add_label if are_several else label_images
            give(images=[images[image]], label=labels[tag], user=user)
            present[image].add(tag)
        answer[kind].append({"imageId": str(image), "tagId": str(tag)})
    return answer


def _require_no_mixture(project: Project, present: dict[UUID, set[UUID]], pairs: list[tuple[UUID, UUID]]) -> None:
    negative = negative_tags(project)
    wanted = {image: set(tags) for image, tags in present.items()}
    for image, tag in pairs:
        wanted[image].add(tag)
    if any(is_mixture(tags, negative) for tags in wanted.values()):
        raise Refused(
            "BadRequestNegativeAndRegularTagOnSameImage", "The negative tag says that an image has none of the others."
        )


def pairs_of(rows: Any) -> list[tuple[UUID, UUID]]:
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise Refused("BadRequestImageTags", "tags must be a list of imageId and tagId.")
    if len(rows) > MOST_PAIRS:
        raise Refused("BadRequestExceededBatchSize", f"At most {MOST_PAIRS} tags are given at once.")
    return [(ids_of([row.get("imageid")], 1, "imageId")[0], ids_of([row.get("tagid")], 1, "tagId")[0]) for row in rows]


def _tags_of(images: dict[UUID, Image]) -> dict[UUID, set[UUID]]:
    present: dict[UUID, set[UUID]] = {pk: set() for pk in images}
    for image, label in Annotation.objects.filter(image__in=images, confirmed=True).values_list("image", "label"):
        present[image].add(label)
    return present


def remove_tags(*, project: Project, user: User, images: Sequence[UUID], tags: Sequence[UUID]) -> None:
    """Take each of the tags from each of the images, with its regions. An image without any is untagged again: it is
    none that shows nothing."""
    marks = Annotation.objects.filter(image__dataset=find_dataset(project), image__in=images, label__in=tags)
    by_image: dict[UUID, list[UUID]] = {}
    for pk, annotation in marks.values_list("image", "pk"):
        by_image.setdefault(pk, []).append(annotation)
    for image in find_images(project, list(by_image)):
        change_annotations(image=image, remove=by_image[image.pk], revision=None, user=user, shows_nothing=False)
