"""Projects, who may do what in them, and the rows behind background work."""

from __future__ import annotations

import uuid_utils.compat
from django.conf import settings
from django.db import models

from projects.job_video import JobVideo


class Task(models.TextChoices):
    CLASSIFICATION = "classification"
    DETECTION = "detection"


class Role(models.TextChoices):
    OWNER = "owner"
    EDITOR = "editor"
    VIEWER = "viewer"


class Identified(models.Model):
    """A row with a UUID that sorts by time, so that lists page by primary key."""

    id = models.UUIDField(primary_key=True, default=uuid_utils.compat.uuid7, editable=False)

    class Meta:
        abstract = True


class Project(Identified):
    """What a user works on. The counts are kept by the services that add and remove, so that lists stay cheap."""

    name = models.CharField(max_length=100)
    description = models.TextField(blank=True, max_length=5000)
    task = models.CharField(max_length=20, choices=Task.choices, default=Task.CLASSIFICATION)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="projects")
    label_count = models.PositiveIntegerField(default=0, editable=False)
    dataset_count = models.PositiveIntegerField(default=0, editable=False)
    image_count = models.PositiveIntegerField(default=0, editable=False)
    model_count = models.PositiveIntegerField(default=0, editable=False)
    last_model_version = models.PositiveIntegerField(default=0, editable=False)
    # Set: nobody sees it any more, and its rows are being removed (see `projects.removal`).
    deleting_since = models.DateTimeField(null=True, editable=False, db_index=True)
    # Set: it is in the trash, or holds what was deleted of the project `trash_of`; nobody sees it (`projects.trash`).
    trashed_since = models.DateTimeField(null=True, editable=False)
    trash_of = models.OneToOneField("self", null=True, editable=False, on_delete=models.CASCADE, related_name="trash")

    class Meta:
        indexes = [models.Index(fields=["name", "id"])]

    def __str__(self) -> str:
        return self.name

    @property
    def project(self) -> Project:
        """Every object that belongs to a project says so under the same name."""
        return self


class Membership(Identified):
    """A user's role in a project. A project always has at least one owner."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.EDITOR)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="one_role_a_member")]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.project}"


class Invitation(Identified):
    """Somebody was asked into a project. `user` is the account that had the name when it was asked, if there was one:
    someone who takes the name later is not meant. Declined ones stay as they are for those who asked."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="invitations")
    username = models.CharField(max_length=150)
    name_key = models.CharField(max_length=150)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="invitations"
    )
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.EDITOR)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    is_declined = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name_key"], name="one_invitation_a_name")]
        indexes = [models.Index(fields=["expires_at"])]

    def __str__(self) -> str:
        return f"{self.username} is asked into {self.project}"


class InvitationLink(Identified):
    """A way into a project for whoever has the link, so many times and so long. `digest` is of the secret in it."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="invitation_links")
    digest = models.CharField(max_length=64, unique=True)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.EDITOR)
    uses_left = models.PositiveIntegerField(default=1)
    email = models.EmailField(max_length=254, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["expires_at"])]

    def __str__(self) -> str:
        return f"link into {self.project}"


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
    queued → cancelled. Nothing leaves an ended state. See `projects.work`.
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
    """What jobs do; `projects.jobs.handles` names the function of each."""

    COMPARISON = "comparison"
    DUPLICATES = "duplicates"
    EVALUATION = "evaluation"
    EXPLANATION = "explanation"
    EXPORT = "export"
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


class Job(Work):
    """Background work that is no training: an import, an estimate, later exports and evaluations."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="jobs")
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
        indexes = [models.Index(fields=["work", "id"]), models.Index(fields=["work", "kind", "id"])]

    def __str__(self) -> str:
        return f"{self.kind} of {self.work}"


class ProjectEvent(models.Model):
    """Something in a project has changed; the stream that its members follow. Kept for a day.

    `project` is no reference: the end of a project is such an event too.
    """

    id = models.BigAutoField(primary_key=True)
    project = models.UUIDField()
    kind = models.CharField(max_length=20)
    content = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["created_at"])]

    def __str__(self) -> str:
        return f"{self.kind} in {self.project}"


class WebhookEvent(models.TextChoices):
    TRAINING = "training.finished"
    EVALUATION = "evaluation.finished"
    DEPLOYMENT = "deployment.finished"
    ALARM = "device.alarm"
    JOB = "job.finished"


class Webhook(Identified):
    """An address that is told when something has ended. `secret` signs what it gets (standardwebhooks.com)."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="webhooks")
    url = models.URLField(max_length=500)
    events = models.JSONField(default=list)
    secret = models.CharField(max_length=100)
    is_active = models.BooleanField(default=True)
    note = models.CharField(max_length=300, blank=True, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.url


class DeliveryState(models.TextChoices):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class WebhookDelivery(Identified):
    """One message to one address: pending → delivered | failed. It is sent again, ever later, until it arrives."""

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=30)
    payload = models.JSONField()
    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    problem = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["webhook", "id"]),
            models.Index(fields=["next_attempt_at"], condition=models.Q(state="pending"), name="pending_delivery"),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.webhook}"


# Its tables are this app's.
from projects.changes.models import Change, RowChange  # noqa: E402, F401
from projects.trash.models import TrashedMember, TrashEntry  # noqa: E402, F401
