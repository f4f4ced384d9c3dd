"""Stages and lineage of a model."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from common.requests import AuthenticatedRequest
from inference.models import StageChange
from inference.registry import serializers
from inference.registry.changing import move_to_stage
from inference.registry.lineage import ancestors, descendants, labelled_by
from inference.selectors import models_of
from inference.views.of_model import OfModel, OfModelWithFiles
from projects.pagination import KeysetPagination
from projects.permissions import require_member


class ModelStageView(OfModelWithFiles):
    """The stage of a model."""

    serializer_class = serializers.StageSerializer

    @extend_schema(request=serializers.StageSerializer, responses=serializers.ModelSerializer)
    def stage(self, request: AuthenticatedRequest, pk: uuid.UUID) -> Response:
        """Move the model to a stage. The one that was in production before is archived in the same step."""
        model = self.get_object()
        data = serializers.StageSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        move_to_stage(model=model, user=request.user, **data.validated_data)
        return Response(serializers.ModelSerializer(self.get_object(), context=self.get_serializer_context()).data)


class ModelStagesView(OfModel):
    """The stages that a model had."""

    serializer_class = serializers.StageChangeSerializer
    pagination_class = KeysetPagination

    @extend_schema(responses=serializers.StageChangeSerializer(many=True))
    def stages(self, request: AuthenticatedRequest, pk: uuid.UUID) -> Response:
        """Who moved the model where, and when."""
        model = self.get_object()
        require_member(model.project, request.user)
        page = self.paginate_queryset(StageChange.objects.filter(model=model).select_related("changed_by"))
        return self.get_paginated_response(serializers.StageChangeSerializer(page, many=True).data)


class ModelLineageView(OfModel):
    """Where a model comes from."""

    serializer_class = serializers.LineageSerializer

    @extend_schema(responses=serializers.LineageSerializer)
    def lineage(self, request: AuthenticatedRequest, pk: uuid.UUID) -> Response:
        """Where the model comes from: its training, its data and who labelled it, the models that it started from and
        that started from it. Of others' models only those that are public are named, and nobody who labelled for them.
        """
        model = self.get_object()
        visible = models_of(request.user)
        lineage = {
            "training": model.training,
            "snapshot": model.snapshot,
            "labelled_by": [] if model.snapshot is None else labelled_by(model.snapshot, request.user),
            "origin": model.origin or None,
            "ancestors": ancestors(model, visible),
            "descendants": descendants(model, visible)[:100],
        }
        return Response(serializers.LineageSerializer(lineage).data)
