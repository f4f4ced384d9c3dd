"""What lists of images can be narrowed by."""

from __future__ import annotations

import contextlib
import uuid
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field

from common.errors import Invalid
from datasets.gallery import codes
from datasets.gallery.scope import scope_of
from datasets.gallery.selection import Selection, images_in
from datasets.models import FROM_DEVICES, Image, Label, Origin, Split
from vision.formats.boxes import composed

MOST_LABELS = 20


class RepeatedField(forms.Field):
    """Texts of a parameter that may be given several times."""

    widget = forms.MultipleHiddenInput

    def clean(self, value: Any) -> list[str]:
        texts = [text for text in value or [] if text]
        if len(texts) > MOST_LABELS:
            raise forms.ValidationError(f"Name at most {MOST_LABELS} labels.", code="max_length")
        if any(len(text) > 100 or "\x00" in text for text in texts):
            raise forms.ValidationError("A label has 1 to 100 characters.", code="invalid")
        return texts


@extend_schema_field({"type": "array", "items": {"type": "string", "maxLength": 100}, "maxItems": MOST_LABELS})
class RepeatedFilter(filters.Filter):
    field_class = RepeatedField


class ImageFilter(filters.FilterSet):
    dataset = filters.UUIDFilter()
    project = filters.UUIDFilter()
    label = RepeatedFilter(label="Names or ids of labels; may be repeated.")
    label_mode = filters.ChoiceFilter(
        choices=[("any", "any"), ("all", "all")], label="With several labels: any of them (the default), or all."
    )
    without_label = RepeatedFilter(label="Names or ids of labels that the image must not carry; may be repeated.")
    split = filters.ChoiceFilter(choices=[*Split.choices, ("none", "none")])
    annotated = filters.BooleanFilter(
        label="With a confirmed annotation, or looked at; suggestions that wait do not count."
    )
    reviewed = filters.BooleanFilter(label="Somebody looked at it.")
    origin = filters.ChoiceFilter(
        choices=[*Origin.choices, ("none", "none")], label="Of one of its annotations; none: it has no annotation."
    )
    has_suggestions = filters.BooleanFilter(label="With suggestions that wait for a look.")
    unconfirmed = filters.BooleanFilter(label="Deprecated: the same as has_suggestions.")
    min_score = filters.NumberFilter(min_value=0, max_value=1, label="Of a suggestion, with the label if one is named.")
    max_score = filters.NumberFilter(min_value=0, max_value=1, label="Of a suggestion, with the label if one is named.")
    image_format = filters.ChoiceFilter(choices=[(name, name) for name in codes.FORMAT_NAMES])
    video = filters.UUIDFilter()
    group = filters.CharFilter(max_length=100)
    source = filters.CharFilter(max_length=100, label="Where it came from, as `source` says it.")
    from_devices = filters.BooleanFilter(label="Sent back by devices.")
    job = filters.UUIDFilter(label="The import that brought it.")
    filename = filters.CharFilter(max_length=255, label="Part of the file name.")
    q = filters.CharFilter(max_length=255, label="Part of the file name.")
    created_after = filters.IsoDateTimeFilter(label="Added at this time or later.")
    created_before = filters.IsoDateTimeFilter(label="Added before this time.")

    class Meta:
        model = Image
        fields: list[str] = []

    def filter_queryset(self, queryset: QuerySet[Image]) -> QuerySet[Image]:
        # What to join and prefetch comes from the view; what the user may see is in the scope.
        chosen = images_in(self.selection())
        chosen.query.select_related = queryset.query.select_related
        chosen._prefetch_related_lookups = queryset._prefetch_related_lookups  # type: ignore[attr-defined]
        return chosen

    def selection(self) -> Selection:
        """What is asked for. The form must be valid."""
        return selection_of(self.request.user, self.form.cleaned_data)


def selection_of(user: User, options: dict) -> Selection:
    """`options`: cleaned values of an `ImageFilter`."""
    scope = scope_of(user, project=options.get("project"), dataset=options.get("dataset"))
    labels = Label.objects.filter(project__in=scope.projects())
    waiting = options.get("has_suggestions")
    pattern = (
        codes.split_pattern(options.get("split"))
        & codes.origin_pattern(options.get("origin"))
        & codes.format_pattern(options.get("image_format"))
        & codes.flag_pattern(codes.ANNOTATED, options.get("annotated"))
        & codes.flag_pattern(codes.REVIEWED, options.get("reviewed"))
        & codes.flag_pattern(codes.SUGGESTED, options.get("unconfirmed") if waiting is None else waiting)
    )
    return Selection(
        scope=scope,
        pattern=pattern,
        labels=tuple(_called(labels, text) for text in options.get("label") or ()),
        all_labels=options.get("label_mode") == "all",
        without=frozenset().union(*(_called(labels, text) for text in options.get("without_label") or ())),
        lowest_score=_number(options.get("min_score")),
        highest_score=_number(options.get("max_score")),
        rest=_rest(options),
    )


def _called(labels: QuerySet[Label], text: str) -> frozenset:
    condition = Q(name=composed(text))
    with contextlib.suppress(ValueError):
        condition |= Q(pk=uuid.UUID(text))
    return frozenset(labels.filter(condition).values_list("pk", flat=True))


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _rest(options: dict) -> Q:
    """Conditions that no kept count knows."""
    rest = Q()
    for name in ("group", "source"):
        if options.get(name):
            rest &= Q(**{name: options[name]})
    if (sent_back := options.get("from_devices")) is not None:
        of_devices = Q(source__startswith=FROM_DEVICES)
        rest &= of_devices if sent_back else ~of_devices
    if options.get("job"):
        rest &= Q(source=f"import:{options['job']}")
    if options.get("video"):
        rest &= Q(video=options["video"])
    for text in filter(None, (options.get("filename"), options.get("q"))):
        rest &= Q(filename__icontains=text)
    return rest & _between(options.get("created_after"), options.get("created_before"))


def _between(after: datetime | None, before: datetime | None) -> Q:
    rest = Q()
    if after is not None:
        rest &= Q(id__gte=_first_id_at(after))
    if before is not None:
        rest &= Q(id__lt=_first_id_at(before))
    return rest


def _first_id_at(moment: datetime) -> uuid.UUID:
    """Ids sort by time (UUIDv7, RFC 9562), and every index of images knows them."""
    milliseconds = min(max(int(moment.timestamp() * 1000), 0), 2**48 - 1)
    return uuid.UUID(int=milliseconds << 80)


def filterset_of(user: User | None, values: dict) -> ImageFilter:
    """The filters as they are written in JSON: booleans, texts, and lists of labels.

    Raises:
        Invalid: a value makes no sense.
    """
    query = QueryDict(mutable=True)
    for name, value in values.items():
        query.setlist(name, [_as_text(item) for item in (value if isinstance(value, list) else [value])])
    filterset = ImageFilter(query, request=SimpleNamespace(user=user))
    if not filterset.is_valid():
        wrong = [f"{name}: {text}" for name, texts in filterset.errors.items() for text in texts]
        raise Invalid(wrong, attr="filter")
    return filterset


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
