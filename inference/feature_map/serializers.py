"""Shapes of the map of a project's images."""

from __future__ import annotations

from rest_framework import serializers


class FeatureMapSerializer(serializers.Serializer):
    """A map of all images of a project: alike ones lie near each other."""

    code = serializers.CharField(
        allow_blank=True,
        help_text="Why there is no map: no_embedder, no_images, embedding, too_few_images or not_made; empty where "
        "there is one.",
    )
    detail = serializers.CharField(allow_blank=True)
    images = serializers.IntegerField(help_text="Of the project.")
    embedded = serializers.IntegerField(help_text="Images that can be compared; the others follow in the background.")
    made_at = serializers.DateTimeField(allow_null=True)
    mapped = serializers.IntegerField(help_text="Images on the map.")
    placed_later = serializers.IntegerField(
        help_text="Of these: placed beside those that they are like, after the map was made."
    )


class MapPointsSerializer(serializers.Serializer):
    """Points of the map, in base64: some 22 bytes an image. They are in no order."""

    count = serializers.IntegerField()
    ids = serializers.CharField(allow_blank=True, help_text="16 bytes each, the id of an image.")
    positions = serializers.CharField(
        allow_blank=True, help_text="x and y of each as little-endian 16-bit numbers, from the left upper corner."
    )
    places = serializers.CharField(
        allow_blank=True,
        help_text="The place of each image's label in `labels`, a little-endian 16-bit number; 65535: no label.",
    )
    labels = serializers.ListField(child=serializers.UUIDField(), help_text="Labels that images of the map carry.")
