from __future__ import annotations

from dataclasses import asdict

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.generics import get_object_or_404
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.response import Response

from datasets.imaging.preprocessing import ImageError
from datasets.ingest import clean_filename
from datasets.selectors import images_of
from inference import serializers, services
from inference.model_uploads import start_model_import
from inference.models import Evaluation, FileKind, Model
from inference.selectors import models_of
from projects.models import Role, Task
from projects.permissions import ProjectPermission, require_role
from projects.selectors import projects_of
from projects.serializers import JobSerializer
from storage import services as storage
from storage.downloads import blob_response
from storage.uploads import memory_first

# The JSON card is an object in the schema, every other file is bytes.
MODEL_FILE = {
    (code, media_type): OpenApiTypes.ANY if media_type == "application/json" else OpenApiTypes.BINARY
    for code in (200, 206)
    for media_type in sorted(set(services.CONTENT_TYPES.values()))
}


class ModelFilter(filters.FilterSet):
    class Meta:
        model = Model
        fields = ["project", "architecture", "training"]


class ModelViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,
):
    """Trained models."""

    queryset = Model.objects.none()
    serializer_class = serializers.ModelSerializer
    permission_classes = [ProjectPermission]
    filterset_class = ModelFilter
    ordering_fields = ("version",)
    lookup_value_converter = "uuid"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    @property
    def change_role(self) -> Role:
        return Role.VIEWER if self.action == "predict" else Role.EDITOR

    def get_queryset(self):
        models = models_of(self.request.user)
        return models if self.action == "predict" else models.prefetch_related("files__blob")

    def get_parsers(self):
        """A model comes as a form, all else as JSON or as its action says."""
        method = self.request.method.lower() if self.request is not None else ""
        return [MultiPartParser()] if self.action_map.get(method) == "create" else super().get_parsers()

    def initialize_request(self, request, *args, **kwargs):
        if self.action_map.get(request.method.lower()) == "predict":
            request.upload_handlers = memory_first(request)
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(request={"multipart/form-data": serializers.ModelUploadSerializer}, responses={202: JobSerializer})
    def create(self, request):
        """Bring a model that was made elsewhere; it is read and proved in the background.

        So far: detectors of keras-retinanet (`.h5`). The job's result names the model.
        """
        data = serializers.ModelUploadSerializer(data=request.data, context={"projects": projects_of(request.user)})
        data.is_valid(raise_exception=True)
        wanted = data.validated_data
        require_role(wanted["project"], request.user, Role.EDITOR)
        job = start_model_import(
            project=wanted["project"],
            user=request.user,
            incoming=wanted["file"].incoming,
            name=wanted["name"],
            class_names=wanted["labels"],
            image_size=(wanted["input_height"], wanted["input_width"]),
            anchors=wanted["anchors"],
        )
        location = reverse("job-detail", args=[job.pk])
        return Response(JobSerializer(job).data, status=status.HTTP_202_ACCEPTED, headers={"Location": location})

    def perform_destroy(self, instance: Model) -> None:
        services.delete_model(model=instance)

    @extend_schema(
        parameters=[OpenApiParameter("kind", OpenApiTypes.STR, OpenApiParameter.PATH, enum=FileKind.values)],
        responses=MODEL_FILE,
    )
    @action(detail=True, url_path="files/<str:kind>", pagination_class=None, filterset_class=None)
    def files(self, request, pk=None, kind=None):
        """One file of the model. Supports `ETag`, `If-None-Match` and `Range`."""
        model = self.get_object()
        file = next((file for file in model.files.all() if file.kind == kind), None)
        if file is None:
            raise NotFound(f"This model has no file {kind!r}.")
        return blob_response(request, file.blob, f"{model.name}-v{model.version}-{file.filename}")

    @extend_schema(responses=serializers.EvaluationSerializer(many=True))
    @action(detail=True, filterset_class=None, ordering_fields=())
    def evaluations(self, request, pk=None):
        """How good the model is, and the images it got wrong."""
        page = self.paginate_queryset(Evaluation.objects.filter(model=self.get_object()))
        return self.get_paginated_response(serializers.EvaluationSerializer(page, many=True).data)

    @extend_schema(
        parameters=[serializers.OverlaySerializer],
        request={
            "multipart/form-data": serializers.PredictionRequestSerializer,
            "application/json": serializers.PredictionRequestSerializer,
        },
        responses={
            (200, "application/json"): serializers.PredictionAnswerSerializer,
            (200, "image/png"): OpenApiTypes.BINARY,
            (200, "image/jpeg"): OpenApiTypes.BINARY,
        },
    )
    @action(
        detail=True,
        methods=["post"],
        parser_classes=[MultiPartParser, JSONParser],
        pagination_class=None,
        filterset_class=None,
    )
    def predict(self, request, pk=None):
        """Ask the model about images: uploaded `files`, or ids of `images` in your datasets."""
        watch = services.Stopwatch()
        model = self.get_object()
        query = serializers.OverlaySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        sources = self._sources(request)
        overlay = query.validated_data.get("overlay")
        if overlay is not None and (model.task != Task.DETECTION or len(sources) != 1):
            raise ValidationError({"overlay": ["Boxes are drawn by detectors, on one image a request."]})
        wishes = services.Wishes(
            threshold=query.validated_data.get("threshold"),
            limit=query.validated_data.get("max"),
            iou=query.validated_data.get("iou"),
        )
        predict = services.predictor_of(model, wishes)
        predictions, rejected = [], []
        for source, name in sources:
            try:
                prediction = predict(source, name)
            except ImageError as error:
                rejected.append({"filename": name, "code": error.code, "detail": str(error)})
            else:
                if overlay is not None:
                    content = services.draw_prediction(model, source, prediction, overlay)
                    return HttpResponse(content, content_type=f"image/{overlay}")
                predictions.append(asdict(prediction))
        return Response(
            {
                "predictions": predictions,
                "rejected": rejected,
                "model": {"id": str(model.pk), "name": model.name, "version": model.version},
                "timing_ms": watch.milliseconds,
            }
        )

    def _sources(self, request) -> list[tuple]:
        data = serializers.PredictionRequestSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        files, ids = data.validated_data.get("files", []), data.validated_data.get("images", [])
        if not files and not ids:
            raise ValidationError({"files": ["Send files, or the ids of images."]}, code="required")
        if len(files) + len(ids) > settings.MAX_PREDICTION_IMAGES:
            raise ValidationError({"files": [f"At most {settings.MAX_PREDICTION_IMAGES} images a request."]})
        sources = [(upload, clean_filename(upload.name)) for upload in files]
        for pk in ids:
            image = get_object_or_404(images_of(request.user), pk=pk)
            sources.append((storage.path_of(image.blob), image.filename))
        return sources
