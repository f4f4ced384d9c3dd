from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from accounts.known import KnownFieldsOnly
from accounts.names import OneLineName
from projects.models import Membership, Project, Role


class ProjectSerializer(KnownFieldsOnly, OneLineName, serializers.ModelSerializer):
    role = serializers.SerializerMethodField(help_text="Your role in it.")

    class Meta:
        model = Project
        fields = [
            "id",
            "name",
            "description",
            "task",
            "role",
            "label_count",
            "dataset_count",
            "image_count",
            "model_count",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["label_count", "dataset_count", "image_count", "model_count"]

    @extend_schema_field(serializers.ChoiceField(choices=Role.choices))
    def get_role(self, project: Project) -> str | None:
        return getattr(project, "my_role", None)

    def validate_task(self, value: str) -> str:
        if self.instance is not None and self.instance.task != value:
            raise serializers.ValidationError("The task of a project cannot change: make another project.")
        return value


class MemberSerializer(KnownFieldsOnly, serializers.ModelSerializer):
    username = serializers.CharField(source="user.username", read_only=True)
    state = serializers.SerializerMethodField()

    class Meta:
        model = Membership
        fields = ["id", "username", "role", "state", "created_at"]

    @extend_schema_field(serializers.ChoiceField(["member"]))
    def get_state(self, member: Membership) -> str:
        return "member"


class NewMemberSerializer(KnownFieldsOnly, serializers.Serializer):
    username = serializers.CharField(max_length=150)
    role = serializers.ChoiceField(choices=Role.choices, default=Role.EDITOR)


class DeletionSerializer(serializers.Serializer):
    force = serializers.BooleanField(
        default=False, help_text="Cancel the work that needs it, and delete it all the same."
    )


def is_forced(request: Request) -> bool:
    data = DeletionSerializer(data=request.query_params)
    data.is_valid(raise_exception=True)
    return data.validated_data["force"]


class UseSerializer(serializers.Serializer):
    kind = serializers.CharField(help_text="job, training, search, model, device or deployment.")
    id = serializers.CharField()
    name = serializers.CharField()
    detail = serializers.CharField(help_text="What it is, and what to do about it.")


class UsesSerializer(serializers.Serializer):
    """What needs something, and what would be deleted with it."""

    uses = UseSerializer(many=True)
    along = serializers.DictField(child=serializers.IntegerField(), help_text="How many of each kind go with it.")
