"""Making a model of the project's live model."""

from __future__ import annotations

import uuid

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import status, viewsets
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from common.requests import AuthenticatedRequest
from datasets.models import Dataset
from jobs.serializers import JobSerializer
from projects.in_project import InProject
from projects.models import Project
from projects.scoped import valid
from training import serializers
from training.keeping import keep_live_model


class KeepLiveModelView(InProject, viewsets.GenericViewSet):
    """The live model as a model of the project."""

    request: AuthenticatedRequest

    queryset = Project.objects.none()
    serializer_class = serializers.KeepLiveModelSerializer
    pagination_class = None

    @extend_schema(
        request=serializers.KeepLiveModelSerializer,
        responses={201: serializers.TrainingSerializer, 202: JobSerializer},
    )
    def keep(self, request: AuthenticatedRequest, project_id: uuid.UUID) -> Response:
        """Keep the live model: its head is fitted on the training split of a snapshot, measured on the test split,
        exported, verified and registered as a model, in seconds.

        It is a training like others; of a large dataset a job takes the snapshot first (202), and its `result.training`
        is then the id.
        """
        scope = Dataset.objects.filter(project=self.project)
        options = valid(serializers.KeepLiveModelSerializer, request.data, dataset=scope)
        kept = keep_live_model(project=self.project, user=request.user, **options)
        if kept.training is None:
            assert kept.job is not None
            return _answer(JobSerializer(kept.job), status.HTTP_202_ACCEPTED, "job-detail", kept.job.pk)
        run = serializers.TrainingSerializer(kept.training)
        return _answer(run, status.HTTP_201_CREATED, "trainingrun-detail", kept.training.pk)


def _answer(shape: BaseSerializer, code: int, name: str, pk: uuid.UUID) -> Response:
    return Response(shape.data, status=code, headers={"Location": reverse(name, args=[pk])})
