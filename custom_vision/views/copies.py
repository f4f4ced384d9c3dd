"""Copying projects of Custom Vision, for the pages."""

from __future__ import annotations

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import status, viewsets
from rest_framework.response import Response

from accounts.throttles import UserThrottle
from common.requests import AuthenticatedRequest
from custom_vision.api_serializers import (
    CopySerializer,
    SourceProjectSerializer,
    SourceSerializer,
    StartedCopySerializer,
)
from custom_vision.copying import source_projects, start_copy
from projects.models import Project


class CopyThrottle(UserThrottle):
    """Each asks another service."""

    scope = "custom_vision_copy"


class CopiesView(viewsets.GenericViewSet):
    """Projects of Azure Custom Vision, copied into this studio."""

    queryset = Project.objects.none()
    serializer_class = CopySerializer
    pagination_class = None
    throttle_classes = [CopyThrottle]

    @extend_schema(request=SourceSerializer, responses={200: SourceProjectSerializer(many=True)})
    def sources(self, request: AuthenticatedRequest) -> Response:
        """The projects that a Training-Key of Custom Vision may read."""
        data = SourceSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        rows = source_projects(data.validated_data["endpoint"], data.validated_data["key"])
        return Response(SourceProjectSerializer(rows, many=True).data)

    @extend_schema(request=CopySerializer, responses={201: StartedCopySerializer})
    def start(self, request: AuthenticatedRequest) -> Response:
        """Copy a project with its tags, images, regions and metadata; its iterations cannot be copied. A copy that you
        have already is gone on with: only what is new is copied. With another `name` it is a new one."""
        data = CopySerializer(data=request.data)
        data.is_valid(raise_exception=True)
        fields = data.validated_data
        job = start_copy(
            user=request.user,
            endpoint=fields["endpoint"],
            key=fields["key"],
            source=str(fields["source_project"]),
            name=fields.get("name", "").strip(),
        )
        body = StartedCopySerializer({"project": job.project_id, "job": job.pk}).data
        location = reverse("project-detail", args=[job.project_id])
        return Response(body, status=status.HTTP_201_CREATED, headers={"Location": location})
