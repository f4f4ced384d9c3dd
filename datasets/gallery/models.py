from __future__ import annotations

import uuid

from django.db import models


class ImageLabel(models.Model):
    """That an image carries a label, once however often it does, with what lists are narrowed by beside it.

    `dataset_key` and `facets` are those of the image, so that one index answers; kept by `gallery.keeping`.
    """

    id = models.BigAutoField(primary_key=True)
    image = models.ForeignKey("datasets.Image", on_delete=models.CASCADE, related_name="+", db_index=False)
    label = models.ForeignKey("datasets.Label", on_delete=models.CASCADE, related_name="+", db_index=False)
    dataset_key = models.UUIDField()
    facets = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["image", "label"], name="one_row_a_label_of_an_image")]
        indexes = [models.Index(fields=["label", "image", "dataset_key", "facets"])]

    def __str__(self) -> str:
        return f"{self.label_id} on {self.image_id}"


# Stands for all images of a dataset where a label could be named.
ANY_LABEL = uuid.UUID(int=0)


class FacetCount(models.Model):
    """How many images of a dataset have these facets, and carry this label (`ANY_LABEL`: or none, or others)."""

    id = models.BigAutoField(primary_key=True)
    dataset = models.ForeignKey("datasets.Dataset", on_delete=models.CASCADE, related_name="+", db_index=False)
    label_key = models.UUIDField(default=ANY_LABEL)
    facets = models.PositiveSmallIntegerField()
    images = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset", "label_key", "facets"], name="one_count_of_a_combination")
        ]

    def __str__(self) -> str:
        return f"{self.images} images of {self.dataset_id} with {self.facets}"
