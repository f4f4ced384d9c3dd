"""What the settings of trainings and searches hold, for the schema."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from jobs.shapes import Integer, Number, Text, Yes, optional, perhaps


class ConfigurationSerializer(serializers.Serializer):
    """The settings of a training, with every choice made; null where one is left to others."""

    architecture = Text()
    preset = optional(Text)
    minutes = perhaps(Number, help_text="How long it was to take; 0: as long as it takes.")
    max_minutes = optional(Number, help_text="0: as long as it takes.")
    network = serializers.DictField(required=False, allow_null=True, help_text="Of architecture=custom.")
    resize = optional(Text)
    weights = optional(Text)
    image_size = optional(Integer)
    batch_size = optional(Integer)
    epochs = optional(Integer)
    fine_tune = perhaps(Yes)
    frozen_epochs = perhaps(Integer)
    fine_tune_epochs = optional(Integer)
    learning_rate = optional(Number)
    fine_tune_learning_rate = optional(Number)
    weight_decay = optional(Number)
    dropout = optional(Number)
    label_smoothing = optional(Number)
    augmentation = optional(Text)
    flip = perhaps(Text)
    rotation = perhaps(Number)
    zoom = perhaps(Number)
    contrast = perhaps(Number)
    class_weights = optional(Text)
    early_stopping = optional(Integer)
    anchor_sizes = perhaps(serializers.ListField, child=Number())
    anchor_ratios = perhaps(serializers.ListField, child=Number())
    mixed_precision = optional(Text)
    seed = optional(Integer)
    head_solver = optional(Text, help_text="lbfgs: the head was solved at once; adamw: in epochs.")


class ChosenSettingsSerializer(ConfigurationSerializer):
    """Some of the settings of a training."""

    architecture = optional(Text)


# A setting → a list of choices, or a range.
SPACE = {
    "type": "object",
    "additionalProperties": {
        "oneOf": [
            {"type": "array", "minItems": 1, "items": {"type": ["string", "number", "boolean"]}},
            {
                "type": "object",
                "required": ["min", "max"],
                "properties": {"min": {"type": "number"}, "max": {"type": "number"}, "log": {"type": "boolean"}},
            },
        ]
    },
}


@extend_schema_field(SPACE)
class SpaceField(serializers.DictField):
    pass
