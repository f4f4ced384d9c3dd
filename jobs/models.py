"""The rows behind background work."""

from __future__ import annotations

import uuid_utils.compat
from django.conf import settings
from django.db import models

from jobs.job_video import JobVideo


class Identified(models.Model):
    """A row with a UUID that sorts by time, so that lists page by primary key."""

    id = models.UUIDField(primary_key=True, default=uuid_utils.compat.uuid7, editable=False)

    class Meta:
        abstract = True


class WorkState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Queue(models.TextChoices):
    """Where work waits. Each queue has places of its own in the workers, so that none waits for another."""

    QUICK = "quick", "work that somebody waits for"
    HEAVY = "heavy", "work of many minutes: models, videos, large imports"
    PREFLIGHT = "preflight", "estimates before a training"
    TRAINING = "training", "trainings"


ENDED = (WorkState.SUCCEEDED, WorkState.FAILED, WorkState.CANCELLED)


class Work(Identified):
    """Anything that runs in the background. The row is the truth; a message in the broker is only a doorbell.

    Transitions: queued → running (claimed, with a lease) → succeeded | failed | cancelled;
    running → running (claimed again after the lease ran out); running → queued (released at shutdown, or it must wait:
    then it is not claimed before `retry_at`, and `error_code` and `error_detail` say what it waits for);
    queued → cancelled. Nothing leaves an ended state. See `jobs.work`.
    """

    state = models.CharField(max_length=10, choices=WorkState.choices, default=WorkState.QUEUED)
    progress = models.JSONField(default=dict, blank=True)
    lease = models.UUIDField(null=True, blank=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveIntegerField(default=0, editable=False)
    cancel_requested = models.BooleanField(default=False, editable=False)
    retry_at = models.DateTimeField(null=True, blank=True, editable=False)
    error_code = models.CharField(max_length=50, blank=True)
    error_detail = models.TextField(blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    enqueued_at = models.DateTimeField(auto_now_add=True)
    claimed_at = models.DateTimeField(null=True, blank=True, editable=False)
    queue = models.CharField(max_length=12, choices=Queue.choices, default=Queue.QUICK, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
        indexes = [
            models.Index(fields=["state", "lease_expires_at"], name="%(class)s_state_lease"),
            models.Index(fields=["queue", "state"], name="%(class)s_queue_state"),
            models.Index(fields=["created_by", "state"], name="%(class)s_owner_state"),
        ]

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED


class JobKind(models.TextChoices):
    """What jobs do; the parameters of each are a subclass of `jobs.contracts.JobParameters`."""

    COMPARISON = "comparison"
    CUSTOM_VISION_IMPORT = "custom_vision_import"
    DUPLICATES = "duplicates"
    EVALUATION = "evaluation"
    EXPLANATION = "explanation"
    EXPORT = "export"
    FEATURE_MAP = "feature_map"
    IMAGES_BULK = "images_bulk"
    IMPORT = "import"
    LABEL_REMOVAL = "label_removal"
    MODEL_EXPORT = "model_export"
    MODEL_IMPORT = "model_import"
    MODEL_PUBLISH = "model_publish"
    PREDICTION = "prediction"
    PREFLIGHT = "preflight"
    SAMPLES = "samples"
    SNAPSHOT = "snapshot"
    SNAPSHOT_AND_SEARCH = "snapshot_and_search"
    SNAPSHOT_AND_TRAINING = "snapshot_and_training"
    SUGGESTIONS = "suggestions"
    SUSPECTS = "suspects"
    UNDO = "undo"
    VIDEO_FRAMES = "video_frames"
    VIDEO_PROXY = "video_proxy"
    VIDEO_SURVEY = "video_survey"


# The tables kept their names when these models left `projects`.


class Job(Work):
    """Background work that is no training: an import, an estimate, later exports and evaluations."""

    project = models.ForeignKey("projects.Project", on_delete=models.CASCADE, related_name="jobs")
    kind = models.CharField(max_length=30)
    parameters = models.JSONField(default=dict, blank=True)
    position = models.JSONField(default=dict, blank=True, editable=False)
    result = models.JSONField(null=True, blank=True)
    input_blob = models.ForeignKey("storage.Blob", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    report_blob = models.ForeignKey("storage.Blob", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    output_blob = models.ForeignKey("storage.Blob", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    retry_of = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    output_name = models.CharField(max_length=255, blank=True)

    class Meta(Work.Meta):
        db_table = "projects_job"
        indexes = [
            *Work.Meta.indexes,
            models.Index(fields=["project", "id"]),
            models.Index(JobVideo(), models.F("id"), name="job_video"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.state})"


class JobFile(models.Model):
    """One of the files that a job made."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=100)
    blob = models.ForeignKey("storage.Blob", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "projects_jobfile"
        constraints = [models.UniqueConstraint(fields=["job", "name"], name="one_job_file_a_name")]

    def __str__(self) -> str:
        return f"{self.name} of {self.job}"


class WorkEvent(models.Model):
    """What happened in a piece of work, in order; the stream that clients follow and take up again."""

    id = models.BigAutoField(primary_key=True)
    work = models.UUIDField()
    kind = models.CharField(max_length=20)
    content = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "projects_workevent"
        indexes = [models.Index(fields=["work", "id"]), models.Index(fields=["work", "kind", "id"])]

    def __str__(self) -> str:
        return f"{self.kind} of {self.work}"
