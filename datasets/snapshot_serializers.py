"""Snapshots and their statistics, as the API takes and gives them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.known import KnownFieldsOnly
from accounts.names import OneLineName
from accounts.numbers import Number
from datasets.models import Snapshot
from datasets.shapes import SnapshotCountsSerializer
from datasets.snapshots import DEFAULT_FRACTIONS
from jobs.shapes import Described


class FractionField(Number):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0.0, max_value=1.0, **kwargs)


class SnapshotRequestSerializer(KnownFieldsOnly, serializers.Serializer):
    train = FractionField(default=DEFAULT_FRACTIONS["train"])
    validation = FractionField(default=DEFAULT_FRACTIONS["validation"])
    test = FractionField(default=DEFAULT_FRACTIONS["test"])
    seed = serializers.IntegerField(min_value=0, max_value=2**31 - 1, default=42)

    def validate(self, attrs: dict) -> dict:
        total = attrs["train"] + attrs["validation"] + attrs["test"]
        if abs(total - 1) > 1e-6:
            raise serializers.ValidationError({"train": f"The three fractions must sum to 1, not {total:g}."})
        return attrs


class SnapshotSerializer(serializers.ModelSerializer):
    dataset_name = serializers.CharField(source="name_of_dataset", read_only=True)
    has_images = serializers.BooleanField(
        read_only=True, help_text="False once its dataset was deleted: it is kept as a record only."
    )
    fractions = serializers.DictField(child=serializers.FloatField())
    counts = Described(SnapshotCountsSerializer())
    class_names = serializers.ListField(child=serializers.CharField())
    project_name = serializers.CharField(source="project.name", read_only=True)
    title = serializers.CharField(read_only=True, help_text="Its name, or its dataset and number.")
    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True, read_only=True)

    class Meta:
        model = Snapshot
        fields = [
            "id", "project", "dataset", "dataset_name", "has_images", "number", "digest", "fractions", "seed",
            "class_names", "counts", "created_at", "name", "notes", "title", "project_name", "created_by",
        ]  # fmt: skip


class SnapshotChangeSerializer(KnownFieldsOnly, OneLineName, serializers.ModelSerializer):
    """What can be said about a snapshot; what is in it never changes."""

    class Meta:
        model = Snapshot
        fields = ["name", "notes"]


class LabelStatisticsSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    images = serializers.IntegerField()
    annotations = serializers.IntegerField()
    by_split = serializers.DictField(child=serializers.IntegerField())


class SizeSerializer(serializers.Serializer):
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    images = serializers.IntegerField()


class StatisticsSerializer(serializers.Serializer):
    images = serializers.IntegerField()
    annotated = serializers.IntegerField()
    unannotated = serializers.IntegerField()
    labels = LabelStatisticsSerializer(many=True)
    splits = serializers.DictField(child=serializers.IntegerField())
    formats = serializers.DictField(child=serializers.IntegerField())
    sizes = SizeSerializer(many=True)
