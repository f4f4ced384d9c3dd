from __future__ import annotations

from rest_framework import serializers

from accounts.known import KnownFieldsOnly
from datasets.duplicate_groups.models import DuplicateGroup
from datasets.gallery.serializers import GridImageSerializer
from jobs.serializers import JobSerializer


class DuplicateRowSerializer(GridImageSerializer):
    """An image of a group, with what one chooses by."""

    size = serializers.IntegerField(help_text="Bytes.")
    format = serializers.CharField()
    group = serializers.CharField(allow_blank=True, help_text="The group that its user gave it; empty: none.")
    created_at = serializers.DateTimeField()


class FoundDuplicatesGroupSerializer(serializers.ModelSerializer):
    """Images that are copies of each other, or nearly so."""

    images = DuplicateRowSerializer(many=True, source="rows", read_only=True, help_text="The first sixty.")
    left_out = serializers.IntegerField(read_only=True, help_text="How many images more there are.")

    class Meta:
        model = DuplicateGroup
        fields = [
            "id",
            "dataset",
            "rank",
            "is_exact",
            "is_leak",
            "has_label_conflict",
            "by_features",
            "is_kept",
            "images",
            "left_out",
            "created_at",
        ]
        read_only_fields = fields
        extra_kwargs = {
            "is_exact": {"help_text": "They are the same file."},
            "is_leak": {"help_text": "They were on both sides of a split when the search ran."},
            "has_label_conflict": {"help_text": "They carried different labels when the search ran."},
            "by_features": {"help_text": "Joined by their features: crops, mirrored copies, other light."},
            "is_kept": {"help_text": "Somebody decided that all of them stay."},
        }


class DuplicateDecisionSerializer(KnownFieldsOnly, serializers.Serializer):
    is_kept = serializers.BooleanField(help_text="true: all of them stay; later searches leave the group out, too.")


class DuplicatesSummarySerializer(serializers.Serializer):
    """Groups of the last search whose images are still there."""

    open = serializers.IntegerField(help_text="Groups that wait for a decision, and of these:")
    exact = serializers.IntegerField()
    leaks = serializers.IntegerField()
    label_conflicts = serializers.IntegerField()
    by_features = serializers.IntegerField()
    kept = serializers.IntegerField(help_text="Groups that somebody decided to keep.")
    job = JobSerializer(allow_null=True, help_text="The last job that searched; null: none did.")
