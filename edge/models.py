"""Devices, the groups they are in, and what each group is told to run."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from datasets.models import Dataset
from inference.models import FileKind, Model
from jobs.models import Identified
from projects.models import Project


class DeviceGroup(Identified):
    """Devices that run the same model. `sequence` counts its changes, so that a device never goes back to an old
    manifest; `uncertain_*` say which images devices send back."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="device_groups")
    name = models.CharField(max_length=100)
    current = models.ForeignKey("Deployment", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    sequence = models.PositiveIntegerField(default=0, editable=False)
    poll_seconds = models.PositiveIntegerField(default=60, validators=[MinValueValidator(5), MaxValueValidator(86_400)])
    feedback_dataset = models.ForeignKey(
        Dataset, null=True, blank=True, on_delete=models.SET_NULL, related_name="device_groups"
    )
    uncertain_below = models.FloatField(default=0.6, validators=[MinValueValidator(0.0), MaxValueValidator(1.0)])
    uncertain_per_day = models.PositiveIntegerField(default=50, validators=[MaxValueValidator(10_000)])
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="one_device_group_a_name")]

    def __str__(self) -> str:
        return self.name


class Health(models.TextChoices):
    UNKNOWN = "unknown"
    OK = "ok"
    FAILED = "failed"


class Alarm(models.TextChoices):
    SILENT = "silent"
    FAILED = "failed"


class Device(Identified):
    """A machine that runs models. Its key is kept as a hash; what it reported last is kept as it said it.

    `target` is what it was told to run last, `previous_target` what it was told before; both stay when it changes its
    group. `is_stopped`: it was told to run nothing, on demand. `sequence_floor` is added to its group's sequence, which
    keeps the sum growing when it comes into a group with a smaller one.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="devices")
    group = models.ForeignKey(DeviceGroup, null=True, blank=True, on_delete=models.SET_NULL, related_name="devices")
    name = models.CharField(max_length=100)
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_seen = models.DateTimeField(null=True, blank=True)
    agent_version = models.CharField(max_length=50, blank=True)
    platform = models.JSONField(default=dict, blank=True)
    target = models.ForeignKey("Deployment", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    previous_target = models.ForeignKey(
        "Deployment", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    is_stopped = models.BooleanField(default=False)
    sequence_floor = models.PositiveIntegerField(default=0, editable=False)
    running = models.ForeignKey("Deployment", null=True, blank=True, on_delete=models.SET_NULL, related_name="runners")
    health = models.CharField(max_length=10, choices=Health.choices, default=Health.UNKNOWN)
    problem = models.CharField(max_length=500, blank=True)
    latency_ms = models.FloatField(null=True, blank=True)
    predictions = models.PositiveBigIntegerField(default=0)
    errors = models.PositiveBigIntegerField(default=0)
    alarm = models.CharField(max_length=10, choices=Alarm.choices, blank=True, editable=False)
    alarm_since = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["project", "id"]),
            models.Index(fields=["running", "health"]),
            models.Index(fields=["project", "alarm"], condition=~models.Q(alarm=""), name="device_with_alarm"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def sequence(self) -> int:
        """Of its manifest; it only grows."""
        return self.sequence_floor + (0 if self.group is None else self.group.sequence)


class EnrolmentCode(Identified):
    """Lets devices enrol by themselves, a number of times, until a day. Kept as a hash."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="enrolment_codes")
    group = models.ForeignKey(DeviceGroup, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    code_hash = models.CharField(max_length=64, unique=True, editable=False)
    uses_left = models.PositiveIntegerField(default=1)
    expires_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["project", "id"])]

    def __str__(self) -> str:
        return f"code for {self.project}"


class DeploymentState(models.TextChoices):
    ROLLING = "rolling"
    STOPPED = "stopped"
    COMPLETED = "completed"
    ROLLED_BACK = "rolled_back"
    REPLACED = "replaced"


LIVE = (DeploymentState.ROLLING, DeploymentState.STOPPED, DeploymentState.COMPLETED)


class Deployment(Identified):
    """A file of a model for the devices of a group: all at once, or a growing share of them.

    `previous` is what the group was told before, whatever became of that.
    Transitions: rolling → completed (the last step went well) | stopped (too many failed) | rolled_back | replaced;
    stopped → rolling (resumed) | rolled_back | replaced; completed → rolled_back | replaced.
    `file` and `info` are frozen, so that it can be returned to whatever becomes of the model.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="deployments")
    group = models.ForeignKey(DeviceGroup, on_delete=models.CASCADE, related_name="deployments")
    model = models.ForeignKey(Model, null=True, on_delete=models.SET_NULL, related_name="+")
    kind = models.CharField(max_length=20, choices=FileKind.choices)
    file = models.ForeignKey("storage.Blob", on_delete=models.PROTECT, related_name="+")
    info = models.JSONField()
    state = models.CharField(max_length=12, choices=DeploymentState.choices, default=DeploymentState.ROLLING)
    steps = models.JSONField(default=list)
    step = models.PositiveIntegerField(default=0)
    step_minutes = models.PositiveIntegerField(default=30)
    step_started_at = models.DateTimeField()
    largest_failure_rate = models.FloatField(default=0.1)
    least_reports = models.PositiveIntegerField(default=1)
    previous = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    note = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["project", "id"]), models.Index(fields=["state", "id"])]

    def __str__(self) -> str:
        return f"{self.info.get('name')} v{self.info.get('version')} on {self.group}"

    @property
    def file_title(self) -> str:
        return f"{self.info.get('name')} v{self.info.get('version')} ({self.kind})"

    @property
    def percent(self) -> int:
        """How many of the group's devices get it now."""
        return 100 if self.state == DeploymentState.COMPLETED else self.steps[self.step]


class SigningKey(models.Model):
    """An Ed25519 key that manifests are signed with. The secret half is sealed with the installation's secret."""

    key_id = models.CharField(max_length=16, unique=True)
    public_key = models.CharField(max_length=64)
    sealed = models.TextField(editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.key_id
