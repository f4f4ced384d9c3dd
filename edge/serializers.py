from __future__ import annotations

import json
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from accounts.known import KnownFieldsOnly
from accounts.names import OneLineName
from accounts.numbers import Number
from datasets.models import Dataset
from edge.models import Alarm, Deployment, DeploymentState, Device, DeviceGroup, EnrolmentCode, Health
from edge.rollouts import reports_of
from inference.models import FileKind, Model
from inference.registry.staleness import is_outdated
from inference.shapes import DetectorSettingsSerializer
from jobs.shapes import Described
from projects.models import Project, Task

MAX_PLATFORM_BYTES = 4_000


class InProject(KnownFieldsOnly, serializers.ModelSerializer):
    """Rows of a project; what they name is looked for among what the user may see."""

    def get_fields(self) -> dict:
        fields = super().get_fields()
        for name, queryset in self.context.get("visible", {}).items():
            if name in fields and not fields[name].read_only:
                fields[name].queryset = queryset  # type: ignore[attr-defined]
        return fields

    def validate_project(self, value: Project) -> Project:
        """What it names is looked for in its own project, so a change may not name another one."""
        if self.instance is not None and self.instance.project_id != value.pk:
            raise serializers.ValidationError("It stays in its project.")
        return value

    def validate(self, attrs: dict) -> dict:
        project = attrs.get("project") or (self.instance.project if self.instance else None)
        for name in ("group", "feedback_dataset"):
            named = attrs.get(name)
            if named is not None and project is not None and named.project_id != project.pk:
                raise serializers.ValidationError({name: "Must be of the same project."})
        return attrs


class DeviceGroupSerializer(OneLineName, InProject):
    project = serializers.PrimaryKeyRelatedField(queryset=Project.objects.none())
    feedback_dataset = serializers.PrimaryKeyRelatedField(
        queryset=Dataset.objects.none(),
        required=False,
        allow_null=True,
        help_text='Where images go that devices are unsure of. Default: a dataset "From devices".',
    )
    device_count = serializers.IntegerField(read_only=True)

    class Meta:
        model = DeviceGroup
        fields = [
            "id",
            "project",
            "name",
            "current",
            "sequence",
            "poll_seconds",
            "feedback_dataset",
            "uncertain_below",
            "uncertain_per_day",
            "device_count",
            "created_at",
        ]
        read_only_fields = ["current", "sequence", "created_at"]
        validators: list = []  # the service says it, with what to do


class DeviceSerializer(OneLineName, InProject):
    project = serializers.PrimaryKeyRelatedField(queryset=Project.objects.none())
    group = serializers.PrimaryKeyRelatedField(queryset=DeviceGroup.objects.none(), required=False, allow_null=True)
    platform = serializers.DictField(
        child=serializers.CharField(), read_only=True, help_text="What the machine says of itself."
    )
    target: serializers.PrimaryKeyRelatedField = serializers.PrimaryKeyRelatedField(
        read_only=True, allow_null=True, help_text="The last deployment that it was given."
    )
    target_model = serializers.SerializerMethodField(help_text="Its model, for people.")
    running_model = serializers.SerializerMethodField(help_text="The model that it says it runs, for people.")

    alarm = serializers.ChoiceField(
        [*Alarm.choices, ("", "none")],
        read_only=True,
        help_text="silent: it has missed three polls and four minutes more; failed: it reports that its model does not "
        "work. Empty: nothing is wrong.",
    )

    class Meta:
        model = Device
        fields = [
            "id", "project", "group", "name", "revoked_at", "last_seen", "agent_version", "platform", "target",
            "target_model", "running", "running_model", "health", "problem", "latency_ms", "predictions", "errors",
            "alarm", "alarm_since", "created_at",
        ]  # fmt: skip
        read_only_fields = [field for field in fields if field not in ("project", "group", "name")]

    def get_target_model(self, device: Device) -> str:
        return "" if device.target is None else device.target.file_title

    def get_running_model(self, device: Device) -> str:
        return "" if device.running is None else device.running.file_title


class DeviceKeySerializer(DeviceSerializer):
    """A device with its key, which is shown this once."""

    key = serializers.CharField(read_only=True)

    class Meta(DeviceSerializer.Meta):
        fields = [*DeviceSerializer.Meta.fields, "key"]


class EnrolmentCodeSerializer(InProject):
    project = serializers.PrimaryKeyRelatedField(queryset=Project.objects.none())
    group = serializers.PrimaryKeyRelatedField(queryset=DeviceGroup.objects.none(), required=False, allow_null=True)
    uses = serializers.IntegerField(min_value=1, max_value=100_000, default=1, write_only=True)
    hours = Number(min_value=0.1, max_value=8760, default=24, write_only=True)

    class Meta:
        model = EnrolmentCode
        fields = ["id", "project", "group", "uses", "hours", "uses_left", "expires_at", "created_at"]
        read_only_fields = ["uses_left", "expires_at", "created_at"]


class NewEnrolmentCodeSerializer(EnrolmentCodeSerializer):
    """A code, which is shown this once."""

    code = serializers.CharField(read_only=True)

    class Meta(EnrolmentCodeSerializer.Meta):
        fields = [*EnrolmentCodeSerializer.Meta.fields, "code"]


@extend_schema_serializer(deprecate_fields=["told"])
class DeploymentReportsSerializer(serializers.Serializer):
    assigned = serializers.IntegerField(help_text="How many devices are to run it now.")
    told = serializers.IntegerField(help_text="Deprecated: the same as `assigned`.")
    reported = serializers.IntegerField()
    failed = serializers.IntegerField()


class DeploymentInfoSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    version = serializers.IntegerField()
    task = serializers.ChoiceField(Task.choices)
    labels = serializers.ListField(child=serializers.CharField())
    input_height = serializers.IntegerField()
    input_width = serializers.IntegerField()
    resize = serializers.CharField()
    detector = DetectorSettingsSerializer(allow_null=True)
    score_threshold = serializers.FloatField(
        required=False, allow_null=True, help_text="Of a classifier: answers below it are left out."
    )
    label_thresholds = serializers.DictField(
        child=serializers.FloatField(),
        required=False,
        allow_null=True,
        help_text="Of a multilabel model: from which score on an image has a label, by its name.",
    )
    filename = serializers.CharField()


class DeploymentSerializer(InProject):
    group = serializers.PrimaryKeyRelatedField(queryset=DeviceGroup.objects.none())
    model = serializers.PrimaryKeyRelatedField(queryset=Model.objects.none(), allow_null=True)
    kind = serializers.ChoiceField(FileKind.choices, default=FileKind.LITERT_FLOAT32)
    steps = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=100),
        required=False,
        max_length=20,
        help_text="Percent of the devices, growing, the last one 100. Default: all at once.",
    )
    step_minutes = serializers.IntegerField(min_value=0, max_value=100_000, default=30)
    largest_failure_rate = Number(
        min_value=0,
        max_value=1,
        default=0.1,
        help_text="Of the devices that reported; above it the roll-out stops by itself.",
    )
    least_reports = serializers.IntegerField(min_value=1, max_value=100_000, default=1)
    percent = serializers.IntegerField(read_only=True, help_text="How many of the group's devices get it now.")
    sha256 = serializers.CharField(source="file.sha256", read_only=True)
    reports = serializers.SerializerMethodField()
    state = serializers.ChoiceField(DeploymentState.choices, read_only=True)
    info = Described(DeploymentInfoSerializer(), help_text="What devices learn of the model.")
    stale = serializers.SerializerMethodField(
        help_text="Whether the thresholds of the model were changed since: deploy it again for devices to have them."
    )

    project_name = serializers.CharField(source="project.name", read_only=True)
    group_name = serializers.CharField(source="group.name", read_only=True)
    model_name = serializers.SerializerMethodField(help_text="As it was when it was deployed.")
    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True, read_only=True)

    class Meta:
        model = Deployment
        fields = [
            "id", "project", "group", "model", "kind", "state", "steps", "step", "percent", "step_minutes",
            "step_started_at", "largest_failure_rate", "least_reports", "reports", "previous", "sha256", "info",
            "stale", "note", "created_at", "ended_at", "project_name", "group_name", "model_name", "created_by",
        ]  # fmt: skip
        read_only_fields = ["project", "step", "step_started_at", "previous", "created_at", "ended_at"]

    def get_model_name(self, deployment: Deployment) -> str:
        return f"{deployment.info.get('name')} v{deployment.info.get('version')}"

    def get_stale(self, deployment: Deployment) -> bool:
        return is_outdated(deployment.info, deployment.model)

    def get_reports(self, deployment: Deployment) -> DeploymentReportsSerializer:
        if hasattr(deployment, "assigned"):  # counted with the list
            counts = {name: getattr(deployment, name) for name in ("assigned", "reported", "failed")}
        else:
            counts = reports_of(deployment)
        return counts | {"told": counts["assigned"]}  # type: ignore[return-value]

    def validate_model(self, model: Model | None) -> Model:
        if model is None:
            raise serializers.ValidationError("Name the model.", code="required")
        return model

    def validate_steps(self, steps: list[int]) -> list[int]:
        if steps and (steps != sorted(set(steps)) or steps[-1] != 100):
            raise serializers.ValidationError("The steps must grow and end with 100, for example [5, 25, 100].")
        return steps

    def validate(self, attrs: dict) -> dict:
        group, model = attrs["group"], attrs["model"]
        if group.project.task != model.task:
            raise serializers.ValidationError({"model": f"It is for {model.task}, the group for {group.project.task}."})
        return attrs


class ForceSerializer(KnownFieldsOnly, serializers.Serializer):
    force = serializers.BooleanField(required=False, default=False, help_text="Although devices have not reported.")


class StopSerializer(KnownFieldsOnly, serializers.Serializer):
    note = serializers.CharField(max_length=500, required=False, default="Stopped by hand.", help_text="Why.")


# What devices send and get


class PlatformField(serializers.DictField):
    """What a machine says of itself; little, and never looked at by the studio."""

    child = serializers.CharField(max_length=200, allow_blank=True)

    def to_internal_value(self, data: Any) -> dict:
        value = super().to_internal_value(data)
        if len(json.dumps(value)) > MAX_PLATFORM_BYTES:
            raise serializers.ValidationError(f"At most {MAX_PLATFORM_BYTES} bytes.")
        return value


class EnrolmentSerializer(OneLineName, serializers.Serializer):
    code = serializers.CharField(max_length=200)
    name = serializers.CharField(max_length=100)
    agent_version = serializers.CharField(max_length=50, required=False, default="", allow_blank=True)
    platform = PlatformField(required=False, default=dict)


class PublicKeySerializer(serializers.Serializer):
    key_id = serializers.CharField()
    public_key = serializers.CharField(help_text="Ed25519, 32 bytes in base64.")


class EnrolmentAnswerSerializer(serializers.Serializer):
    device = serializers.UUIDField()
    key = serializers.CharField(help_text="For `Authorization: Device …`; shown this once.")
    poll_seconds = serializers.IntegerField(help_text="How long to wait between polls.")
    keys = PublicKeySerializer(many=True, help_text="What manifests are signed with: keep them.")


class SignatureSerializer(serializers.Serializer):
    key_id = serializers.CharField()
    signature = serializers.CharField(help_text="Ed25519 over the payload's bytes, in base64.")


class ManifestSerializer(serializers.Serializer):
    payload = serializers.CharField(help_text="JSON in base64: what to run, where to get it, until when it holds.")
    signatures = SignatureSerializer(many=True)


class HeartbeatSerializer(serializers.Serializer):
    agent_version = serializers.CharField(max_length=50, required=False, default="", allow_blank=True)
    platform = PlatformField(required=False, default=None, allow_null=True)
    deployment = serializers.UUIDField(required=False, default=None, allow_null=True, help_text="What it runs.")
    health = serializers.ChoiceField(Health.choices, default=Health.OK)
    problem = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)
    latency_ms = Number(min_value=0, max_value=1e9, required=False, default=None, allow_null=True)
    predictions = serializers.IntegerField(
        min_value=0, max_value=10**9, default=0, help_text="Since the last heartbeat."
    )
    errors = serializers.IntegerField(min_value=0, max_value=10**9, default=0)


class HeartbeatAnswerSerializer(serializers.Serializer):
    time = serializers.DateTimeField(default=timezone.now)
    poll_seconds = serializers.IntegerField()


class SuggestedLabelSerializer(serializers.Serializer):
    label = serializers.CharField(max_length=100)
    score = Number(min_value=0, max_value=1)


class SuggestedBoxSerializer(SuggestedLabelSerializer):
    box = serializers.ListField(child=Number(min_value=-1e6, max_value=1e6), min_length=4, max_length=4)


class FeedbackSerializer(serializers.Serializer):
    file = serializers.FileField()
    prediction = serializers.CharField(
        max_length=200_000,
        required=False,
        default="{}",
        help_text='JSON: {"labels": [{"label", "score"}]} or {"boxes": [{"label", "score", "box"}]}.',
    )

    def validate_prediction(self, text: str) -> dict:
        try:
            prediction = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise serializers.ValidationError("The prediction is no valid JSON.") from error
        if not isinstance(prediction, dict):
            raise serializers.ValidationError("The prediction must be an object.")
        labels = SuggestedLabelSerializer(data=prediction.get("labels", []), many=True)
        boxes = SuggestedBoxSerializer(data=prediction.get("boxes", []), many=True)
        for part in (labels, boxes):
            if not part.is_valid():
                raise serializers.ValidationError("Each label has label and score, each box also box, four numbers.")
        return {"labels": labels.validated_data, "boxes": boxes.validated_data}


class FeedbackAnswerSerializer(serializers.Serializer):
    status = serializers.ChoiceField(["created", "duplicate"])
    image = serializers.UUIDField()
