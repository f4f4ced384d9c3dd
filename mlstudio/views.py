"""The API's front door: what is here, where the documentation is."""

from __future__ import annotations

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

RESOURCES = (
    "auth/register", "auth/login", "users/me", "tokens", "projects", "invitations", "datasets", "images", "jobs",
    "architectures",
    "trainings", "searches", "models", "videos", "uploads", "predictions", "suggestions", "suspects",
    "activity", "webhooks", "devices", "device-groups", "enrolment-codes", "deployments",
)  # fmt: skip


class RootSerializer(serializers.Serializer):
    name = serializers.CharField()
    version = serializers.CharField()
    documentation = serializers.CharField()
    schema = serializers.CharField()
    resources = serializers.DictField(child=serializers.CharField())


class RootView(APIView):
    """What this API offers."""

    permission_classes = [AllowAny]
    authentication_classes: list = []

    @extend_schema(responses=RootSerializer)
    def get(self, request):
        return Response(
            {
                "name": "ML Studio",
                "version": settings.VERSION,
                "documentation": request.build_absolute_uri("/api/docs/"),
                "schema": request.build_absolute_uri("/api/schema/"),
                "resources": {name: request.build_absolute_uri(f"/api/v1/{name}/") for name in RESOURCES},
            }
        )
