"""The shapes of copying a project of Custom Vision."""

from __future__ import annotations

from rest_framework import serializers

from accounts.known import KnownFieldsOnly


class SourceSerializer(KnownFieldsOnly, serializers.Serializer):
    endpoint = serializers.CharField(
        max_length=500, help_text="As programs for Custom Vision have it: https://name.cognitiveservices.azure.com"
    )
    key = serializers.CharField(
        max_length=500, write_only=True, help_text="Its Training-Key. It is kept sealed until the copy is made."
    )


class CopySerializer(SourceSerializer):
    source_project = serializers.UUIDField(help_text="The id of the project there.")
    name = serializers.CharField(
        max_length=100, required=False, allow_blank=True, help_text="Of the project here; by default as there."
    )


class SourceProjectSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    created = serializers.DateTimeField(allow_null=True)


class StartedCopySerializer(serializers.Serializer):
    project = serializers.UUIDField()
    job = serializers.UUIDField(help_text="It copies the images; they are in the project as they come.")
