from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets.selectors import datasets_of, snapshots_of
from inference.selectors import models_of
from projects.events import EVENT_STREAM, EventStreamRenderer, StreamsEvents, event_stream
from projects.models import Role, Task
from projects.permissions import ProjectPermission, require_role
from projects.selectors import projects_of
from projects.serializers import JobSerializer
from projects.work import log_of
from training import serializers, services
from training.engine.architectures import ARCHITECTURES, default_architecture, weights_here
from training.models import TrainingRun
from training.selectors import trainings_of


class ArchitecturesView(APIView):
    """What can be trained here, and which pretrained weights this machine has."""

    @extend_schema(
        parameters=[OpenApiParameter("task", OpenApiTypes.STR, enum=Task.values)],
        responses=serializers.ArchitectureSerializer(many=True),
    )
    def get(self, request):
        task = request.query_params.get("task")
        if task is not None and task not in Task.values:
            raise ValidationError({"task": [f"Must be one of {', '.join(Task.values)}."]})
        defaults = [default_architecture(one) for one in Task.values]
        rows = []
        for one in ARCHITECTURES.values():
            if not one.is_offered:
                continue
            here = list(weights_here(one))
            rows.append(
                {
                    "name": one.name,
                    "title": one.title,
                    "description": one.description,
                    "task": one.task,
                    "parameters": one.parameters,
                    "default_image_size": one.default_image_size,
                    "image_sizes": one.image_sizes,
                    "weights_file": one.weights_file,
                    "coco_weights": one.coco_weights,
                    "weights_available": bool(here),
                    "starts_from": here[0] if here else "scratch",
                    "is_installed": one.is_installed,
                    "is_exportable": True,
                    "is_default": one.name in defaults,
                }
            )
        chosen = [row for row in rows if task in (None, row["task"])]
        return Response(serializers.ArchitectureSerializer(chosen, many=True).data)


class TrainingFilter(filters.FilterSet):
    class Meta:
        model = TrainingRun
        fields = ["project", "state", "snapshot"]


class TrainingViewSet(
    StreamsEvents,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,
):
    """Trainings: started here, done in the background."""

    queryset = TrainingRun.objects.none()
    serializer_class = serializers.TrainingSerializer
    permission_classes = [ProjectPermission]
    filterset_class = TrainingFilter
    lookup_value_converter = "uuid"

    def get_queryset(self):
        runs = trainings_of(self.request.user)
        return runs.defer("history", "estimate") if self.action == "list" else runs

    def get_serializer_class(self):
        return serializers.TrainingSummarySerializer if self.action == "list" else self.serializer_class

    @extend_schema(request=serializers.TrainingRequestSerializer, responses={201: serializers.TrainingSerializer})
    def create(self, request):
        """Start a training. Only `project` is needed; all else has good defaults."""
        run = services.start_training(user=request.user, **self._requested(request))
        location = reverse("trainingrun-detail", args=[run.pk])
        answer = serializers.TrainingSerializer(run).data
        return Response(answer, status=status.HTTP_201_CREATED, headers={"Location": location})

    @extend_schema(request=serializers.TrainingRequestSerializer, responses={202: JobSerializer})
    @action(detail=False, methods=["post"], pagination_class=None, filterset_class=None)
    def preflight(self, request):
        """What such a training would take: the job's result has minutes, memory, disk and warnings."""
        job = services.start_preflight(user=request.user, **self._requested(request))
        location = reverse("job-detail", args=[job.pk])
        return Response(JobSerializer(job).data, status=status.HTTP_202_ACCEPTED, headers={"Location": location})

    def _requested(self, request) -> dict:
        visible = {
            "project": projects_of(request.user),
            "snapshot": snapshots_of(request.user),
            "dataset": datasets_of(request.user),
            "base_model": models_of(request.user),
        }
        data = serializers.TrainingRequestSerializer(data=request.data, context={"visible": visible})
        data.is_valid(raise_exception=True)
        require_role(data.validated_data["project"], request.user, Role.EDITOR)
        return data.service_arguments

    def perform_destroy(self, instance: TrainingRun) -> None:
        services.delete_training(run=instance)

    @extend_schema(request=None, responses=serializers.TrainingSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request, pk=None):
        """Cancel a training: at once when it waits, within seconds when it runs."""
        run = services.cancel_training(run=self.get_object())
        return Response(self.get_serializer(run).data)

    @extend_schema(responses={(200, "text/plain"): OpenApiResponse(OpenApiTypes.STR)})
    @action(detail=True, pagination_class=None, filterset_class=None)
    def log(self, request, pk=None):
        """What the training said, a line an event."""
        return HttpResponse(log_of(self.get_object()), content_type="text/plain; charset=utf-8")

    @extend_schema(responses={(200, "text/event-stream"): EVENT_STREAM})
    @action(detail=True, renderer_classes=[EventStreamRenderer], pagination_class=None, filterset_class=None)
    def events(self, request, pk=None):
        """Watch a training live, from its beginning or after `Last-Event-ID`."""
        run = self.get_object()
        user = request.user
        return event_stream(request, run, lambda: trainings_of(user).filter(pk=run.pk).exists())
