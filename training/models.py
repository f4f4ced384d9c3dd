"""Training runs."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from datasets.models import Snapshot
from inference.models import Model
from jobs.models import ENDED, Identified, Queue, Work, WorkState
from projects.models import Project


class Search(Identified):
    """A group of trainings that looks for better settings: rung by rung, the better half trains twice as long.

    Transitions: running → succeeded | failed | cancelled. `sizes` has how many trainings each rung has.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="searches")
    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="+")
    base_model = models.ForeignKey(Model, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    name = models.CharField(max_length=80, blank=True)
    configuration = models.JSONField(default=dict)
    space = models.JSONField()
    sizes = models.JSONField()
    rung = models.PositiveSmallIntegerField(default=0)
    max_runs = models.PositiveSmallIntegerField()
    max_minutes = models.FloatField(null=True, blank=True)
    seed = models.PositiveIntegerField(default=42)
    state = models.CharField(max_length=10, choices=WorkState.choices, default=WorkState.RUNNING)
    cancel_requested = models.BooleanField(default=False)
    note = models.CharField(max_length=300, blank=True)
    best = models.ForeignKey("TrainingRun", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "searches"
        indexes = [models.Index(fields=["project", "id"])]

    def __str__(self) -> str:
        return f"{self.name or 'search'} ({self.state})"

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED


class TrainingRun(Work):
    """One training. States and lease as in `jobs.models.Work`; exactly one model when it succeeds.

    `score` is what trainings are compared by: accuracy or AP50 on the validation split. `chosen` are the settings of
    a training that belongs to a search, before its epochs were shortened.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="trainings")
    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="trainings")
    queue = models.CharField(max_length=12, choices=Queue.choices, default=Queue.TRAINING, editable=False)
    name = models.CharField(max_length=100, blank=True)
    configuration = models.JSONField()
    estimate = models.JSONField(null=True, blank=True)
    history = models.JSONField(default=list)
    actual = models.JSONField(null=True, blank=True)
    base_model = models.ForeignKey(Model, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    starts_from = models.CharField(max_length=120, blank=True)  # what the base model was called, should it be deleted
    score = models.FloatField(null=True, blank=True)
    search = models.ForeignKey(Search, null=True, blank=True, on_delete=models.SET_NULL, related_name="runs")
    rung = models.PositiveSmallIntegerField(null=True, blank=True)
    chosen = models.JSONField(null=True, blank=True)
    model = models.OneToOneField(Model, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(Work.Meta):
        indexes = [*Work.Meta.indexes, models.Index(fields=["project", "id"])]

    @property
    def model_name(self) -> str:
        """Of the model that it makes: as its user named it, else as the project, for that is what people look for."""
        return self.name or self.project.name

    def __str__(self) -> str:
        return f"{self.name or self.configuration.get('architecture')} ({self.state})"
