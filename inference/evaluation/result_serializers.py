"""Shapes of explanations, and of the images behind figures."""

from __future__ import annotations

from rest_framework import serializers

from accounts.known import KnownFieldsOnly
from accounts.numbers import Number
from datasets.models import Image
from inference.shapes import (
    CalibrationBinSerializer,
    PrecisionRecallSerializer,
    RocSerializer,
)
from projects.scoped import Scoped, related


class ShownImageSerializer(serializers.Serializer):
    """What shows an image behind a figure."""

    is_deleted = serializers.BooleanField(help_text="The dataset no longer has it; its `thumbnail` stays.")
    filename = serializers.CharField(allow_null=True)
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    thumbhash = serializers.CharField(allow_null=True)
    thumbnail = serializers.CharField(
        allow_null=True, help_text="null: the snapshot's images are gone, or are of a project that you do not see."
    )


class ExplanationRequestSerializer(Scoped):
    image = related(Image, required=False, help_text="An image of yours.")
    file = serializers.FileField(required=False, allow_empty_file=True, help_text="Or an image, sent along.")
    label = serializers.CharField(required=False, max_length=100, help_text="Default: the model's first answer.")

    def validate(self, attrs: dict) -> dict:
        if ("image" in attrs) == ("file" in attrs):
            raise serializers.ValidationError({"image": "Name an image, or send a file, one of them."}, code="required")
        return attrs


def _edges(help_text: str) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.FloatField(), min_length=4, max_length=4, allow_null=True, help_text=help_text
    )


class OutcomeQuerySerializer(KnownFieldsOnly, serializers.Serializer):
    """Which images of an evaluation are wanted."""

    label = serializers.CharField(required=False, max_length=100, help_text="Images that show this label.")
    predicted = serializers.CharField(required=False, max_length=100, help_text="Images on which the model said this.")
    outcome = serializers.ChoiceField(
        ["right", "wrong", "false_positive", "miss", "cell"],
        required=False,
        help_text="For classifiers right or wrong; for detectors also false_positive (of `predicted`) and miss (of "
        "`label`), where these are named. cell: what the confusion matrix counts for `label` and `predicted`; for "
        "detectors without `label` boxes where nothing is annotated, without `predicted` boxes that were not found.",
    )
    min_score = Number(min_value=0, max_value=1, required=False, help_text="Of the best answer.")
    max_score = Number(min_value=0, max_value=1, required=False)
    score_of = serializers.CharField(
        required=False,
        max_length=100,
        help_text="The label that `min_score` and `max_score` are about, instead of the best answer. Of classifiers: "
        "its score, and what shows it is right. Of detectors: the score of any box that was found as it.",
    )
    threshold = Number(
        min_value=0,
        max_value=1,
        required=False,
        help_text="For detectors; default: those that the figures were made with.",
    )
    offset = serializers.IntegerField(min_value=0, max_value=10_000_000, default=0)
    page_size = serializers.IntegerField(min_value=1, max_value=500, default=50)


class OutcomeBoxSerializer(serializers.Serializer):
    """A box that was found, or missed. Edges are x_min, y_min, x_max, y_max in pixels of the upright image."""

    match = serializers.ChoiceField(["hit", "false_positive", "miss"])
    label = serializers.CharField()
    score = serializers.FloatField(allow_null=True, help_text="null: it was missed.")
    box = _edges("What the model found; null: it was missed.")
    annotation = _edges("What was annotated; null: nothing of this label.")


class OutcomeSerializer(ShownImageSerializer):
    image = serializers.UUIDField()
    label = serializers.CharField(required=False)
    predicted = serializers.CharField(required=False)
    score = serializers.FloatField(required=False)
    label_score = serializers.FloatField(required=False)
    labels = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Of a multilabel model: what the image has."
    )
    predicted_labels = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Of a multilabel model: what it said."
    )
    hits = serializers.IntegerField(required=False)
    false_positives = serializers.IntegerField(required=False)
    misses = serializers.IntegerField(required=False)
    boxes = OutcomeBoxSerializer(many=True, required=False, help_text="Of a detector.")


class OutcomePageSerializer(serializers.Serializer):
    count = serializers.IntegerField()
    next = serializers.CharField(allow_null=True)
    results = OutcomeSerializer(many=True)


class ThresholdQuerySerializer(KnownFieldsOnly, serializers.Serializer):
    label = serializers.CharField(required=False, max_length=100, help_text="Default: all labels together.")


class CurveQuerySerializer(KnownFieldsOnly, serializers.Serializer):
    label = serializers.CharField(max_length=100)


class LabelChartsSerializer(serializers.Serializer):
    """One label against all others."""

    label = serializers.CharField()
    precision_recall = PrecisionRecallSerializer(allow_null=True, help_text="null: nothing has this label.")
    roc = RocSerializer(allow_null=True, help_text="null: of a detector, or all images or none have this label.")
    calibration = CalibrationBinSerializer(many=True, help_text="Of images, or of a detector's boxes.")


class ThresholdCostSerializer(serializers.Serializer):
    """At a lowest score: of classifiers best answers, one an image; of detectors boxes."""

    threshold = Number()
    right = serializers.IntegerField()
    wrong = serializers.IntegerField()
    left = serializers.IntegerField(help_text="Below the threshold: left to a person.")
    missed = serializers.IntegerField(help_text="Images or boxes of the label that are not among the right ones.")
    precision = serializers.FloatField(allow_null=True)
    recall = serializers.FloatField(allow_null=True)
    f1 = serializers.FloatField(allow_null=True)


class ThresholdTableSerializer(serializers.Serializer):
    label = serializers.CharField(allow_null=True)
    total = serializers.IntegerField(help_text="Images with the label, or annotated boxes.")
    rows = ThresholdCostSerializer(many=True, help_text="At 101 thresholds from 0 to 1.")


class ImageKindSerializer(KnownFieldsOnly, serializers.Serializer):
    kind = serializers.ChoiceField(["svg", "png"], default="svg")
