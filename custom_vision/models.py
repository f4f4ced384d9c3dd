"""What Custom Vision has and the studio does not. Projects, labels, images and trainings are the studio's own rows."""

from __future__ import annotations

from django.db import models

from datasets.models import Dataset, Label
from projects.models import Project


class ClassificationType(models.TextChoices):
    MULTICLASS = "Multiclass"
    MULTILABEL = "Multilabel"


class TagType(models.TextChoices):
    REGULAR = "Regular"
    NEGATIVE = "Negative"


class ProjectSettings(models.Model):
    """Settings of a project as programs for Custom Vision gave them. Projects that the studio made have none.

    `dataset` is where its images lie; None: the first one of the project. `options` are kept and given back.
    """

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="custom_vision")
    domain = models.CharField(max_length=36)
    classification_type = models.CharField(max_length=10, choices=ClassificationType.choices, blank=True)
    platforms = models.JSONField(default=list, blank=True)
    options = models.JSONField(default=dict, blank=True)
    dataset = models.ForeignKey(Dataset, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        verbose_name_plural = "project settings"

    def __str__(self) -> str:
        return f"settings of {self.project}"


class TagDetail(models.Model):
    """The type of a label, where it is no regular one."""

    label = models.OneToOneField(Label, on_delete=models.CASCADE, related_name="custom_vision")
    type = models.CharField(max_length=10, choices=TagType.choices, default=TagType.REGULAR)

    def __str__(self) -> str:
        return f"{self.label} is {self.type}"
