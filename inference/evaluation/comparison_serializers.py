"""Shapes of comparisons."""

from __future__ import annotations

import uuid

from rest_framework import serializers

from datasets.models import Snapshot, Split
from inference.evaluation.result_serializers import ShownImageSerializer
from inference.shapes import (
    DifferenceSerializer,
)
from projects.scoped import Scoped, related


class CompareQuerySerializer(Scoped):
    ids = serializers.CharField(max_length=400, help_text="Ids of 2 to 5 models, with commas.")
    snapshot = related(
        Snapshot, required=False, default=None, help_text="Default: the newest on which all of them were measured."
    )
    split = serializers.ChoiceField(Split.choices, default=Split.TEST)

    def validate_ids(self, value: str) -> list[uuid.UUID]:
        try:
            return list(dict.fromkeys(uuid.UUID(part.strip()) for part in value.split(",") if part.strip()))
        except ValueError as error:
            raise serializers.ValidationError("Must be ids of models, with commas.") from error


class CompareRequestSerializer(Scoped):
    ids = serializers.ListField(child=serializers.UUIDField(), min_length=2, max_length=5)
    snapshot = related(Snapshot)
    split = serializers.ChoiceField(Split.choices, default=Split.TEST)


class ComparedModelSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    version = serializers.IntegerField()
    evaluation = serializers.UUIDField()
    left_out = serializers.IntegerField(help_text="Images that another of the models could not be measured on.")
    accuracy = serializers.FloatField(required=False)
    accuracy_interval = serializers.ListField(child=serializers.FloatField(), required=False)
    recall_by_label = serializers.DictField(child=serializers.FloatField(), required=False)
    mean_average_precision = serializers.FloatField(required=False)
    mean_average_precision_interval = serializers.ListField(
        child=serializers.FloatField(), required=False, allow_null=True
    )
    micro_f1 = serializers.FloatField(required=False)
    macro_f1 = serializers.FloatField(required=False)
    subset_accuracy = serializers.FloatField(required=False)
    average_precision_by_label = serializers.DictField(child=serializers.FloatField(allow_null=True), required=False)
    ap = serializers.FloatField(required=False, allow_null=True)
    ap50 = serializers.FloatField(required=False, allow_null=True)
    ap50_interval = serializers.ListField(child=serializers.FloatField(), required=False, allow_null=True)
    precision = serializers.FloatField(required=False)
    recall = serializers.FloatField(required=False)
    threshold = serializers.FloatField(required=False)
    ap50_by_label = serializers.DictField(child=serializers.FloatField(allow_null=True), required=False)


class ComparedPairSerializer(serializers.Serializer):
    first = serializers.UUIDField()
    second = serializers.UUIDField()
    test = serializers.CharField()
    difference = serializers.FloatField(help_text="Of accuracy, mean average precision or AP50, second less first.")
    interval = serializers.ListField(child=serializers.FloatField(), help_text="95 %, of the difference.")
    p_value = serializers.FloatField()
    is_significant = serializers.BooleanField(help_text="At 5 %.")
    only_first = serializers.IntegerField(required=False, help_text="Images that only the first got right.")
    only_second = serializers.IntegerField(required=False)


class ShownDifferenceSerializer(ShownImageSerializer, DifferenceSerializer):
    pass


class ComparisonSerializer(serializers.Serializer):
    snapshot = serializers.UUIDField()
    split = serializers.CharField()
    images = serializers.IntegerField()
    models = ComparedModelSerializer(many=True)
    pairs = ComparedPairSerializer(many=True)
    differences = ShownDifferenceSerializer(many=True, help_text="Images on which the models differ, at most 200.")
