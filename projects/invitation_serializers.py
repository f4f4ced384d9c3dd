from __future__ import annotations

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.known import KnownFieldsOnly
from projects.models import Invitation, InvitationLink, Role


class PendingMemberSerializer(serializers.ModelSerializer):
    """Somebody who was invited. It says the same whether there is such a user or not."""

    state = serializers.SerializerMethodField()

    class Meta:
        model = Invitation
        fields = ["id", "username", "role", "state", "created_at", "expires_at"]
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(["invited"]))
    def get_state(self, invitation: Invitation) -> str:
        return "invited"


class InvitationSerializer(serializers.ModelSerializer):
    """An invitation, as the invited see it."""

    project_name = serializers.CharField(source="project.name", read_only=True)
    invited_by = serializers.CharField(source="invited_by.username", default=None, allow_null=True, read_only=True)

    class Meta:
        model = Invitation
        fields = ["id", "project", "project_name", "role", "invited_by", "created_at", "expires_at"]
        read_only_fields = fields


class InvitationLinkSerializer(serializers.ModelSerializer):
    """A link that lets people in; its secret is shown once, when it is made."""

    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True, read_only=True)

    class Meta:
        model = InvitationLink
        fields = ["id", "role", "uses_left", "email", "created_by", "created_at", "expires_at"]
        read_only_fields = fields


class NewInvitationLinkSerializer(InvitationLinkSerializer):
    token = serializers.SerializerMethodField(help_text="The secret. Shown only in this answer.")
    url = serializers.SerializerMethodField(help_text="What to give to who is invited. Shown only in this answer.")

    class Meta(InvitationLinkSerializer.Meta):
        fields = [*InvitationLinkSerializer.Meta.fields, "token", "url"]
        read_only_fields = fields

    def get_token(self, link: InvitationLink) -> str:
        return self.context["token"]

    @extend_schema_field(serializers.URLField())
    def get_url(self, link: InvitationLink) -> str:
        base = settings.CONFIGURED_PUBLIC_URL or self.context["request"].build_absolute_uri("/").rstrip("/")
        return f"{base}/join/{self.context['token']}"


class InvitationLinkRequestSerializer(KnownFieldsOnly, serializers.Serializer):
    role = serializers.ChoiceField(choices=Role.choices, default=Role.EDITOR)
    uses = serializers.IntegerField(min_value=1, max_value=100, default=1, help_text="How many may join by it.")
    expires_in_days = serializers.IntegerField(min_value=1, max_value=90, default=7)
    email = serializers.EmailField(
        max_length=254, required=False, allow_blank=True, default="", help_text="Where to mail the link."
    )


class JoinSerializer(serializers.Serializer):
    token = serializers.CharField(max_length=100, help_text="The secret of an invitation link: what follows `/join/`.")


class JoinPreviewSerializer(serializers.Serializer):
    """What an invitation link leads to."""

    project_name = serializers.CharField(source="project.name")
    role = serializers.ChoiceField(choices=Role.choices)
    invited_by = serializers.CharField(source="created_by.username", default=None, allow_null=True)
    email = serializers.CharField(help_text="Where it was mailed to, to begin a registration with.")
    expires_at = serializers.DateTimeField()


class JoinedSerializer(serializers.Serializer):
    project = serializers.UUIDField(source="project_id")
    project_name = serializers.CharField(source="project.name")
    role = serializers.ChoiceField(choices=Role.choices)


class CandidateSerializer(serializers.Serializer):
    """Somebody you work with already."""

    username = serializers.CharField()
    is_member = serializers.BooleanField(help_text="Of this project.")


class CandidateQuerySerializer(KnownFieldsOnly, serializers.Serializer):
    q = serializers.CharField(
        max_length=150, required=False, allow_blank=True, default="", help_text="How the user name begins."
    )
