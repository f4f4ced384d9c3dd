"""What lists of images can be narrowed by."""

from __future__ import annotations

import contextlib
import uuid

from django.db.models import Exists, OuterRef, Q
from django_filters import rest_framework as filters

from datasets.formats.boxes import composed
from datasets.models import Annotation, Image, Label, Origin, Split
from datasets.selectors import is_labelled
from projects.selectors import project_ids_of

RARE = 2_000


class ImageFilter(filters.FilterSet):
    dataset = filters.UUIDFilter(field_name="dataset_id")
    project = filters.UUIDFilter(field_name="dataset__project_id")
    label = filters.CharFilter(method="with_label", max_length=100, label="Name or id of a label.")
    split = filters.ChoiceFilter(choices=[*Split.choices, ("none", "none")], method="with_split")
    annotated = filters.BooleanFilter(
        method="with_annotations",
        label="With a confirmed annotation, or looked at; suggestions that wait do not count.",
    )
    origin = filters.ChoiceFilter(choices=Origin.choices, method="with_origin")
    video = filters.UUIDFilter(field_name="video_id")
    filename = filters.CharFilter(lookup_expr="icontains", max_length=255)

    class Meta:
        model = Image
        fields: list[str] = []

    unconfirmed = filters.BooleanFilter(method="with_unconfirmed", label="With suggestions that wait for a look.")

    def with_unconfirmed(self, queryset, name, value):
        waiting = _annotation_exists(confirmed=False)
        return queryset.filter(waiting if value else ~waiting)

    def with_label(self, queryset, name, value):
        labels = Label.objects.filter(project__in=project_ids_of(self.request.user))
        wanted = Q(name=composed(value))
        with contextlib.suppress(ValueError):
            wanted |= Q(pk=uuid.UUID(value))
        annotations = Annotation.objects.filter(label__in=list(labels.filter(wanted).values_list("pk", flat=True)))
        if annotations[RARE : RARE + 1].exists():
            return queryset.filter(Exists(annotations.filter(image=OuterRef("pk"))))
        # Few images have it: to look at each of a million for the label would take a second.
        return queryset.filter(pk__in=annotations.values("image"))

    def with_split(self, queryset, name, value):
        return queryset.filter(split=None if value == "none" else value)

    def with_annotations(self, queryset, name, value):
        return queryset.filter(is_labelled() if value else ~is_labelled())

    def with_origin(self, queryset, name, value):
        return queryset.filter(_annotation_exists(origin=value))


def _annotation_exists(**conditions) -> Exists:
    return Exists(Annotation.objects.filter(image=OuterRef("pk"), **conditions))
