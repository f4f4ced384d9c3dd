from __future__ import annotations

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import status, viewsets
from rest_framework.response import Response

from common.requests import AuthenticatedRequest
from datasets.sample_serializers import SamplesSerializer, StartedSamplesSerializer
from datasets.samples import start_samples
from projects.models import Project, Task


class SamplesView(viewsets.GenericViewSet):
    """Projects to try the studio with."""

    queryset = Project.objects.none()
    serializer_class = SamplesSerializer

    @extend_schema(request=SamplesSerializer, responses={201: StartedSamplesSerializer})
    def start(self, request: AuthenticatedRequest) -> Response:
        """Make a project with sample images. The studio draws them in the background: 300 of one shape each, or 240
        with boxes around 1 to 4. They carry labels, except for 30 that are left to be labelled by hand."""
        data = SamplesSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        started = start_samples(user=request.user, task=Task(data.validated_data["task"]))
        answer = {"project": started.project.pk, "dataset": started.dataset.pk, "job": started.job.pk}
        location = reverse("project-detail", args=[started.project.pk])
        body = StartedSamplesSerializer(answer).data
        return Response(body, status=status.HTTP_201_CREATED, headers={"Location": location})
