from __future__ import annotations

from rest_framework import serializers

from storage.models import Upload


class ResumableUploadSerializer(serializers.ModelSerializer):
    class Meta:
        model = Upload
        fields = ["id", "filename", "length", "received", "is_complete", "created_at", "expires_at"]
        read_only_fields = fields

    is_complete = serializers.BooleanField(read_only=True)
