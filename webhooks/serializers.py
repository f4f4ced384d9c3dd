from __future__ import annotations

from rest_framework import serializers

from accounts.known import KnownFieldsOnly
from jobs.shapes import Described
from projects.models import Project
from webhooks.models import Webhook, WebhookDelivery, WebhookEvent
from webhooks.services import PING
from webhooks.shapes import DeliveryPayloadSerializer


class WebhookSerializer(KnownFieldsOnly, serializers.ModelSerializer):
    events = serializers.ListField(
        child=serializers.ChoiceField(WebhookEvent.choices), min_length=1, max_length=len(WebhookEvent.choices)
    )

    class Meta:
        model = Webhook
        fields = ["id", "project", "url", "events", "is_active", "note", "created_at"]
        read_only_fields = ["note"]

    def get_fields(self) -> dict:
        fields = super().get_fields()
        fields["project"] = serializers.PrimaryKeyRelatedField(
            queryset=self.context["visible_projects"] if "visible_projects" in self.context else Project.objects.none()
        )
        return fields

    def validate_project(self, value: Project) -> Project:
        if self.instance is not None and self.instance.project_id != value.pk:
            raise serializers.ValidationError("A webhook stays in its project.")
        return value

    def validate_events(self, value: list[str]) -> list[str]:
        return sorted(set(value))


class NewWebhookSerializer(WebhookSerializer):
    """The only answer that has the secret."""

    class Meta(WebhookSerializer.Meta):
        fields = [*WebhookSerializer.Meta.fields, "secret"]
        read_only_fields = ["note", "secret"]


class DeliverySerializer(serializers.ModelSerializer):
    payload = Described(DeliveryPayloadSerializer())
    event = serializers.ChoiceField([*WebhookEvent.values, PING], read_only=True)

    class Meta:
        model = WebhookDelivery
        fields = [
            "id",
            "event",
            "payload",
            "state",
            "attempts",
            "next_attempt_at",
            "status_code",
            "problem",
            "created_at",
            "delivered_at",
        ]
        read_only_fields = fields
