from __future__ import annotations

from rest_framework import serializers

from accounts.known import KnownFieldsOnly
from accounts.names import OneLineName
from datasets.bulk_serializers import ImageFiltersSerializer
from datasets.gallery.orderings import NAMES
from datasets.saved_filters.models import SavedFilter


class SavedQuerySerializer(ImageFiltersSerializer):
    """The filters of lists of images, as JSON, and their order."""

    ordering = serializers.ChoiceField(
        [f"{sign}{name}" for name in sorted(NAMES) for sign in ("", "-")], required=False
    )


class SavedFilterSerializer(KnownFieldsOnly, OneLineName, serializers.ModelSerializer):
    query = SavedQuerySerializer()
    created_by = serializers.CharField(source="created_by.username", read_only=True)
    is_mine = serializers.SerializerMethodField(help_text="Whether you saved it: only then you may change it.")

    class Meta:
        model = SavedFilter
        fields = ["id", "project", "name", "query", "is_shared", "is_mine", "created_by", "created_at", "updated_at"]
        read_only_fields = ["project"]
        extra_kwargs = {"is_shared": {"help_text": "Every member of the project sees it. Editors share."}}

    def get_is_mine(self, saved: SavedFilter) -> bool:
        return saved.created_by_id == self.context["request"].user.pk
