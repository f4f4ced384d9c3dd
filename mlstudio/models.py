"""Answers to creating requests, and work of the studio on itself."""

from django.db import models

from jobs.models import Work


class IdempotencyRecord(models.Model):
    """One use of an `Idempotency-Key`, kept for a day, so that a repeated request creates nothing twice.

    Without `status` the first request is being done, or its process has died: `owner` is the name of the process, which
    says whether it lives (`storage.cache.Receiver`)."""

    scope = models.CharField(max_length=64)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    owner = models.CharField(max_length=64, default="")
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="one_use_of_a_key")]
        indexes = [models.Index(fields=["created_at"])]

    def __str__(self) -> str:
        return f"{self.key} ({self.status or 'in progress'})"


class DataFolder(models.Model):
    """The one row that says which data folder the database belongs to; see `mlstudio.data_folder`."""

    folder_id = models.CharField(max_length=32)

    def __str__(self) -> str:
        return self.folder_id


class MaintenanceKind(models.TextChoices):
    BACKUP = "backup"
    RESTORE_DRILL = "restore_drill", "a trial restore of the newest backup"
    WEIGHTS = "weights", "a download of pretrained weights"


class MaintenanceRun(Work):
    """A backup, a trial restore of one, or a download. Nobody asked for it (`created_by`): the schedule did.

    `slot` is unique until the run has ended, so there is one at a time. `subject` names the weights of a download.
    """

    kind = models.CharField(max_length=20, choices=MaintenanceKind.choices)
    slot = models.PositiveSmallIntegerField(null=True, default=1, unique=True, editable=False)
    subject = models.CharField(max_length=100, blank=True, default="", editable=False)
    result = models.JSONField(null=True, blank=True)

    class Meta(Work.Meta):
        indexes = [*Work.Meta.indexes, models.Index(fields=["kind", "id"])]

    def __str__(self) -> str:
        return f"{self.kind} ({self.state})"
