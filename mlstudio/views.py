"""The API's front door: what is here, where the documentation is."""

from __future__ import annotations

import threading

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

RESOURCES = (
    "auth/register", "auth/login", "users/me", "tokens", "projects", "invitations", "datasets", "images", "jobs",
    "architectures", "trash", "trainings", "searches", "models", "videos", "uploads", "predictions", "suggestions",
    "suspects", "activity", "webhooks", "devices", "device-groups", "enrolment-codes", "deployments",
)  # fmt: skip


class SchemaView(SpectacularAPIView):
    """The OpenAPI schema. It takes a second of CPU to write and is the same for everybody, so it is written once."""

    _written: dict[str, str | bytes] = {}
    _lock = threading.Lock()

    def _get_schema_response(self, request: Request) -> HttpResponse:
        renderer = request.accepted_renderer
        with self._lock:
            if renderer.media_type not in self._written:
                response = super()._get_schema_response(request)
                content = renderer.render(response.data, request.accepted_media_type, self.get_renderer_context())
                self._written[renderer.media_type] = content
        filename = self._get_filename(request, None)
        headers = {"Content-Disposition": f'inline; filename="{filename}"', "Vary": "Accept"}
        return HttpResponse(self._written[renderer.media_type], content_type=renderer.media_type, headers=headers)

    def _get_version_parameter(self, request: Request) -> None:
        return None


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
    def get(self, request: Request) -> Response:
        return Response(
            {
                "name": "ML Studio",
                "version": settings.VERSION,
                "documentation": request.build_absolute_uri("/api/docs/"),
                "schema": request.build_absolute_uri("/api/schema/"),
                "resources": {name: request.build_absolute_uri(f"/api/v1/{name}/") for name in RESOURCES},
            }
        )
