from __future__ import annotations

from django.db.models import QuerySet
from rest_framework import serializers

from datasets.models import Snapshot, Split
from datasets.snapshot_reading.comparing import Difference
from datasets.snapshot_serializers import SnapshotSerializer


class SnapshotMarkSerializer(serializers.Serializer):
    """An annotation as it was when the snapshot was taken."""

    label = serializers.CharField()
    box = serializers.ListField(
        child=serializers.FloatField(),
        min_length=4,
        max_length=4,
        allow_null=True,
        default=None,
        help_text="x_min, y_min, x_max, y_max in pixels; null: the whole image.",
    )


class EarlierSerializer(serializers.Serializer):
    split = serializers.ChoiceField(Split.choices)
    labels = serializers.ListField(child=serializers.CharField())


class SnapshotImageSerializer(serializers.Serializer):
    """An image of a snapshot."""

    id = serializers.IntegerField()
    image = serializers.UUIDField(allow_null=True, help_text="null: it was deleted from its dataset since.")
    filename = serializers.CharField(allow_null=True)
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    split = serializers.ChoiceField(Split.choices)
    labels = serializers.ListField(child=serializers.CharField(), help_text="Each once, as it was called then.")
    annotations = SnapshotMarkSerializer(many=True)
    before = EarlierSerializer(allow_null=True, help_text="In comparisons: what it was in the other snapshot.")
    thumbhash = serializers.CharField(allow_null=True)
    thumbnail = serializers.CharField(help_text="Its address, by cookie or token. `size` may be changed.")


class SnapshotImagesQuerySerializer(serializers.Serializer):
    split = serializers.ChoiceField(Split.choices, required=False, default="")
    label = serializers.CharField(max_length=100, required=False, default="", help_text="Name of a label.")


class ScopedSnapshotField(serializers.PrimaryKeyRelatedField):
    """A snapshot that the user may see."""

    def get_queryset(self) -> QuerySet:
        return self.context.get("snapshots", Snapshot.objects.none())


class CompareSnapshotsQuerySerializer(serializers.Serializer):
    def get_fields(self) -> dict:
        other = ScopedSnapshotField(
            pk_field=serializers.UUIDField(), help_text="The other snapshot, which is taken for the earlier one."
        )
        return {**super().get_fields(), "with": other}  # a word of Python


class ComparedImagesQuerySerializer(CompareSnapshotsQuerySerializer):
    difference = serializers.ChoiceField([str(difference) for difference in Difference])


class ComparedLabelSerializer(serializers.Serializer):
    label = serializers.CharField()
    before = serializers.IntegerField(help_text="Images of it in the earlier snapshot.")
    after = serializers.IntegerField()


class ComparedSplitSerializer(serializers.Serializer):
    split = serializers.ChoiceField(Split.choices)
    before = serializers.IntegerField()
    after = serializers.IntegerField()


class DifferenceCountsSerializer(serializers.Serializer):
    added = serializers.IntegerField()
    removed = serializers.IntegerField()
    relabelled = serializers.IntegerField(help_text="With other annotations, boxes included.")
    moved = serializers.IntegerField(help_text="In another split.")
    unchanged = serializers.IntegerField(help_text="In both with the same split and annotations.")


class SnapshotComparisonSerializer(serializers.Serializer):
    before = SnapshotSerializer()
    after = SnapshotSerializer()
    images = DifferenceCountsSerializer()
    labels = ComparedLabelSerializer(many=True)
    splits = ComparedSplitSerializer(many=True)
