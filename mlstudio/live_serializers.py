"""The messages of `events/`, for the schema: the text of each is one of these as JSON."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers

from datasets.noting import IMAGE_FIELDS
from edge.models import DeploymentState
from inference.models import Stage
from jobs.models import JobKind, WorkState
from jobs.serializers import ErrorDetailSerializer, ProgressSerializer
from projects.models import Role
from training.serializers import EpochSerializer, EstimateSerializer, TrainingProgressSerializer

ACTIONS = ["created", "changed", "deleted"]


def _kind(name: str) -> serializers.Field:
    field = extend_schema_field({"type": "string", "const": name})(type("KindField", (serializers.CharField,), {}))
    return field()


class ProjectEventSerializer(serializers.Serializer):
    project = serializers.UUIDField()


class RowEventSerializer(ProjectEventSerializer):
    """A row was made, changed or deleted: read it again."""

    id = serializers.UUIDField()
    action = serializers.ChoiceField(ACTIONS)


class ReadyEventSerializer(serializers.Serializer):
    """The first message of a new stream: what is loaded from now on misses nothing."""

    kind = _kind("ready")


class ResetEventSerializer(serializers.Serializer):
    """Too much was missed to tell it: load everything that is shown again."""

    kind = _kind("reset")


class AccessEventSerializer(ProjectEventSerializer):
    """Your own role in a project has changed; null: you are no member any more, or it was deleted."""

    kind = _kind("access")
    role = serializers.ChoiceField(Role.choices, allow_null=True)


class WorkEventSerializer(RowEventSerializer):
    """How it stands now, however many steps have led there. Deleted: `project`, `id` and `action` alone."""

    state = serializers.ChoiceField(WorkState.choices, required=False)
    progress = ProgressSerializer(required=False)
    error = ErrorDetailSerializer(allow_null=True, required=False)
    created_by = serializers.CharField(allow_null=True, required=False)


class JobEventSerializer(WorkEventSerializer):
    kind = _kind("job")
    job_kind = serializers.ChoiceField(JobKind.choices, required=False)
    dataset = serializers.UUIDField(allow_null=True, required=False)
    model = serializers.UUIDField(allow_null=True, required=False)


class TrainingEventSerializer(WorkEventSerializer):
    kind = _kind("training")
    name = serializers.CharField(required=False)
    progress = TrainingProgressSerializer(required=False)
    score = serializers.FloatField(allow_null=True, required=False)
    model = serializers.UUIDField(allow_null=True, required=False)
    epochs = EpochSerializer(many=True, required=False, help_text="Those that ended since the last message.")
    estimate = EstimateSerializer(allow_null=True, required=False, help_text="When it has just been made.")


class ProjectChangeEventSerializer(RowEventSerializer):
    kind = _kind("project")
    name = serializers.CharField()


class MemberEventSerializer(RowEventSerializer):
    kind = _kind("member")
    username = serializers.CharField()
    role = serializers.ChoiceField(Role.choices)


class DatasetEventSerializer(RowEventSerializer):
    """Also when images were added to it, or taken away."""

    kind = _kind("dataset")
    name = serializers.CharField(required=False)
    images = serializers.IntegerField(required=False, help_text="How many more images it has; below 0: fewer.")


class TrashEventSerializer(RowEventSerializer):
    """Something came into the trash of the project, was restored, or was removed for good: read the list again."""

    kind = _kind("trash")


class LabelEventSerializer(RowEventSerializer):
    kind = _kind("label")
    name = serializers.CharField()


class ImageRevisionSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    revision = serializers.IntegerField()


class AnnotationsEventSerializer(ProjectEventSerializer):
    kind = _kind("annotations")
    dataset = serializers.UUIDField()
    count = serializers.IntegerField(help_text="On how many images.")
    images = ImageRevisionSerializer(many=True, help_text="Empty where they are more than 50.")
    by = serializers.CharField(allow_null=True, help_text="The user name of who did it.")


class ImagesEventSerializer(ProjectEventSerializer):
    """Other fields of images than their annotations have changed."""

    kind = _kind("images")
    dataset = serializers.UUIDField()
    count = serializers.IntegerField(help_text="How many images.")
    changed = serializers.ListField(child=serializers.ChoiceField(IMAGE_FIELDS))


class LiveModelEventSerializer(ProjectEventSerializer):
    """The live model has learned: read its guesses again."""

    kind = _kind("live_model")
    version = serializers.IntegerField()
    labelled = serializers.IntegerField()
    guesses = serializers.IntegerField()
    accuracy = serializers.FloatField(allow_null=True)


class SnapshotEventSerializer(RowEventSerializer):
    kind = _kind("snapshot")
    dataset = serializers.UUIDField(allow_null=True)


class VideoEventSerializer(RowEventSerializer):
    kind = _kind("video")
    dataset = serializers.UUIDField()


class ModelEventSerializer(RowEventSerializer):
    kind = _kind("model")
    name = serializers.CharField()
    stage = serializers.ChoiceField(Stage.choices)


class ModelFileEventSerializer(ProjectEventSerializer):
    kind = _kind("model_file")
    id = serializers.IntegerField()
    action = serializers.ChoiceField(["created", "changed"])
    model = serializers.UUIDField()
    file = serializers.CharField()


class EvaluationEventSerializer(RowEventSerializer):
    kind = _kind("evaluation")
    model = serializers.UUIDField()


class DeploymentEventSerializer(RowEventSerializer):
    kind = _kind("deployment")
    group = serializers.UUIDField()
    model = serializers.UUIDField(allow_null=True)
    state = serializers.ChoiceField(DeploymentState.choices)
    note = serializers.CharField()


class DeviceGroupEventSerializer(RowEventSerializer):
    kind = _kind("device_group")
    name = serializers.CharField()


class DeviceEventSerializer(RowEventSerializer):
    kind = _kind("device")
    name = serializers.CharField()


class SearchEventSerializer(RowEventSerializer):
    kind = _kind("search")
    state = serializers.ChoiceField(WorkState.choices)


EVENTS: dict[str, Any] = {
    "ready": ReadyEventSerializer,
    "reset": ResetEventSerializer,
    "access": AccessEventSerializer,
    "job": JobEventSerializer,
    "training": TrainingEventSerializer,
    "search": SearchEventSerializer,
    "project": ProjectChangeEventSerializer,
    "member": MemberEventSerializer,
    "dataset": DatasetEventSerializer,
    "trash": TrashEventSerializer,
    "label": LabelEventSerializer,
    "annotations": AnnotationsEventSerializer,
    "images": ImagesEventSerializer,
    "live_model": LiveModelEventSerializer,
    "snapshot": SnapshotEventSerializer,
    "video": VideoEventSerializer,
    "model": ModelEventSerializer,
    "model_file": ModelFileEventSerializer,
    "evaluation": EvaluationEventSerializer,
    "deployment": DeploymentEventSerializer,
    "device_group": DeviceGroupEventSerializer,
    "device": DeviceEventSerializer,
}
STUDIO_EVENT = PolymorphicProxySerializer(
    component_name="StudioEvent", serializers=EVENTS, resource_type_field_name="kind", many=False
)
