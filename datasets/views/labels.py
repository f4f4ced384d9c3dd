from __future__ import annotations

import uuid

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from common.requests import AuthenticatedRequest
from datasets import serializers
from datasets.label_jobs import is_large, start_label_removal
from datasets.label_removal import delete_label, merge_labels
from datasets.labels import create_label, reorder_labels, update_label
from datasets.models import Label
from datasets.selectors import find_label, labels_of
from jobs.models import Job
from jobs.serializers import JobSerializer
from projects.changes.making import MakesChanges
from projects.in_project import InProject
from projects.models import Project

NOTHING = OpenApiResponse(description="Done.")


def label_or_400(project: Project, text: str, attr: str = "label") -> Label:
    label = find_label(project, text)
    if label is None:
        detail = f"The project has no label {text!r}: make it with projects/{project.pk}/labels/ first."
        raise ValidationError({attr: [detail]}, code="unknown_label")
    return label


def _accepted(job: Job) -> Response:
    location = reverse("job-detail", args=[job.pk])
    return Response(JobSerializer(job).data, status=status.HTTP_202_ACCEPTED, headers={"Location": location})


class LabelViewSet(MakesChanges, InProject, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """The labels of a project."""

    queryset = Label.objects.none()
    serializer_class = serializers.LabelSerializer
    lookup_value_converter = "uuid"
    default_ordering = "order"
    ordering_fields = ("order", "name")
    repeatable = ("merge",)

    def get_queryset(self) -> QuerySet:
        return Label.objects.filter(project_id=self.kwargs["project_id"])

    @extend_schema(responses={201: serializers.LabelSerializer})
    def create(self, request: Request, project_id: uuid.UUID) -> Response:
        data = self.get_serializer(data=request.data)
        data.is_valid(raise_exception=True)
        with self.changing(self.project, "create_label", label=data.validated_data["name"]):
            label = create_label(project=self.project, **data.validated_data)
        return Response(self.get_serializer(label).data, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, project_id: uuid.UUID, pk: uuid.UUID) -> Response:
        """Rename or recolour. Every image shows the new name at once."""
        label = self.get_object()
        data = self.get_serializer(label, data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        with self.changing(self.project, "change_label", label=label.name):
            label = update_label(label=label, **data.validated_data)
        return Response(self.get_serializer(label).data)

    @extend_schema(parameters=[serializers.LabelDeletionSerializer], responses={204: NOTHING, 202: JobSerializer})
    def destroy(self, request: AuthenticatedRequest, project_id: uuid.UUID, pk: uuid.UUID) -> Response:
        """Delete a label. When images carry it, `images` says what happens to them. When they are very many, a job does
        it (202); the label is there until its end."""
        data = serializers.LabelDeletionSerializer(data=request.query_params)
        data.is_valid(raise_exception=True)
        choice, target = data.validated_data.get("images"), data.validated_data.get("move_to")
        move_to = get_object_or_404(labels_of(self.project), pk=target) if target else None
        label = self.get_object()
        if is_large(label):
            return _accepted(start_label_removal(label=label, images=choice, move_to=move_to, user=request.user))
        with self.changing(
            self.project, "delete_label", label=label.name, **({"into": move_to.name} if move_to else {})
        ):
            delete_label(label=label, images=choice, move_to=move_to, user=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        request=serializers.LabelMergeSerializer,
        responses={200: serializers.LabelSerializer, 202: JobSerializer},
    )
    @action(detail=True, methods=["post"])
    def merge(self, request: AuthenticatedRequest, project_id: uuid.UUID, pk: uuid.UUID) -> Response:
        """Give all images of this label another one and delete it. Answers with the label that stays; when the images
        are very many, with the job that does it (202)."""
        data = serializers.LabelMergeSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        into = get_object_or_404(labels_of(self.project), pk=data.validated_data["into"])
        label = self.get_object()
        if is_large(label):
            return _accepted(start_label_removal(label=label, images="move", move_to=into, user=request.user))
        with self.changing(self.project, "merge_labels", label=label.name, into=into.name):
            merge_labels(label=label, into=into, user=request.user)
        return Response(self.get_serializer(into).data)

    @extend_schema(request=serializers.LabelOrderSerializer, responses=serializers.LabelSerializer(many=True))
    @action(detail=False, methods=["post"], pagination_class=None)
    def reorder(self, request: Request, project_id: uuid.UUID) -> Response:
        """Put the labels into an order."""
        data = serializers.LabelOrderSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        with self.changing(self.project, "reorder_labels"):
            reorder_labels(project=self.project, ids=data.validated_data["labels"])
        return Response(self.get_serializer(self.get_queryset(), many=True).data)
