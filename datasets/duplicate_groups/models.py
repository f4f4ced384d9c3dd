from __future__ import annotations

from django.conf import settings
from django.db import models

from jobs.models import Identified
from projects.models import Project


class DuplicateGroup(Identified):
    """Images that the last search of a dataset found to be copies of each other, or nearly so.

    `signature` is of the keys of its images: what was kept on purpose stays so when the next search finds the same
    group. `rank` counts from 1; those that matter most come first. `by_features`: hashes alone did not join it.
    """

    dataset = models.ForeignKey("datasets.Dataset", on_delete=models.CASCADE, related_name="duplicate_groups")
    rank = models.PositiveIntegerField()
    signature = models.CharField(max_length=64)
    is_exact = models.BooleanField()
    is_leak = models.BooleanField()
    has_label_conflict = models.BooleanField()
    by_features = models.BooleanField(default=False, db_default=False)
    is_kept = models.BooleanField(default=False)
    kept_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["dataset", "rank", "id"])]

    def __str__(self) -> str:
        return f"duplicates {self.rank} of {self.dataset}"

    @property
    def project(self) -> Project:
        return self.dataset.project


class DuplicateMember(models.Model):
    """An image of a group. It stays when the image is deleted, so that the group is there again when that is undone."""

    id = models.BigAutoField(primary_key=True)
    group = models.ForeignKey(DuplicateGroup, on_delete=models.CASCADE, related_name="members")
    image = models.ForeignKey(
        "datasets.Image", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "image"], name="one_member_an_image")]

    def __str__(self) -> str:
        return f"{self.image_id} in {self.group}"
