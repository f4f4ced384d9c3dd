"""The registry of trained models."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from datasets.models import Annotation, Dataset, Image, Snapshot
from jobs.models import Identified
from projects.models import Project, Task

# Of a label of a multilabel model for which none was chosen.
DEFAULT_THRESHOLD = 0.5


class FileKind(models.TextChoices):
    KERAS = "keras"
    KERAS_H5 = "keras-h5"
    LITERT_FLOAT32 = "litert-float32"
    LITERT_FLOAT16 = "litert-float16"
    LITERT_DYNAMIC = "litert-dynamic"
    LITERT_INT8 = "litert-int8"
    ONNX = "onnx"
    SAVED_MODEL = "saved_model"
    BUNDLE = "bundle"
    ORIGINAL = "original"
    LABELS = "labels"
    LABELS_JSON = "labels_json"
    MODEL_CARD = "model_card"
    MODEL_CARD_JSON = "model_card_json"


class Stage(models.TextChoices):
    NONE = "none"
    STAGING = "staging"
    PRODUCTION = "production"
    ARCHIVED = "archived"


class Visibility(models.TextChoices):
    PRIVATE = "private"
    PUBLIC = "public"


class Resize(models.TextChoices):
    """How an image becomes the size of the input: without regard to its shape, or whole with a grey rest."""

    STRETCH = "stretch"
    LETTERBOX = "letterbox"


class Model(Identified):
    """A trained model. `version` counts up within its project; `training` names the run that made it.

    `detector` has what reading a detector's output takes: anchors, thresholds, suppression. `score_threshold` is the
    lowest score that a classifier answers with, where a caller names none. `label_thresholds`, of a multilabel model,
    has the score from which on an image has a label, by its name. `origin` says what is known of a model that was made
    elsewhere. A project has at most one model in production.
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
    figures = models.JSONField(default=dict, editable=False)  # the single numbers of `metrics`, for lists
    detector = models.JSONField(default=dict, blank=True)
    score_threshold = models.FloatField(null=True, blank=True)  # of a classifier; null: every answer counts
    label_thresholds = models.JSONField(default=dict, blank=True)
    resize = models.CharField(max_length=10, choices=Resize.choices, default=Resize.STRETCH)
    origin = models.JSONField(default=dict, blank=True)
    tags = models.JSONField(default=list, blank=True)
    stage = models.CharField(max_length=10, choices=Stage.choices, default=Stage.NONE)
    visibility = models.CharField(max_length=10, choices=Visibility.choices, default=Visibility.PRIVATE)
    training = models.UUIDField(null=True, unique=True)
    base_model = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    snapshot = models.ForeignKey(Snapshot, null=True, on_delete=models.SET_NULL, related_name="models")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "version"], name="one_model_a_version"),
            models.UniqueConstraint(
                fields=["project", "task"], condition=models.Q(stage="production"), name="one_model_in_production"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"

    @property
    def ordered_thresholds(self) -> list[float]:
        """Of a multilabel model: from which score on an image has each label, in the order of its outputs."""
        return [float(self.label_thresholds.get(name, DEFAULT_THRESHOLD)) for name in self.class_names]


class StageChange(models.Model):
    """Who moved a model to which stage, when and why."""

    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="stage_changes")
    before = models.CharField(max_length=10, choices=Stage.choices)
    after = models.CharField(max_length=10, choices=Stage.choices)
    note = models.CharField(max_length=500, blank=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    changed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["model", "id"])]

    def __str__(self) -> str:
        return f"{self.model}: {self.before} to {self.after}"


class ModelFile(models.Model):
    """A file of a model. `report` has what was measured of an export before it was offered."""

    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="files")
    kind = models.CharField(max_length=20, choices=FileKind.choices)
    filename = models.CharField(max_length=100)
    blob = models.ForeignKey("storage.Blob", on_delete=models.PROTECT, related_name="+")
    report = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "kind"], name="one_file_a_kind")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.model}"


class Evaluation(Identified):
    """How good a model is on a part of a snapshot: figures, and the images behind the errors.

    `outcomes` has what the model said of each image, so that every figure leads to its images and two models can be
    compared; one that came with its model, or from a training of an early release, has none.
    """

    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="evaluations")
    snapshot = models.ForeignKey(Snapshot, null=True, on_delete=models.SET_NULL, related_name="+")
    split = models.CharField(max_length=10)
    file_kind = models.CharField(max_length=20, choices=FileKind.choices, default=FileKind.LITERT_FLOAT32)
    metrics = models.JSONField()
    curves = models.JSONField(default=dict, blank=True)
    outcomes = models.ForeignKey("storage.Blob", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    mistakes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.model} on {self.split}"

    @property
    def project(self) -> Project:
        return self.model.project


class LabelingCandidate(Identified):
    """An image that a model would learn from: how unsure it is, and its place in the order of what is most informative.

    `uncertainty` and `disagreement` (with a second model) are 0 to 1; `rank` counts from 1 within model and dataset.
    """

    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="labeling_candidates")
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="+")
    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="+")
    rank = models.PositiveIntegerField()
    uncertainty = models.FloatField()
    disagreement = models.FloatField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "image"], name="unique_candidate_per_model_and_image")]
        indexes = [models.Index(fields=["model", "dataset", "rank"])]

    def __str__(self) -> str:
        return f"{self.image} for {self.model}"


class LabelIssue(Identified):
    """A label that is probably wrong. `quality` is how far the model believes it, 0 to 1; `rank` counts from 1.

    `suggested_score` is how far it believes what it suggests; of a missing label `label` is empty. `decision` outlives
    the next search of the same model. Without a model it was found by the features of the images alone. Of an outlier
    `quality` is the usual distance to its nearest images over its own, and `label` is empty where it has none.
    """

    class Kind(models.TextChoices):
        LABEL = "label", "another label fits better"
        NOT_DRAWN = "not_drawn", "the model is sure of a box that nobody drew"
        NOT_SEEN = "not_seen", "the model sees nothing in the box"
        WRONG = "wrong", "one of several labels of the image is wrong"
        MISSING = "missing", "the image lacks one of several labels"
        OUTLIER = "outlier", "the image is unlike all others of its label"

    class Decision(models.TextChoices):
        KEPT = "kept", "it is right as it is"
        CORRECTED = "corrected", "it was wrong, and was corrected"

    model = models.ForeignKey(Model, null=True, on_delete=models.CASCADE, related_name="label_issues")
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="+")
    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="+")
    annotation = models.ForeignKey(Annotation, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    label = models.CharField(max_length=100, blank=True)
    suggested = models.CharField(max_length=100, blank=True)
    box = models.JSONField(null=True, blank=True)
    rank = models.PositiveIntegerField()
    quality = models.FloatField()
    suggested_score = models.FloatField(null=True)
    is_issue = models.BooleanField()
    decision = models.CharField(max_length=10, choices=Decision.choices, null=True, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["model", "dataset", "rank"])]

    def __str__(self) -> str:
        return f"{self.label} on {self.image}"

    @property
    def project(self) -> Project:
        return self.dataset.project
