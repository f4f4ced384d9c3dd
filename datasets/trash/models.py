from __future__ import annotations

from django.db import models

from projects.models import TrashEntry


class TrashedImages(models.Model):
    """The dataset in the trash that holds what one deletion took of another dataset, `source`."""

    id = models.BigAutoField(primary_key=True)
    entry = models.ForeignKey(TrashEntry, on_delete=models.CASCADE, related_name="+")
    source = models.ForeignKey("datasets.Dataset", on_delete=models.CASCADE, related_name="+")
    dataset = models.OneToOneField("datasets.Dataset", on_delete=models.CASCADE, related_name="images_in_trash")

    class Meta:
        verbose_name_plural = "trashed images"
        constraints = [models.UniqueConstraint(fields=["entry", "source"], name="one_place_in_the_trash")]

    def __str__(self) -> str:
        return f"of {self.source_id} in {self.entry_id}"
