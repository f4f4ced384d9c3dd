"""Exports and publishing of a model."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from common.requests import AuthenticatedRequest
from datasets.selectors import snapshots_of
from inference.registry import serializers
from inference.registry.exports import exportable_kinds, start_export
from inference.registry.publishing import start_publishing
from inference.views.of_model import OfModel, OfModelWithFiles
from jobs.serializers import JobSerializer
from projects.answers import accepted
from projects.permissions import require_member
from storage.signing import base_url_of
from vision.runtime.kinds import KINDS


class ModelExportsView(OfModelWithFiles):
    """Exports of a model."""

    serializer_class = serializers.ExportRequestSerializer

    @extend_schema(methods=["get"], responses=serializers.ExportSerializer(many=True))
    @extend_schema(methods=["post"], request=serializers.ExportRequestSerializer, responses={202: JobSerializer})
    def exports(self, request: AuthenticatedRequest, pk: uuid.UUID) -> Response:
        """What the model can be exported as, and what was measured of each file that exists.

        POST writes files: each is run on the test split by the runtime that will run it, and is offered only when it
        says what the model says. What it lost is in the job's result.
        """
        model = self.get_object()
        if request.method == "GET":
            files = {file.kind: file for file in model.files.all()}
            rows = [{"kind": kind, "spec": KINDS[kind], "file": files.get(kind)} for kind in exportable_kinds(model)]
            return Response(serializers.ExportSerializer(rows, many=True).data)
        data = serializers.ExportRequestSerializer(data=request.data, context={"snapshots": snapshots_of(request.user)})
        data.is_valid(raise_exception=True)
        require_member(model.project, request.user)
        return accepted(start_export(model=model, user=request.user, **data.validated_data))


class ModelPublishView(OfModel):
    """Publishing of a model."""

    serializer_class = serializers.PublishRequestSerializer

    @extend_schema(request=serializers.PublishRequestSerializer, responses={202: JobSerializer})
    def publish(self, request: AuthenticatedRequest, pk: uuid.UUID) -> Response:
        """Put files into the large-file store. The job's result has, for each, its id there (of FastDFS
        `group1/M00/…`), an address, sha256 and size."""
        model = self.get_object()
        data = serializers.PublishRequestSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        return accepted(
            start_publishing(model=model, user=request.user, base_url=base_url_of(request), **data.validated_data)
        )
