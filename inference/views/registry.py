"""Stages and lineage of a model."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response

from common.requests import AuthenticatedRequest
from inference.models import StageChange
from inference.registry import serializers
from inference.registry.changing import move_to_stage
from inference.registry.lineage import ancestors, descendants, labelled_by
from inference.selectors import models_of
from projects.permissions import require_member


class RegistryActions(GenericAPIView):
    """The part of the models' view that says what a model is for."""

    @extend_schema(request=serializers.StageSerializer, responses=serializers.ModelSerializer)
    @action(detail=True, methods=["post"], pagination_class=None, filterset_class=None)
    def stage(self, request: AuthenticatedRequest, pk: uuid.UUID | None = None) -> Response:
        """Move the model to a stage. The one that was in production before is archived in the same step."""
        model = self.get_object()
        data = serializers.StageSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        move_to_stage(model=model, user=request.user, **data.validated_data)
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(responses=serializers.StageChangeSerializer(many=True))
    @action(detail=True, filterset_class=None, ordering_fields=())
    def stages(self, request: AuthenticatedRequest, pk: uuid.UUID | None = None) -> Response:
        """Who moved the model where, and when."""
        model = self.get_object()
        require_member(model.project, request.user)
        page = self.paginate_queryset(StageChange.objects.filter(model=model).select_related("changed_by"))
        return self.get_paginated_response(serializers.StageChangeSerializer(page, many=True).data)

    @extend_schema(responses=serializers.LineageSerializer)
    @action(detail=True, pagination_class=None, filterset_class=None)
    def lineage(self, request: AuthenticatedRequest, pk: uuid.UUID | None = None) -> Response:
        """Where the model comes from: its training, its data and who labelled it, the models that it started from and
        that started from it. Of others' models only those that are public are named, and nobody who labelled for them.
        """
        model = self.get_object()
        visible = models_of(request.user)
        found = {
            "training": model.training,
            "snapshot": model.snapshot,
            "labelled_by": [] if model.snapshot is None else labelled_by(model.snapshot, request.user),
            "origin": model.origin or None,
            "ancestors": ancestors(model, visible),
            "descendants": descendants(model, visible)[:100],
        }
        return Response(serializers.LineageSerializer(found).data)
