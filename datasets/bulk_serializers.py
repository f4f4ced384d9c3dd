"""The shapes of a change of many images."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers

from accounts.known import KnownFieldsOnly
from accounts.numbers import Number
from datasets.bulk import ACTIONS, MOST_AT_ONCE
from datasets.filters import MOST_LABELS
from datasets.gallery import codes
from datasets.models import Split
from jobs.shapes import constant

# Labels that an image is given at once.
MOST_LABELS_GIVEN = 200


def _labels() -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField(max_length=100), required=False, max_length=MOST_LABELS)


def _of_an_image(**options: Any) -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField(max_length=100), max_length=MOST_LABELS_GIVEN, **options)


class ImageFiltersSerializer(KnownFieldsOnly, serializers.Serializer):
    """The filters of lists of images, as JSON."""

    dataset = serializers.UUIDField(required=False)
    label = _labels()
    label_mode = serializers.ChoiceField(["any", "all"], required=False)
    without_label = _labels()
    split = serializers.ChoiceField(codes.SPLIT_NAMES, required=False)
    annotated = serializers.BooleanField(required=False)
    reviewed = serializers.BooleanField(required=False)
    origin = serializers.ChoiceField(codes.ORIGIN_NAMES, required=False)
    has_suggestions = serializers.BooleanField(required=False)
    min_score = Number(required=False, min_value=0, max_value=1)
    max_score = Number(required=False, min_value=0, max_value=1)
    image_format = serializers.ChoiceField(codes.FORMAT_NAMES, required=False)
    video = serializers.UUIDField(required=False)
    group = serializers.CharField(required=False, max_length=100)
    source = serializers.CharField(required=False, max_length=100)
    job = serializers.UUIDField(required=False)
    filename = serializers.CharField(required=False, max_length=255)
    q = serializers.CharField(required=False, max_length=255)
    created_after = serializers.DateTimeField(required=False)
    created_before = serializers.DateTimeField(required=False)

    def validate(self, attrs: dict) -> dict:
        return {
            name: value if isinstance(value, (bool, list, float)) else _text(value) for name, value in attrs.items()
        }


class ImageSelectionSerializer(ImageFiltersSerializer):
    """The filters of lists of images, as JSON. A project or a dataset is named, so that they are of one project."""

    project = serializers.UUIDField(required=False)

    def validate(self, attrs: dict) -> dict:
        if "project" not in attrs and "dataset" not in attrs:
            raise serializers.ValidationError({"project": "Name a project, or a dataset."}, code="required")
        return super().validate(attrs)


def _text(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


class BulkImagesSerializer(KnownFieldsOnly, serializers.Serializer):
    """Which images are changed: those that are named, or all that a filter leaves."""

    images = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        min_length=1,
        max_length=MOST_AT_ONCE,
        help_text="The images, or",
    )
    filter = ImageSelectionSerializer(required=False, help_text="all that these filters leave,")

    def get_fields(self) -> dict:
        left_out = serializers.ListField(
            child=serializers.UUIDField(),
            required=False,
            default=list,
            max_length=MOST_AT_ONCE,
            help_text="but for these.",
        )
        return {**super().get_fields(), "except": left_out}  # a word of Python


# Action → what it needs beside the images.
NEEDED = {
    "label": "label",
    "remove_label": "label",
    "set_labels": "labels",
    "move": "dataset",
    "split": "split",
    "group": "group",
}
PLAIN = ["unlabel", "set_empty", "confirm", "reject", "delete"]


class BulkLabelSerializer(BulkImagesSerializer):
    """Instead of the label that an image has; in multilabel projects beside its labels."""

    action = constant("label")
    label = serializers.CharField(max_length=100, help_text="Name or id.")


class BulkRemoveLabelSerializer(BulkImagesSerializer):
    """In multilabel projects: the images keep their other labels."""

    action = constant("remove_label")
    label = serializers.CharField(max_length=100, help_text="Name or id.")


class BulkSetLabelsSerializer(BulkImagesSerializer):
    """In multilabel projects: the images have just these labels."""

    action = constant("set_labels")
    labels = _of_an_image(help_text="Names or ids, without one twice.")


class BulkMoveSerializer(BulkImagesSerializer):
    action = constant("move")
    dataset = serializers.UUIDField(help_text="A dataset of the same project.")


class BulkSplitSerializer(BulkImagesSerializer):
    action = constant("split")
    split = serializers.ChoiceField(Split.choices, allow_null=True, help_text="null: none.")


class BulkGroupSerializer(BulkImagesSerializer):
    action = constant("group")
    group = serializers.CharField(max_length=100, allow_blank=True)


class BulkPlainSerializer(BulkImagesSerializer):
    """What needs no more than the images. `set_empty`, of multilabel projects: they have none of the labels."""

    action = serializers.ChoiceField(PLAIN)


# What an action needs beside the images, for the schema; `BulkSerializer` checks it.
BULK = PolymorphicProxySerializer(
    component_name="Bulk",
    serializers={
        "label": BulkLabelSerializer,
        "remove_label": BulkRemoveLabelSerializer,
        "set_labels": BulkSetLabelsSerializer,
        "move": BulkMoveSerializer,
        "split": BulkSplitSerializer,
        "group": BulkGroupSerializer,
        **dict.fromkeys(PLAIN, BulkPlainSerializer),
    },
    resource_type_field_name="action",
)


class BulkSerializer(BulkImagesSerializer):
    action = serializers.ChoiceField(list(ACTIONS))
    label = serializers.CharField(required=False, max_length=100)
    labels = _of_an_image(required=False)
    dataset = serializers.UUIDField(required=False)
    split = serializers.ChoiceField(Split.choices, required=False, allow_null=True)
    group = serializers.CharField(required=False, max_length=100, allow_blank=True)

    def validate(self, attrs: dict) -> dict:
        if ("images" in attrs) == ("filter" in attrs):
            raise serializers.ValidationError(
                {"images": "Name images, or send a filter, one of them."}, code="required"
            )
        needed = NEEDED.get(attrs["action"])
        if needed and needed not in attrs:
            raise serializers.ValidationError(
                {needed: f"The action {attrs['action']} needs {needed}."}, code="required"
            )
        return attrs


class BulkAnswerSerializer(serializers.Serializer):
    changed = serializers.IntegerField(help_text="Images that are not as they were before.")
    unchanged = serializers.IntegerField(help_text="Images that were so already, or cannot be.")
