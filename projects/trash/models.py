"""What lies in the trash, one row for each deletion."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from jobs.models import Identified
from projects.changes.models import Change
from projects.roles import Role


class TrashKind(models.TextChoices):
    IMAGES = "images"
    VIDEO = "video"
    DATASET = "dataset"
    MODEL = "model"
    PROJECT = "project"


class TrashEntry(Identified):
    """One deletion: of images, or of one thing, whose key is `target`.

    `count` is of its images, or of the images in it; an entry of which nothing is left has `is_empty`. `change` is the
    one that put it here last, so taking that back restores it. `facts` keeps what pointed to the thing.
    """

    project = models.ForeignKey("projects.Project", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=TrashKind.choices)
    target = models.UUIDField(null=True)
    name = models.CharField(max_length=255)
    count = models.PositiveIntegerField(default=0)
    is_empty = models.BooleanField(default=False)
    facts = models.JSONField(default=dict)
    change = models.ForeignKey(Change, null=True, on_delete=models.SET_NULL, related_name="+")
    deleted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    deleted_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "trash entries"
        indexes = [models.Index(fields=["project", "id"]), models.Index(fields=["deleted_at"])]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "target"], condition=models.Q(target__isnull=False), name="one_trash_entry_a_thing"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class TrashedMember(models.Model):
    """Who was a member of a project in the trash, and is one again when it is restored."""

    id = models.BigAutoField(primary_key=True)
    entry = models.ForeignKey(TrashEntry, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=10, choices=Role.choices)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entry", "user"], name="one_trashed_role_a_member")]

    def __str__(self) -> str:
        return f"{self.user} was {self.role} of {self.entry}"
