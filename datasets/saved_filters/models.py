from __future__ import annotations

from django.conf import settings
from django.db import models

from jobs.models import Identified
from projects.models import Project


class SavedFilter(Identified):
    """A filter of a project's images under a name. `query` is as the list of images takes it, but for the project.

    A shared one is seen by every member of the project, and stays when its author leaves.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="saved_filters")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=60)
    query = models.JSONField()
    is_shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "created_by", "name"], name="one_saved_filter_a_name")
        ]

    def __str__(self) -> str:
        return self.name
