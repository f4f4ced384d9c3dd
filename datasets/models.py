"""Labels, datasets, images, annotations and their frozen versions."""

from __future__ import annotations

import random

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models

# Their tables are this app's.
from datasets.duplicate_groups.models import DuplicateGroup as DuplicateGroup
from datasets.duplicate_groups.models import DuplicateMember as DuplicateMember
from datasets.gallery.models import ANY_LABEL as ANY_LABEL
from datasets.gallery.models import FacetCount as FacetCount
from datasets.gallery.models import ImageLabel as ImageLabel
from datasets.saved_filters.models import SavedFilter as SavedFilter
from datasets.trash.models import TrashedImages as TrashedImages
from jobs.models import Identified
from projects.models import Project


class Split(models.TextChoices):
    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


class Origin(models.TextChoices):
    HUMAN = "human"
    IMPORTED = "imported"
    MODEL = "model"


class NearDuplicates(models.TextChoices):
    """Which images that look alike share a split: nearly the same ones, also crops and mirrored copies by their
    features, the same image saved again, or none."""

    STRICT = "strict"
    FEATURES = "features"
    EXACT = "exact"
    OFF = "off"


def random_place() -> int:
    """Where an image stands in the shuffled order of its dataset."""
    return random.getrandbits(31)


class Label(Identified):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="labels")
    name = models.CharField(max_length=100)
    color = models.CharField(
        max_length=7, default="#808080", validators=[RegexValidator(r"^#[0-9a-fA-F]{6}\Z", "Use #rrggbb.")]
    )
    order = models.PositiveIntegerField(default=0)
    description = models.TextField(blank=True, default="", max_length=1000)
    # The key that gives this label in the browser.
    hotkey = models.CharField(
        max_length=1, null=True, blank=True, validators=[RegexValidator(r"^[0-9a-z]\Z", "Use one of 0-9, a-z.")]
    )

    class Meta:
        ordering = ["order", "id"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="one_label_a_name"),
            models.UniqueConstraint(fields=["project", "hotkey"], name="one_label_a_key"),
        ]

    def __str__(self) -> str:
        return self.name


class Dataset(Identified):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="datasets")
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True, max_length=5000)
    near_duplicates = models.CharField(
        max_length=10, choices=NearDuplicates.choices, default=NearDuplicates.STRICT, db_default=NearDuplicates.STRICT
    )
    image_count = models.PositiveIntegerField(default=0, editable=False)
    last_snapshot = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [models.Index(fields=["project", "name", "id"])]

    def __str__(self) -> str:
        return self.name


class Video(Identified):
    """A video in a dataset. Width and height are those of the upright image, times are seconds, rotation is degrees.

    Until `is_surveyed`, `frame_count`, `fps` and `duration` are the file's own claims. `note` says what is odd of it.
    """

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="videos")
    blob = models.ForeignKey("storage.Blob", on_delete=models.PROTECT, related_name="+")
    strip_blob = models.ForeignKey("storage.Blob", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    filename = models.CharField(max_length=255)
    container = models.CharField(max_length=10)
    codec = models.CharField(max_length=20, blank=True)
    size = models.BigIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    rotation = models.PositiveSmallIntegerField(default=0)
    fps = models.FloatField()
    frame_count = models.PositiveBigIntegerField()
    duration = models.FloatField()
    is_surveyed = models.BooleanField(default=False, editable=False)
    is_variable_rate = models.BooleanField(null=True, editable=False)
    strip_times = models.JSONField(default=list, editable=False)
    note = models.CharField(max_length=300, blank=True, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dataset", "blob"], name="one_video_a_content")]
        indexes = [models.Index(fields=["dataset", "id"]), models.Index(fields=["dataset", "filename", "id"])]

    def __str__(self) -> str:
        return self.filename

    @property
    def project(self) -> Project:
        return self.dataset.project


# What the source of an image begins with that a device sent back; its name follows.
FROM_DEVICES = "device "


class Image(Identified):
    """One image of a dataset. Width and height are those of the upright image.

    `phash` is a 256-bit perceptual hash in hexadecimal; `group` names what must stay on one side of a split;
    `frame_index` and `frame_time` (seconds after the first frame) say where in `video` it was cut out;
    `revision` counts changes of its annotations; `reviewed` says that somebody looked at it, so that in a detection
    project an image without boxes is one that shows nothing.

    From `project_key` to `lowest_score` the fields follow from others and from the annotations; `gallery.keeping` keeps
    them. `facets` is a code of `gallery.codes`, null until it was computed. `lowest_score` is that of the suggestions
    that wait for a look, and 1 where none waits.
    """

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="images")
    blob = models.ForeignKey("storage.Blob", on_delete=models.PROTECT, related_name="+")
    filename = models.CharField(max_length=255)
    source = models.CharField(max_length=100, blank=True)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    format = models.CharField(max_length=10)
    size = models.BigIntegerField()
    phash = models.CharField(max_length=64)
    split = models.CharField(max_length=10, choices=Split.choices, null=True, blank=True)
    group = models.CharField(max_length=100, blank=True)
    video = models.ForeignKey(Video, null=True, blank=True, on_delete=models.SET_NULL, related_name="frames")
    frame_index = models.PositiveBigIntegerField(null=True, blank=True)
    frame_time = models.FloatField(null=True, blank=True)
    has_thumbnails = models.BooleanField(default=False, editable=False)
    revision = models.PositiveIntegerField(default=0)
    reviewed = models.BooleanField(default=False, editable=False)
    thumbhash = models.CharField(max_length=40, blank=True, default="", editable=False)
    shuffle = models.PositiveIntegerField(default=random_place, editable=False)
    project_key = models.UUIDField(null=True, editable=False)
    facets = models.PositiveSmallIntegerField(null=True, editable=False)
    annotation_count = models.PositiveIntegerField(default=0, editable=False)
    suggestion_count = models.PositiveIntegerField(default=0, editable=False)
    lowest_score = models.FloatField(default=1.0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dataset", "blob"], name="one_image_a_content")]
        indexes = [
            models.Index(fields=["dataset", "id", "facets"]),
            models.Index(fields=["dataset", "facets", "id"]),
            models.Index(fields=["dataset", "filename", "id", "facets"]),
            models.Index(fields=["dataset", "size", "id", "facets"]),
            models.Index(fields=["dataset", "lowest_score", "id", "facets"]),
            models.Index(fields=["project_key", "id", "dataset", "facets"]),
            models.Index(fields=["id"], condition=models.Q(has_thumbnails=False), name="image_without_thumbnails"),
            models.Index(fields=["id"], condition=models.Q(facets=None), name="image_without_facets"),
        ]

    def __str__(self) -> str:
        return self.filename

    @property
    def project(self) -> Project:
        return self.dataset.project


class Annotation(Identified):
    """A label on an image, with a box in a detection project. `score` is set when a model made it."""

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="annotations")
    label = models.ForeignKey(Label, on_delete=models.CASCADE, related_name="annotations")
    x_min = models.FloatField(null=True, blank=True)
    y_min = models.FloatField(null=True, blank=True)
    x_max = models.FloatField(null=True, blank=True)
    y_max = models.FloatField(null=True, blank=True)
    origin = models.CharField(max_length=10, choices=Origin.choices, default=Origin.HUMAN)
    score = models.FloatField(null=True, blank=True)
    confirmed = models.BooleanField(default=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["label", "image"]),
            models.Index(
                fields=["label", "score", "image"], condition=models.Q(confirmed=False), name="suggestions_by_score"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="box_whole_or_absent",
                condition=models.Q(x_min=None, y_min=None, x_max=None, y_max=None)
                | models.Q(x_max__gt=models.F("x_min"), y_max__gt=models.F("y_min")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.label} on {self.image}"

    @property
    def box(self) -> list[float] | None:
        return None if self.x_min is None else [self.x_min, self.y_min, self.x_max, self.y_max]  # type: ignore[list-item]


class AnnotationChange(models.Model):
    """Who changed the annotations of an image, when, from what to what."""

    id = models.BigAutoField(primary_key=True)
    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="changes")
    revision = models.PositiveIntegerField()
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    changed_at = models.DateTimeField(auto_now_add=True)
    before = models.JSONField()
    after = models.JSONField()
    # What it was part of, and whether the image counted as looked at: enough to go back.
    change = models.ForeignKey("projects.Change", null=True, on_delete=models.SET_NULL, related_name="+")
    reviewed_before = models.BooleanField(null=True)
    reviewed_after = models.BooleanField(null=True)

    class Meta:
        indexes = [models.Index(fields=["image", "id"])]

    def __str__(self) -> str:
        return f"revision {self.revision} of {self.image}"


class Snapshot(Identified):
    """A frozen version of a dataset. Nothing in it changes but its name and the notes about it; training and evaluation
    always run on one.

    It outlives its dataset as a record of what something was trained or measured on: without images, then.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    dataset = models.ForeignKey(Dataset, null=True, on_delete=models.SET_NULL, related_name="snapshots")
    dataset_name = models.CharField(max_length=100, blank=True)  # what it was called when it was deleted
    # The dataset while it lies in the trash: the images are kept until it is removed for good.
    trashed_dataset = models.ForeignKey(Dataset, null=True, editable=False, on_delete=models.SET_NULL, related_name="+")
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    fractions = models.JSONField()
    seed = models.PositiveIntegerField()
    class_names = models.JSONField()
    counts = models.JSONField()
    name = models.CharField(max_length=100, blank=True)
    notes = models.TextField(blank=True, max_length=5000)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["project", "id"])]
        constraints = [models.UniqueConstraint(fields=["dataset", "number"], name="one_snapshot_a_number")]

    def __str__(self) -> str:
        return f"{self.name_of_dataset} #{self.number}"

    @property
    def title(self) -> str:
        """Its name, where somebody gave it one."""
        return self.name or str(self)

    @property
    def has_images(self) -> bool:
        return self.dataset_id is not None

    @property
    def name_of_dataset(self) -> str:
        return self.dataset_name if self.dataset is None else self.dataset.name


class SnapshotImage(models.Model):
    """One image of a snapshot. It keeps the file alive when the image is deleted from the dataset later.

    `is_chosen`: its split, or that of an image in its group, was chosen by a user.
    """

    id = models.BigAutoField(primary_key=True)
    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="images")
    image = models.ForeignKey(Image, null=True, on_delete=models.SET_NULL, related_name="+")
    blob = models.ForeignKey("storage.Blob", on_delete=models.PROTECT, related_name="+")
    image_key = models.UUIDField()
    split = models.CharField(max_length=10, choices=Split.choices)
    annotations = models.JSONField()
    is_chosen = models.BooleanField(default=False, db_default=False)

    class Meta:
        indexes = [
            models.Index(fields=["snapshot", "split", "id"]),
            # Comparing two snapshots looks each image of one up in the other.
            models.Index(fields=["snapshot", "image_key"]),
        ]

    def __str__(self) -> str:
        return f"{self.image_key} in {self.snapshot}"

    @property
    def filename(self) -> str:
        """That of its image, and where that is gone, its key."""
        return str(self.image_key) if self.image is None else self.image.filename
