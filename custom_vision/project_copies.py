"""Copies of projects by a token, within this studio: images, tags and regions, not the iterations."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.core import signing

from custom_vision.errors import Refused
from custom_vision.fetching import copy_of
from custom_vision.images import NewImage, Region, create_images
from custom_vision.iterations import iterations_of
from custom_vision.metadata import note_metadata
from custom_vision.metadata_filter import metadata_of
from custom_vision.models import TagDetail
from custom_vision.tags import types_of
from custom_vision.workspace import LONGEST_NAME, find_dataset, make_project, settings_of, visible_projects
from datasets.labels import create_label
from datasets.models import Annotation, Image, Label
from projects.models import Project
from storage.deleting import in_parts

SALT = "custom_vision.project-copy"
SECONDS = 86_400
# More would take longer than programs wait for an answer.
MOST_IMAGES = 1_000
MILLISECONDS_PER_IMAGE = 50


def export_json(project: Project) -> dict[str, Any]:
    """What would be copied, and the token for that, which works for a day and for members of the project."""
    dataset = find_dataset(project)
    images = Image.objects.filter(dataset=dataset).count()
    regions = Annotation.objects.filter(image__dataset=dataset, confirmed=True).exclude(x_min=None)
    return {
        "iterationCount": iterations_of(project).count(),
        "imageCount": images,
        "tagCount": Label.objects.filter(project=project).count(),
        "regionCount": regions.count(),
        "estimatedImportTimeInMS": images * MILLISECONDS_PER_IMAGE,
        "token": signing.dumps(str(project.pk), salt=SALT),
    }


def import_project(*, user: User, token: str | None, name: str | None) -> Project:
    """A new project with what the one of the token has.

    Raises:
        Refused: the token is none of this studio, has ended, or is of a project that the user does not see; or the
            project has more than MOST_IMAGES images.
    """
    source = _source(user, token)
    dataset = find_dataset(source)
    images = list(Image.objects.filter(dataset=dataset).select_related("blob").order_by("id")[: MOST_IMAGES + 1])
    if len(images) > MOST_IMAGES:
        detail = f"A project with more than {MOST_IMAGES} images is not copied: export its dataset in the studio."
        raise Refused("BadRequestOperationNotSupported", detail)
    settings = settings_of(source)
    copy = make_project(
        user=user,
        name=name or f"{source.name[: LONGEST_NAME - 4]} (1)",
        description=source.description,
        domain_id=settings.domain,
        classification_type=settings.classification_type or None,
        platforms=settings.platforms,
    )
    labels = _copy_labels(source, copy)
    for part in in_parts(images, 64):
        _copy_images(copy, user, part, labels)
    return copy


def _source(user: User, token: str | None) -> Project:
    try:
        pk = signing.loads(token or "", salt=SALT, max_age=SECONDS)
    except signing.BadSignature as error:
        detail = "This token is none of this studio, or has ended: export_project makes one that works for a day."
        raise Refused("BadRequestInvalidImportToken", detail) from error
    project = visible_projects(user).filter(pk=pk).first()
    if project is None:
        raise Refused("BadRequestInvalidImportToken", "The project of this token is not there for this key.")
    return project


def _copy_labels(source: Project, copy: Project) -> dict[UUID, Label]:
    """Label of the source → that of the copy."""
    types, labels = types_of(source), {}
    for label in Label.objects.filter(project=source).order_by("order", "id"):
        made = create_label(project=copy, name=label.name, color=label.color, description=label.description)
        if label.pk in types:
            TagDetail.objects.create(label=made, type=types[label.pk])
        labels[label.pk] = made
    return labels


def _copy_images(copy: Project, user: User, images: Sequence[Image], labels: dict[UUID, Label]) -> None:
    metadata = metadata_of(images)
    with contextlib.ExitStack() as cleanup:
        new = [_new(image, labels) for image in images]
        for one in new:
            if one.incoming is not None:
                cleanup.callback(one.incoming.discard)
        create_images(project=copy, user=user, images=new)
    for image, made in zip(images, new, strict=True):
        if image.pk in metadata and made.image_id is not None:
            note_metadata([UUID(made.image_id)], metadata[image.pk])


def _new(image: Image, labels: dict[UUID, Label]) -> NewImage:
    new = NewImage(image.filename, copy_of(image.blob))
    for mark in Annotation.objects.filter(image=image, confirmed=True).order_by("id"):
        if mark.box is None:
            new.tags.append(labels[mark.label_id].pk)
        else:
            x_min, y_min, x_max, y_max = mark.box
            width, height = image.width, image.height
            box = (x_min / width, y_min / height, (x_max - x_min) / width, (y_max - y_min) / height)
            new.regions.append(Region(labels[mark.label_id].pk, *box))
    return new
