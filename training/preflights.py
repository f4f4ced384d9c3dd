"""What a preflight answers beside the estimate: what the training would see, label by label and split by split."""

from __future__ import annotations

from rest_framework import serializers

from jobs.shapes import Integer, Key, Text, optional
from training.serializers import EstimateSerializer


class SplitCountsSerializer(serializers.Serializer):
    train = Integer()
    validation = Integer()
    test = Integer()


class LabelCountsSerializer(SplitCountsSerializer):
    name = Text()


class PreflightFieldsSerializer(EstimateSerializer):
    snapshot = optional(Key)
    images = SplitCountsSerializer(required=False)
    labels = LabelCountsSerializer(many=True, required=False, help_text="Images with each label, by split.")
