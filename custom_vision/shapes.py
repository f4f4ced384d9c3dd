"""What the job of a copy answers, for the schema."""

from __future__ import annotations

from jobs.shapes import Integer, Key, ResultSerializer, constant, optional, perhaps


class CopyResultSerializer(ResultSerializer):
    """Duplicates are images that the project had already. `failed` ones are asked for again by the next copy."""

    kind = constant("custom_vision_import")
    tags = optional(Integer)
    images = optional(Integer)
    duplicates = optional(Integer)
    failed = optional(Integer)
    change = perhaps(Key)
