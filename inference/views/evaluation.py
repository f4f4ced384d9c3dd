"""How good models are: evaluations and explanations."""

from __future__ import annotations

import uuid

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from common.requests import AuthenticatedRequest
from datasets.selectors import images_of, snapshots_of
from inference.evaluation.evaluations import start_evaluation
from inference.evaluation.explanations import start_explanation
from inference.evaluation.figures import image_response
from inference.evaluation.result_serializers import (
    CurveQuerySerializer,
    ExplanationRequestSerializer,
    ImageKindSerializer,
    LabelChartsSerializer,
    OutcomePageSerializer,
    OutcomeQuerySerializer,
    ThresholdQuerySerializer,
    ThresholdTableSerializer,
)
from inference.evaluation.results import FIGURES, label_curves, list_evaluation_images, render_figure, threshold_table
from inference.evaluation.serializers import EvaluationRequestSerializer, EvaluationSerializer
from inference.models import Evaluation
from inference.views.of_model import OfModel
from jobs.serializers import JobSerializer
from projects.answers import accepted
from projects.models import Role
from projects.pagination import KeysetPagination
from projects.parsers import JSONParser
from projects.permissions import ProjectPermission, require_member
from projects.scoped import valid
from projects.selectors import project_ids_of
from storage.receiving import FileBody, open_form


class ModelExplanationsView(OfModel):
    """Where a model looks."""

    serializer_class = ExplanationRequestSerializer
    parser_classes = [JSONParser, MultiPartParser]
    change_role = Role.VIEWER
    file_bodies = {"explanations": FileBody(open_form, limit="MAX_IMAGE_BYTES")}

    @extend_schema(
        request={
            "application/json": ExplanationRequestSerializer,
            "multipart/form-data": ExplanationRequestSerializer,
        },
        responses={202: JobSerializer},
    )
    def explanations(self, request: AuthenticatedRequest, pk: uuid.UUID) -> Response:
        """Show where the model looks: what its score loses when a part of the image is covered.

        The job's `explanation.png` has it in colours, its result in numbers.
        """
        model = self.get_object()
        data = valid(ExplanationRequestSerializer, request.data, image=images_of(request.user))
        file = data.pop("file", None)
        project = data["image"].project if "image" in data else model.project
        require_member(project, request.user)
        incoming = None if file is None else file.incoming
        return accepted(start_explanation(model=model, project=project, user=request.user, incoming=incoming, **data))


class ModelEvaluationsView(OfModel):
    """Evaluations of a model."""

    serializer_class = EvaluationRequestSerializer
    pagination_class = KeysetPagination

    @extend_schema(methods=["get"], responses=EvaluationSerializer(many=True))
    @extend_schema(methods=["post"], request=EvaluationRequestSerializer, responses={202: JobSerializer})
    def evaluations(self, request: AuthenticatedRequest, pk: uuid.UUID) -> Response:
        """How good the model is, and the images it got wrong. POST measures it on a split of any snapshot of yours."""
        model = self.get_object()
        require_member(model.project, request.user)
        if request.method == "GET":
            rows = Evaluation.objects.filter(model=model).select_related("model", "snapshot__dataset")
            page = self.paginate_queryset(rows)
            return self.get_paginated_response(EvaluationSerializer(page, many=True).data)
        data = EvaluationRequestSerializer(data=request.data, context={"snapshots": snapshots_of(request.user)})
        data.is_valid(raise_exception=True)
        return accepted(start_evaluation(model=model, user=request.user, **data.validated_data))


class EvaluationViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """How good a model is on a split of a snapshot."""

    request: AuthenticatedRequest

    queryset = Evaluation.objects.none()
    serializer_class = EvaluationSerializer
    permission_classes = [ProjectPermission]
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet:
        mine = Evaluation.objects.filter(model__project__in=project_ids_of(self.request.user))
        return mine.select_related("model__project", "outcomes", "snapshot__dataset")

    @extend_schema(parameters=[OutcomeQuerySerializer], responses=OutcomePageSerializer)
    @action(detail=True, pagination_class=None)
    def images(self, request: AuthenticatedRequest, pk: uuid.UUID | None = None) -> Response:
        """The images behind a figure: of a cell of the confusion matrix with `label` and `predicted`, of a bin of the
        calibration with `min_score` and `max_score`…"""
        evaluation = self.get_object()
        data = valid(OutcomeQuerySerializer, request.query_params)
        # Of a deleted snapshot there is nothing to hide.
        hidden = evaluation.snapshot_id and not snapshots_of(request.user).filter(pk=evaluation.snapshot_id).exists()
        count, rows = list_evaluation_images(evaluation, data, is_seen=not hidden)
        end = data["offset"] + data["page_size"]
        following = None
        if end < count:
            query = request.query_params.copy()
            query["offset"] = str(end)
            following = f"{request.build_absolute_uri(request.path)}?{query.urlencode()}"
        answer = {"count": count, "next": following, "results": rows}
        return Response(OutcomePageSerializer(answer).data)

    @extend_schema(parameters=[ThresholdQuerySerializer], responses=ThresholdTableSerializer)
    @action(detail=True, pagination_class=None)
    def thresholds(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """What each lowest score would cost, of one label or of all: right, wrong, and left to a person."""
        evaluation = self.get_object()
        data = valid(ThresholdQuerySerializer, request.query_params)
        return Response(ThresholdTableSerializer(threshold_table(evaluation, data)).data)

    @extend_schema(parameters=[CurveQuerySerializer], responses=LabelChartsSerializer)
    @action(detail=True, pagination_class=None)
    def curves(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """Precision and recall, ROC and calibration of one label; the images behind a point come with `score_of` and
        `min_score` for classifiers, with `predicted` and `threshold` for detectors."""
        evaluation = self.get_object()
        data = valid(CurveQuerySerializer, request.query_params)
        return Response(LabelChartsSerializer(label_curves(evaluation, data)).data)

    @extend_schema(
        parameters=[
            OpenApiParameter("name", OpenApiTypes.STR, OpenApiParameter.PATH, enum=FIGURES),
            ImageKindSerializer,
        ],
        responses={(200, "image/svg+xml"): OpenApiTypes.STR, (200, "image/png"): OpenApiTypes.BINARY},
    )
    @action(detail=True, url_path="pictures/<str:name>", pagination_class=None)
    def pictures(self, request: Request, pk: uuid.UUID | None = None, name: str = "") -> HttpResponseBase:
        """The figures as an image: confusion matrix, precision and recall, ROC, calibration."""
        evaluation = self.get_object()
        kind = valid(ImageKindSerializer, request.query_params)["kind"]
        return image_response(render_figure(evaluation, name, kind), kind)
