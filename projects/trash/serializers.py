from __future__ import annotations

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.known import KnownFieldsOnly
from projects.trash.models import TrashEntry, TrashKind
from projects.trash.services import removed_at

SHOWN = (TrashKind.IMAGES, TrashKind.VIDEO, TrashKind.DATASET)


class TrashEntrySerializer(serializers.ModelSerializer):
    kind = serializers.ChoiceField(TrashKind.choices)
    project_name = serializers.CharField(source="project.name")
    deleted_by = serializers.CharField(source="deleted_by.username", default=None, allow_null=True)
    removed_at = serializers.SerializerMethodField(help_text="When it is removed for good.")
    thumbnail = serializers.SerializerMethodField(help_text="Of one of its images, where it has some.")

    class Meta:
        model = TrashEntry
        fields = [
            "id",
            "project",
            "project_name",
            "kind",
            "name",
            "count",
            "deleted_by",
            "deleted_at",
            "removed_at",
            "change",
            "thumbnail",
        ]
        read_only_fields = fields
        extra_kwargs = {
            "count": {"help_text": "How many images it is, or has."},
            "change": {"help_text": "The change that deleted it: undoing it restores it as well."},
        }

    @extend_schema_field(serializers.DateTimeField())
    def get_removed_at(self, entry: TrashEntry) -> str:
        return serializers.DateTimeField().to_representation(removed_at(entry))

    def get_thumbnail(self, entry: TrashEntry) -> str | None:
        return reverse("trash-thumbnail", args=[entry.pk]) if entry.kind in SHOWN and entry.count else None


class TrashFilterSerializer(KnownFieldsOnly, serializers.Serializer):
    """What is emptied: the trash of a project; without one, that of projects that you owned."""

    project = serializers.UUIDField(required=False)


class TrashEmptiedSerializer(serializers.Serializer):
    removed = serializers.IntegerField(help_text="How many entries.")
