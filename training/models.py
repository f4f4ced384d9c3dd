"""Training runs."""

from __future__ import annotations

from django.db import models

from datasets.models import Snapshot
from inference.models import Model
from projects.models import Project, Work


class TrainingRun(Work):
    """One training. States and lease as in `projects.models.Work`; exactly one model when it succeeds."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="trainings")
    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="trainings")
    name = models.CharField(max_length=100, blank=True)
    configuration = models.JSONField()
    estimate = models.JSONField(null=True, blank=True)
    history = models.JSONField(default=list)
    actual = models.JSONField(null=True, blank=True)
    base_model = models.ForeignKey(Model, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    starts_from = models.CharField(max_length=120, blank=True)  # what the base model was called, should it be deleted
    model = models.OneToOneField(Model, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(Work.Meta):
        indexes = [*Work.Meta.indexes, models.Index(fields=["project", "id"])]

    def __str__(self) -> str:
        return f"{self.name or self.configuration.get('architecture')} ({self.state})"
