from __future__ import annotations

import uuid

from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from common.requests import AuthenticatedRequest
from datasets.selectors import datasets_of, snapshots_of
from inference.evaluation.figures import image_response
from inference.evaluation.result_serializers import ImageKindSerializer
from inference.selectors import models_of
from jobs.models import Job
from jobs.serializers import JobSerializer
from jobs.work import log_of
from projects.events import EVENT_STREAM, NOTHING_LEFT, EventStreamRenderer, StreamsEvents, event_stream
from projects.models import Role, Task
from projects.permissions import ProjectPermission, require_role
from projects.selectors import projects_of
from training import estimates, searches, serializers, services
from training.large_datasets import (
    StartSearchParameters,
    StartTrainingParameters,
    dataset_to_freeze,
    start_from_dataset,
)
from training.models import Search, TrainingRun
from training.options import TrainingOptionsSerializer, options_of
from training.selectors import activity_of, searches_of, trainings_of
from vision.analysis.charts import history_chart
from vision.training.architectures import ARCHITECTURES, default_architecture, network_task, weights_here


def _accepted(job: Job) -> Response:
    location = reverse("job-detail", args=[job.pk])
    return Response(JobSerializer(job).data, status=status.HTTP_202_ACCEPTED, headers={"Location": location})


class ArchitecturesView(APIView):
    """What can be trained here, and which pretrained weights this machine has."""

    @extend_schema(
        parameters=[OpenApiParameter("task", OpenApiTypes.STR, enum=Task.values)],
        responses=serializers.ArchitectureSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        task = request.query_params.get("task")
        if task is not None and task not in Task.values:
            raise ValidationError({"task": [f"Must be one of {', '.join(Task.values)}."]})
        defaults = [default_architecture(task) for task in Task.values]
        rows = []
        for architecture in ARCHITECTURES.values():
            if not architecture.is_offered:
                continue
            here = list(weights_here(architecture))
            rows.append(
                {
                    "name": architecture.name,
                    "title": architecture.title,
                    "description": architecture.description,
                    "task": architecture.task,
                    "parameters": architecture.parameters,
                    "default_image_size": architecture.default_image_size,
                    "image_sizes": architecture.image_sizes,
                    "weights_file": architecture.weights_file,
                    "coco_weights": architecture.coco_weights,
                    "weights_available": bool(here),
                    "initial_weights": here[0] if here else "scratch",
                    "is_installed": architecture.is_installed,
                    "is_exportable": True,
                    "is_default": architecture.name in defaults,
                }
            )
        chosen = [row for row in rows if task is None or row["task"] == network_task(task)]
        return Response(serializers.ArchitectureSerializer(chosen, many=True).data)


class TrainingFilter(filters.FilterSet):
    created_by = filters.CharFilter(field_name="created_by__username", help_text="The user name of who started it.")
    created_after = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")
    name = filters.CharFilter(lookup_expr="icontains", help_text="A part of its name.")

    class Meta:
        model = TrainingRun
        fields = ["project", "state", "snapshot", "search"]


class TrainingViewSet(
    StreamsEvents,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,
):
    """Trainings: started here, done in the background."""

    request: AuthenticatedRequest

    queryset = TrainingRun.objects.none()
    serializer_class = serializers.TrainingSerializer
    permission_classes = [ProjectPermission]
    filterset_class = TrainingFilter
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet:
        runs = trainings_of(self.request.user)
        return runs.defer("history", "estimate") if self.action == "list" else runs

    def get_serializer_class(self) -> type[BaseSerializer]:
        return serializers.TrainingSummarySerializer if self.action == "list" else self.serializer_class

    @extend_schema(
        request=serializers.TrainingRequestSerializer,
        responses={201: serializers.TrainingSerializer, 202: JobSerializer},
    )
    def create(self, request: AuthenticatedRequest) -> Response:
        """Start a training. Only `project` is needed; all else has good defaults.

        Without a snapshot of a large dataset, a job takes it first (202); its `result.training` is then the id.
        """
        wanted = self._requested(request)
        dataset = dataset_to_freeze(**wanted)
        if dataset is not None:
            what = StartTrainingParameters
            return _accepted(start_from_dataset(what=what, dataset=dataset, user=request.user, arguments=wanted))
        run = services.start_training(user=request.user, **wanted)
        location = reverse("trainingrun-detail", args=[run.pk])
        answer = serializers.TrainingSerializer(run).data
        return Response(answer, status=status.HTTP_201_CREATED, headers={"Location": location})

    @extend_schema(parameters=[serializers.OptionsQuerySerializer], responses=TrainingOptionsSerializer)
    @action(detail=False, url_path="options", pagination_class=None, filterset_class=None)
    def choices(self, request: AuthenticatedRequest) -> Response:
        """What can be chosen for a training of this project: presets with what each means, and settings with bounds."""
        query = serializers.OptionsQuerySerializer(
            data=request.query_params, context={"visible": {"project": projects_of(request.user)}}
        )
        query.is_valid(raise_exception=True)
        return Response(TrainingOptionsSerializer(options_of(query.validated_data["project"])).data)

    @extend_schema(request=serializers.TrainingRequestSerializer, responses={202: JobSerializer})
    @action(detail=False, methods=["post"], pagination_class=None, filterset_class=None)
    def preflight(self, request: AuthenticatedRequest) -> Response:
        """What such a training would take: the job's result has minutes, memory, disk and warnings."""
        job = estimates.start_preflight(user=request.user, **self._requested(request))
        return _accepted(job)

    def _requested(self, request: AuthenticatedRequest) -> dict:
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
    def cancel(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """Cancel a training: at once when it waits, within seconds when it runs."""
        run = services.cancel_training(run=self.get_object())
        return Response(self.get_serializer(run).data)

    @extend_schema(responses={(200, "text/plain"): OpenApiResponse(OpenApiTypes.STR)})
    @action(detail=True, pagination_class=None, filterset_class=None)
    def log(self, request: Request, pk: uuid.UUID | None = None) -> HttpResponse:
        """What the training said, a line an event."""
        return HttpResponse(log_of(self.get_object()), content_type="text/plain; charset=utf-8")

    @extend_schema(responses={(200, "text/event-stream"): EVENT_STREAM, 204: NOTHING_LEFT})
    @action(detail=True, renderer_classes=[EventStreamRenderer], pagination_class=None, filterset_class=None)
    def events(self, request: AuthenticatedRequest, pk: uuid.UUID | None = None) -> HttpResponseBase:
        """Watch a training live, from its beginning or after `Last-Event-ID`."""
        return event_stream(request, self.get_object(), trainings_of)

    @extend_schema(request=None, responses={201: serializers.TrainingSerializer})
    @action(detail=True, methods=["post"])
    def retry(self, request: AuthenticatedRequest, pk: uuid.UUID | None = None) -> Response:
        """Train again what failed or was cancelled: a new training with the same settings on the same snapshot."""
        run = services.retry_training(run=self.get_object(), user=request.user)
        location = reverse("trainingrun-detail", args=[run.pk])
        answer = serializers.TrainingSerializer(run).data
        return Response(answer, status=status.HTTP_201_CREATED, headers={"Location": location})

    @extend_schema(
        parameters=[ImageKindSerializer],
        responses={(200, "image/svg+xml"): OpenApiTypes.STR, (200, "image/png"): OpenApiTypes.BINARY},
    )
    @action(detail=True, pagination_class=None, filterset_class=None)
    def picture(self, request: Request, pk: uuid.UUID | None = None) -> HttpResponseBase:
        """The curves of the training: its losses, and accuracy or AP50, epoch by epoch."""
        query = ImageKindSerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        run = self.get_object()
        if not run.history:
            raise NotFound("This training has no epochs yet.")
        kind = query.validated_data["kind"]
        about = f"{run.name or run.project.name}, {started:%d %B %Y}" if (started := run.started_at) else run.name
        return image_response(history_chart(run.history, kind, about), kind)


class SearchFilter(filters.FilterSet):
    class Meta:
        model = Search
        fields = ["project", "state", "snapshot"]


class SearchViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Searches for better settings: groups of trainings by successive halving."""

    request: AuthenticatedRequest

    queryset = Search.objects.none()
    serializer_class = serializers.SearchSerializer
    permission_classes = [ProjectPermission]
    filterset_class = SearchFilter
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet:
        return searches_of(self.request.user)

    @extend_schema(
        request=serializers.SearchRequestSerializer, responses={201: serializers.SearchSerializer, 202: JobSerializer}
    )
    def create(self, request: AuthenticatedRequest) -> Response:
        """Start a search. The better half of each round trains twice as long; the best model is kept.

        Which is better is decided on the validation split; the test split stays untouched. Without a snapshot of a
        large dataset, a job takes it first (202); its `result.search` is then the id.
        """
        visible = {
            "project": projects_of(request.user),
            "snapshot": snapshots_of(request.user),
            "dataset": datasets_of(request.user),
            "base_model": models_of(request.user),
        }
        data = serializers.SearchRequestSerializer(data=request.data, context={"visible": visible})
        data.is_valid(raise_exception=True)
        require_role(data.validated_data["project"], request.user, Role.EDITOR)
        wanted = data.service_arguments
        dataset = dataset_to_freeze(**wanted)
        if dataset is not None:
            what = StartSearchParameters
            return _accepted(start_from_dataset(what=what, dataset=dataset, user=request.user, arguments=wanted))
        search = searches.start_search(user=request.user, **wanted)
        location = reverse("search-detail", args=[search.pk])
        answer = self.get_serializer(searches_of(request.user).get(pk=search.pk)).data
        return Response(answer, status=status.HTTP_201_CREATED, headers={"Location": location})

    @extend_schema(request=None, responses=serializers.SearchSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """Cancel the search and the trainings that are at work or wait."""
        searches.cancel_search(search=self.get_object())
        return Response(self.get_serializer(self.get_object()).data)


class ActivityView(APIView):
    """Everything at work in one place."""

    @extend_schema(
        parameters=[serializers.ActivityQuerySerializer], responses=serializers.ActivitySerializer(many=True)
    )
    def get(self, request: AuthenticatedRequest) -> Response:
        """Jobs and trainings of your projects, the newest first: what is at work or waits, or what has ended."""
        query = serializers.ActivityQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        values = query.validated_data
        rows = activity_of(request.user, values.get("project"), values["state"], values["page_size"])
        return Response(serializers.ActivitySerializer(rows, many=True).data)
