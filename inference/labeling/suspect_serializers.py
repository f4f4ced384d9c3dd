"""The shapes of suspects: labels that are probably wrong."""

from __future__ import annotations

from rest_framework import serializers

from accounts.known import KnownFieldsOnly
from datasets.gallery.serializers import GridImageSerializer
from datasets.serializers import ImageSerializer
from inference.models import LabelIssue


class SuspectSerializer(serializers.ModelSerializer):
    image = ImageSerializer(read_only=True)
    box = serializers.ListField(child=serializers.FloatField(), allow_null=True, min_length=4, max_length=4)

    class Meta:
        model = LabelIssue
        fields = [
            "id",
            "model",
            "dataset",
            "rank",
            "kind",
            "label",
            "suggested",
            "annotation",
            "box",
            "quality",
            "suggested_score",
            "is_issue",
            "decision",
            "image",
            "created_at",
        ]
        read_only_fields = fields
        extra_kwargs = {
            "model": {"help_text": "null: found by the features of the images, without a model."},
            "quality": {
                "help_text": "How far the model believes the label, 0 to 1. Of an outlier: the usual distance to the "
                "nearest images of its label, over its own."
            },
            "suggested_score": {"help_text": "How far it believes what it suggests; null: an older search."},
        }


class LightSuspectSerializer(SuspectSerializer):
    """A suspect with its image as a gallery shows it."""

    image = GridImageSerializer(source="grid_image", read_only=True)


class SuspectDecisionSerializer(KnownFieldsOnly, serializers.Serializer):
    decision = serializers.ChoiceField(
        LabelIssue.Decision.choices,
        allow_null=True,
        help_text="kept: the label is right, and later searches of the model leave it out; corrected: the annotation "
        "was changed; null: not decided.",
    )


class SuspectSearchQuerySerializer(KnownFieldsOnly, serializers.Serializer):
    project = serializers.UUIDField(required=False)


class SuspectSearchSerializer(serializers.Serializer):
    """A search for wrong labels, and what is left of it."""

    model = serializers.UUIDField(allow_null=True, help_text="null: by the features of the images, without a model.")
    model_name = serializers.CharField(allow_null=True)
    model_version = serializers.IntegerField(allow_null=True)
    dataset = serializers.UUIDField()
    dataset_name = serializers.CharField()
    searched_at = serializers.DateTimeField()
    total = serializers.IntegerField(help_text="Labels that it put into order.")
    open = serializers.IntegerField(help_text="Of these: not decided, and still as they were.")
    issues = serializers.IntegerField(help_text="Of the open ones: probably wrong.")
    outliers = serializers.IntegerField(help_text="Open images that are unlike all others of their label.")
    decided = serializers.IntegerField(help_text="The others: kept or corrected, or their label was changed since.")
