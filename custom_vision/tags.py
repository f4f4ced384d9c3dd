"""Tags: labels of the project with a type."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

from django.db.models import Count

from custom_vision.errors import Refused, missing
from custom_vision.models import TagDetail, TagType
from custom_vision.wire import id_or_none, text_of
from custom_vision.workspace import find_dataset, is_detection
from datasets.labels import create_label, update_label
from datasets.models import Annotation, Label
from projects.models import Project
from storage.database import atomic_again

LONGEST_NAME, LONGEST_DESCRIPTION = 100, 1000


def find_tag(project: Project, text: str) -> Label:
    """Raises `NotFoundTag`."""
    pk = id_or_none(text)
    label = None if pk is None else Label.objects.filter(project=project, pk=pk).first()
    if label is None:
        raise missing("Tag")
    return label


def tags_by_id(project: Project, ids: list[uuid.UUID]) -> dict[uuid.UUID, Label]:
    """The labels of these ids. Raises `NotFoundTag` when one is missing."""
    labels = Label.objects.filter(project=project).in_bulk(ids)
    if len(labels) != len(set(ids)):
        raise missing("Tag")
    return labels


@atomic_again
def make_tag(*, project: Project, name: str | None, description: str | None, type: str | None) -> Label:
    """Raises `Refused`, `LabelExists`."""
    kind = _checked_type(project, type)
    if kind == TagType.NEGATIVE:
        _require_no_negative(project)
    label = create_label(
        project=project, name=_checked_name(name), description=(description or "")[:LONGEST_DESCRIPTION]
    )
    if kind != TagType.REGULAR:
        TagDetail.objects.create(label=label, type=kind)
    return label


@atomic_again
def change_tag(*, label: Label, changes: dict[str, Any]) -> Label:
    """Name, description and type; what is not said stays. Raises `Refused`, `LabelExists`."""
    fields = {}
    if text_of(changes, "name") is not None:
        fields["name"] = _checked_name(text_of(changes, "name"))
    if text_of(changes, "description") is not None:
        fields["description"] = str(changes["description"])[:LONGEST_DESCRIPTION]
    if text_of(changes, "type") is not None:
        kind = _checked_type(label.project, text_of(changes, "type"))
        if kind == TagType.NEGATIVE:
            _require_no_negative(label.project, but=label)
        TagDetail.objects.update_or_create(label=label, defaults={"type": kind})
    return update_label(label=label, **fields) if fields else label


def _checked_name(name: str | None) -> str:
    name = (name or "").strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise Refused("BadRequestTagName", f"A tag's name has 1 to {LONGEST_NAME} characters in one line.")
    return name


def _checked_type(project: Project, type: str | None) -> str:
    kinds = {kind.lower(): kind for kind in TagType.values}
    kind = kinds.get((type or TagType.REGULAR).lower())
    if kind is None:
        raise Refused("BadRequestTagType", f"A tag is one of {', '.join(TagType.values)}; {type} is not supported.")
    if kind == TagType.NEGATIVE and is_detection(project):
        raise Refused("BadRequestDetectionTrainingNotAllowNegativeTag", "Detection projects have no negative tag.")
    return kind


def _require_no_negative(project: Project, but: Label | None = None) -> None:
    others = TagDetail.objects.filter(label__project=project, type=TagType.NEGATIVE)
    if others.exclude(label=but).exists():
        raise Refused("BadRequestMultipleNegativeTag", "The project has a negative tag already.")


def types_of(project: Project) -> dict[uuid.UUID, str]:
    """Label → its type, of those that are no regular ones."""
    return dict(TagDetail.objects.filter(label__project=project).values_list("label", "type"))


def negative_tags(project: Project) -> set[uuid.UUID]:
    return {pk for pk, kind in types_of(project).items() if kind == TagType.NEGATIVE}


def is_mixture(tags: Collection[uuid.UUID], negative: set[uuid.UUID]) -> bool:
    """Whether tags of an image contradict each other."""
    return len(tags) > 1 and not negative.isdisjoint(tags)


def image_counts(project: Project) -> dict[uuid.UUID, int]:
    """Label → how many images carry it."""
    rows = Annotation.objects.filter(image__dataset=find_dataset(project), confirmed=True).order_by()
    return dict(rows.values_list("label").annotate(count=Count("image", distinct=True)))


def list_tags(project: Project) -> list[dict]:
    types, counts = types_of(project), image_counts(project)
    labels = Label.objects.filter(project=project).order_by("order", "id")
    return [tag_json(label, types.get(label.pk), counts.get(label.pk, 0)) for label in labels]


def one_tag(label: Label) -> dict:
    return tag_json(label, types_of(label.project).get(label.pk), image_counts(label.project).get(label.pk, 0))


def tag_json(label: Label, type: str | None, count: int) -> dict:
    return {
        "id": str(label.pk),
        "name": label.name,
        "description": label.description,
        "type": type or TagType.REGULAR,
        "imageCount": count,
    }
