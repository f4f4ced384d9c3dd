"""Messages of webhooks, said for the schema."""

from __future__ import annotations

from rest_framework import serializers

from jobs.shapes import Integer, Key, RemarkSerializer, Text, optional, perhaps


class DeliveryResultSerializer(serializers.Serializer):
    """Of an evaluation."""

    model = optional(Key)
    evaluation = optional(Key)
    images = optional(Integer)


class DeliveryDataSerializer(serializers.Serializer):
    """What is sent: of a job, a training or an evaluation, or of a deployment; nothing where an address is tried."""

    id = optional(Key)
    kind = optional(Text)
    state = optional(Text)
    error = perhaps(RemarkSerializer)
    result = perhaps(DeliveryResultSerializer)
    note = optional(Text)
    group = optional(Key)
    model = optional(Text)


class DeliveryPayloadSerializer(serializers.Serializer):
    type = Text()
    timestamp = serializers.DateTimeField()
    project = Key()
    data = DeliveryDataSerializer()
