"""The shapes of trying the studio with drawn images."""

from __future__ import annotations

from rest_framework import serializers

from accounts.known import KnownFieldsOnly
from projects.models import Task


class SamplesSerializer(KnownFieldsOnly, serializers.Serializer):
    task = serializers.ChoiceField(
        choices=Task.choices,
        help_text="classification: one shape an image; multilabel: 1 to 3; detection: 1 to 4, each with its box.",
    )


class StartedSamplesSerializer(serializers.Serializer):
    project = serializers.UUIDField()
    dataset = serializers.UUIDField()
    job = serializers.UUIDField(help_text="It draws the images; they are in the dataset as they are made.")
