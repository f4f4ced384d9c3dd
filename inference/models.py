"""The registry of trained models."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from datasets.models import Snapshot
from projects.models import Identified, Project, Task


class FileKind(models.TextChoices):
    KERAS = "keras"
    KERAS_H5 = "keras-h5"
    LITERT_FLOAT32 = "litert-float32"
    LABELS = "labels"
    MODEL_CARD = "model_card"
    MODEL_CARD_JSON = "model_card_json"


class Model(Identified):
    """A trained model. `version` counts up within its project; `training` names the run that made it.

    `detector` has what reading a detector's output takes: anchors, thresholds, suppression.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="models")
    name = models.CharField(max_length=100)
    version = models.PositiveIntegerField()
    notes = models.TextField(blank=True, max_length=5000)
    task = models.CharField(max_length=20, choices=Task.choices)
    class_names = models.JSONField()
    architecture = models.CharField(max_length=50)
    input_height = models.PositiveIntegerField()
    input_width = models.PositiveIntegerField()
    parameters = models.PositiveBigIntegerField()
    metrics = models.JSONField(default=dict)
    detector = models.JSONField(default=dict, blank=True)
    training = models.UUIDField(null=True, unique=True)
    base_model = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    snapshot = models.ForeignKey(Snapshot, null=True, on_delete=models.SET_NULL, related_name="models")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "version"], name="one_model_a_version")]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class ModelFile(models.Model):
    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="files")
    kind = models.CharField(max_length=20, choices=FileKind.choices)
    filename = models.CharField(max_length=100)
    blob = models.ForeignKey("storage.Blob", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "kind"], name="one_file_a_kind")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.model}"


class Evaluation(Identified):
    """How good a model is on a part of a snapshot: figures, and the images behind the errors."""

    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="evaluations")
    snapshot = models.ForeignKey(Snapshot, null=True, on_delete=models.SET_NULL, related_name="+")
    split = models.CharField(max_length=10)
    metrics = models.JSONField()
    mistakes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.model} on {self.split}"
