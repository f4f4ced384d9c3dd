from __future__ import annotations

import json
import uuid

from django.db import connection
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.http import HttpResponseBase
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from common.requests import AuthenticatedRequest
from inference.models import FileKind, Model
from inference.registry import serializers
from inference.registry.changing import change_model, delete_model
from inference.registry.model_import_serializers import ModelUploadSerializer
from inference.registry.model_imports import require_model_uploads, start_model_import
from inference.registry.registration import CONTENT_TYPES
from inference.selectors import listed, models_of
from jobs.serializers import JobSerializer
from projects.answers import accepted
from projects.changes.making import MakesChanges
from projects.models import Role
from projects.parsers import JSONParser
from projects.permissions import MemberLinkPermission, ProjectPermission, require_role
from projects.selectors import projects_of
from projects.serializers import DeletionSerializer, UsesSerializer, is_forced
from projects.uses import uses_of
from storage.downloads import blob_response
from storage.finished_uploads import taking_uploads
from storage.receiving import FileBody, open_form
from storage.signing import signed_for

# The JSON card is an object in the schema, every other file is bytes.
MODEL_FILE = {
    (code, media_type): OpenApiTypes.ANY if media_type == "application/json" else OpenApiTypes.BINARY
    for code in (200, 206)
    for media_type in sorted(set(CONTENT_TYPES.values()))
}


class ModelFilter(filters.FilterSet):
    tag = filters.CharFilter(method="tagged", help_text="Models with this tag.")

    class Meta:
        model = Model
        fields = ["project", "task", "architecture", "training", "snapshot", "stage", "visibility"]

    def tagged(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        if connection.features.supports_json_field_contains:
            return queryset.filter(tags__contains=[value])
        text = Cast("tags", TextField())  # as SQLite has it: JSON in ASCII
        return queryset.annotate(tags_text=text).filter(tags_text__contains=json.dumps(value))


class ModelViewSet(
    MakesChanges,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,
):
    """Trained and uploaded models: your projects' own, and those that others made public."""

    request: AuthenticatedRequest

    queryset = Model.objects.none()
    serializer_class = serializers.ModelSerializer
    permission_classes = [ProjectPermission]
    filterset_class = ModelFilter
    ordering_fields = ("version",)
    lookup_value_converter = "uuid"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    without_changes = ("create",)
    file_bodies = {"create": FileBody(open_form, limit="MAX_MODEL_BYTES")}

    def get_queryset(self) -> QuerySet:
        by_link = signed_for(self.request) if self.action == "files" else None
        models = models_of(by_link or self.request.user)
        if self.action == "list":
            models = listed(models)
        return models.prefetch_related("files__blob")

    def get_serializer_class(self) -> type[BaseSerializer]:
        return serializers.ModelSummarySerializer if self.action == "list" else self.serializer_class

    def get_parsers(self) -> list[BaseParser]:
        """A model comes as a form or names an upload, all else comes as JSON."""
        method = (self.request.method or "").lower() if self.request is not None else ""
        return [MultiPartParser(), JSONParser()] if self.action_map.get(method) == "create" else super().get_parsers()

    @extend_schema(
        request={
            "multipart/form-data": ModelUploadSerializer,
            "application/json": ModelUploadSerializer,
        },
        responses={202: JobSerializer},
    )
    def create(self, request: AuthenticatedRequest) -> Response:
        """Upload a model that was made elsewhere; it is read, checked and verified in the background.

        It comes as `file` or as an `upload` in parts. Classifiers: `.keras`, `.h5` (Keras 2 or 3), `.tflite`, `.onnx`,
        or a zip with a SavedModel. Detectors: `.h5` of keras-retinanet. Nothing in the file is executed: networks with
        code of their own are refused. The job's result names the model. `403 model_uploads_off` where the studio takes
        none.
        """
        require_model_uploads()
        with taking_uploads(request.user) as taking:
            context = {"projects": projects_of(request.user), "taking": taking}
            data = ModelUploadSerializer(data=request.data, context=context)
            data.is_valid(raise_exception=True)
            options = dict(data.validated_data)
            project, file = options.pop("project"), options.pop("file")
            require_role(project, request.user, Role.EDITOR)
            job = start_model_import(project=project, user=request.user, incoming=file.incoming, **options)
        return accepted(job)

    def perform_update(self, serializer: BaseSerializer) -> None:
        model = serializer.instance
        assert model is not None
        if "visibility" in serializer.validated_data:
            require_role(model.project, self.request.user, Role.OWNER)
        # Taking it back needs the same role.
        action_name = "change_visibility" if "visibility" in serializer.validated_data else "change_model"
        with self.changing(model.project, action_name, model=str(model)):
            change_model(model=model, changes=serializer.validated_data)

    @extend_schema(parameters=[DeletionSerializer], responses={204: OpenApiResponse(description="Deleted.")})
    def destroy(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """Delete a model with its files; it stays in the trash for a while.

        What is in production or runs on devices cannot be deleted (409 `model_in_use`); work that needs the model is
        cancelled with `force`."""
        model, force = self.get_object(), is_forced(request)
        with self.changing(model.project, "delete_model", model=str(model)):
            delete_model(model=model, force=force)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(responses=UsesSerializer)
    @action(detail=True, pagination_class=None, filterset_class=None)
    def uses(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """What needs the model, and what is deleted with it."""
        model = self.get_object()
        along = {"files": model.files.count(), "evaluations": model.evaluations.count()}
        return Response(UsesSerializer({"uses": uses_of(model), "along": along}).data)

    @extend_schema(
        parameters=[OpenApiParameter("kind", OpenApiTypes.STR, OpenApiParameter.PATH, enum=FileKind.values)],
        responses=MODEL_FILE,
    )
    @action(
        detail=True,
        url_path="files/<str:kind>",
        permission_classes=[MemberLinkPermission],
        pagination_class=None,
        filterset_class=None,
    )
    def files(self, request: Request, pk: uuid.UUID | None = None, kind: str | None = None) -> HttpResponseBase:
        """One file of the model. Supports `ETag`, `If-None-Match` and `Range`; takes your signed URLs."""
        model = self.get_object()
        file = next((file for file in model.files.all() if file.kind == kind), None)
        if file is None:
            kinds = ", ".join(sorted(file.kind for file in model.files.all())) or "none"
            raise NotFound(f"This model has no file {kind!r}; it has {kinds}.")
        own_name = file.kind == FileKind.BUNDLE and file.filename != "bundle.zip"  # the latter of earlier versions
        name = file.filename if own_name else f"{model.name}-v{model.version}-{file.filename}"
        return blob_response(request, file.blob, name)
