"""The shapes of what a gallery reads."""

from __future__ import annotations

from rest_framework import serializers

from datasets.gallery import codes
from datasets.models import Origin, Split


class GridAnnotationSerializer(serializers.Serializer):
    label = serializers.UUIDField(help_text="Id of the label.")
    origin = serializers.ChoiceField(Origin.choices)
    confirmed = serializers.BooleanField()
    score = serializers.FloatField(allow_null=True)
    box = serializers.ListField(
        child=serializers.IntegerField(),
        allow_null=True,
        min_length=4,
        max_length=4,
        help_text="x_min, y_min, x_max, y_max in thousandths of the upright image's width and height.",
    )


class GridImageSerializer(serializers.Serializer):
    """An image as a gallery shows it."""

    id = serializers.UUIDField()
    dataset = serializers.UUIDField()
    filename = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    split = serializers.ChoiceField(Split.choices, allow_null=True)
    revision = serializers.IntegerField()
    reviewed = serializers.BooleanField()
    annotated = serializers.BooleanField(help_text="With a confirmed annotation, or looked at and empty.")
    annotation_count = serializers.IntegerField()
    suggestion_count = serializers.IntegerField()
    labels = serializers.ListField(child=serializers.UUIDField(), help_text="Ids of labels of `annotations`.")
    annotations = GridAnnotationSerializer(many=True, help_text="The first twelve.")
    thumbhash = serializers.CharField(
        allow_null=True, help_text="Base64 of a ThumbHash: a blurred image to show first. Null until it is computed."
    )
    thumbnail = serializers.CharField(help_text="Its address, which stays; by cookie or token. `size` may be changed.")


def _counts(name: str, values: list[str]) -> serializers.Serializer:
    """A list of how many images have each of some values."""
    fields = {"value": serializers.ChoiceField(values), "count": serializers.IntegerField()}
    return type(f"{name}CountSerializer", (serializers.Serializer,), fields)(many=True)


class LabelCountSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    count = serializers.IntegerField()


class DatasetCountSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    count = serializers.IntegerField()


class YesNoCountSerializer(serializers.Serializer):
    yes = serializers.IntegerField()
    no = serializers.IntegerField()

    def to_representation(self, instance: dict[bool, int]) -> dict:
        return {"yes": instance.get(True, 0), "no": instance.get(False, 0)}


class FacetsSerializer(serializers.Serializer):
    """Each count is of the images that all other filters leave."""

    total = serializers.IntegerField(help_text="Images that all filters leave.")
    labels = LabelCountSerializer(many=True, help_text="Images that carry each label of the project.")
    unlabelled = serializers.IntegerField(help_text="Images without an annotation.")
    splits = _counts("Split", codes.SPLIT_NAMES)
    origins = _counts("Origin", codes.ORIGIN_NAMES)
    image_formats = _counts("ImageFormat", codes.FORMAT_NAMES)
    annotated = YesNoCountSerializer()
    reviewed = YesNoCountSerializer()
    has_suggestions = YesNoCountSerializer()
    datasets = DatasetCountSerializer(many=True)


class NeighboursSerializer(serializers.Serializer):
    previous = serializers.UUIDField(allow_null=True, help_text="The image before it in the list.")
    next = serializers.UUIDField(allow_null=True)
    position = serializers.IntegerField(allow_null=True, help_text="From 0; null when the filters leave it out.")
    total = serializers.IntegerField()
