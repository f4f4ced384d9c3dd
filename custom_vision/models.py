"""What Custom Vision has and the studio does not. Projects, labels, images and trainings are the studio's own rows."""

from __future__ import annotations

from django.db import models

from datasets.models import Dataset, Image, Label
from jobs.models import Identified
from projects.models import Project
from training.models import TrainingRun


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
    last_iteration = models.PositiveIntegerField(default=0, editable=False)

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


class Iteration(models.Model):
    """What a training is to programs for Custom Vision, beside what it is in the studio. Its id is the training's.

    `tags` are the ids of the labels by name, as they were when it began: a model knows names alone, and a label may be
    renamed or deleted since. `publish_name` is how predictions name its model; None: it is not published.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    run = models.OneToOneField(TrainingRun, on_delete=models.CASCADE, related_name="custom_vision")
    domain = models.CharField(max_length=36)
    classification_type = models.CharField(max_length=10, choices=ClassificationType.choices, blank=True)
    training_type = models.CharField(max_length=20, default="Regular")
    budget_hours = models.PositiveIntegerField(default=0)
    tags = models.JSONField(default=dict)
    publish_name = models.CharField(max_length=200, null=True, blank=True)
    resource = models.CharField(max_length=1000, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    # Platform and flavor as they were asked for, and the job that writes the file, of each export.
    exports = models.JSONField(default=list, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "publish_name"], name="one_iteration_a_publish_name")]

    def __str__(self) -> str:
        return f"{self.run} as an iteration"


class StoredPrediction(Identified):
    """An image that a model was asked about, with its answer; kept for a while: what was wrong is worth adding."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    run = models.ForeignKey(TrainingRun, on_delete=models.CASCADE, related_name="+")
    blob = models.ForeignKey("storage.Blob", on_delete=models.PROTECT, related_name="+")
    application = models.CharField(max_length=200, blank=True)
    predictions = models.JSONField()
    best = models.FloatField(default=0.0)  # the highest probability of an answer
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["project", "id"])]

    def __str__(self) -> str:
        return f"prediction of {self.created_at:%d %B %Y}"


class ImageMetadata(models.Model):
    """Words that a program keeps with an image, by name."""

    image = models.OneToOneField(Image, on_delete=models.CASCADE, related_name="custom_vision_metadata")
    content = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "image metadata"

    def __str__(self) -> str:
        return f"metadata of {self.image}"


class ProjectCopy(models.Model):
    """Where a project was copied from.

    `sealed_key` is the key of that service while it is needed; "" afterwards.
    """

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="+")
    endpoint = models.CharField(max_length=500)
    source = models.UUIDField()
    sealed_key = models.TextField(blank=True, editable=False)
    keyed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name_plural = "project copies"
        indexes = [models.Index(fields=["source"])]

    def __str__(self) -> str:
        return f"copy of {self.source} at {self.endpoint}"


class CopiedImage(models.Model):
    """An image of a service that has been copied, by its id there."""

    copy = models.ForeignKey(ProjectCopy, on_delete=models.CASCADE, related_name="images")
    source = models.UUIDField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["copy", "source"], name="an_image_is_copied_once")]

    def __str__(self) -> str:
        return f"image {self.source}"
