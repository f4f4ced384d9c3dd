"""Labels that are probably wrong, over HTTP."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema, extend_schema_view
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from common.requests import AuthenticatedRequest
from datasets.gallery.rows import grid_rows
from datasets.models import Dataset
from datasets.selectors import datasets_of
from inference.labeling import suspect_serializers as shapes
from inference.labeling.label_issue_rows import decide_label_issue, label_issues_of, open_label_issues, searches_of
from inference.labeling.label_issues import start_feature_issues, start_label_issues
from inference.labeling.serializers import SuspectsRequestSerializer
from inference.models import LabelIssue
from inference.views.of_model import OfModel
from jobs.serializers import JobSerializer
from projects.answers import accepted
from projects.models import Role
from projects.permissions import ProjectPermission, require_role
from projects.scoped import valid

FIELDS = OpenApiParameter(
    "fields",
    OpenApiTypes.STR,
    enum=["all", "grid"],
    default="all",
    description="grid: with light rows of their images, as a gallery shows them.",
)


class ModelSuspectsView(OfModel):
    """A model looks for wrong labels. The dataset's project decides about the role."""

    serializer_class = SuspectsRequestSerializer
    change_role = Role.VIEWER

    @extend_schema(request=SuspectsRequestSerializer, responses={202: JobSerializer})
    def suspects(self, request: AuthenticatedRequest, pk: uuid.UUID) -> Response:
        """Look for wrong labels in a dataset. They are listed at `suspects/?model=&dataset=`, the worst first."""
        model = self.get_object()
        data = valid(SuspectsRequestSerializer, request.data, dataset=datasets_of(request.user))
        require_role(data["dataset"].project, request.user, Role.EDITOR)
        return accepted(start_label_issues(model=model, user=request.user, **data))


class DatasetSuspectsView(viewsets.GenericViewSet):
    """Wrong labels and outliers of a dataset, without a model."""

    request: AuthenticatedRequest

    queryset = Dataset.objects.none()
    serializer_class = JobSerializer
    permission_classes = [ProjectPermission]
    pagination_class = None

    def get_queryset(self) -> QuerySet[Dataset]:
        return datasets_of(self.request.user).select_related("project")

    @extend_schema(request=None, responses={202: JobSerializer})
    def suspects(self, request: AuthenticatedRequest, pk: uuid.UUID) -> Response:
        """Look for wrong labels by the features of the images, before there is any model, and for images that are
        unlike all others of their label. They are listed at `suspects/?dataset=&by_features=true`; of a project of
        boxes there are outliers only."""
        return accepted(start_feature_issues(dataset=self.get_object(), user=request.user))


class SuspectFilter(filters.FilterSet):
    project = filters.UUIDFilter(field_name="dataset__project_id")
    open = filters.BooleanFilter(
        method="with_open", label="true: only those that nobody decided and whose label is still as it was."
    )
    decision = filters.ChoiceFilter(choices=LabelIssue.Decision.choices)
    by_features = filters.BooleanFilter(
        field_name="model", lookup_expr="isnull", label="true: only those that were found without a model."
    )

    outliers = filters.BooleanFilter(
        method="with_outliers", label="true: only images unlike others; false: only labels."
    )

    class Meta:
        model = LabelIssue
        fields = ["dataset", "model", "kind", "is_issue"]

    def with_outliers(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        own = {"kind": LabelIssue.Kind.OUTLIER}
        return queryset.filter(**own) if value else queryset.exclude(**own)

    def with_open(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        return (
            open_label_issues(queryset) if value else queryset.exclude(pk__in=open_label_issues(queryset).values("pk"))
        )


LISTED = PolymorphicProxySerializer(
    "ListedSuspect", [shapes.SuspectSerializer, shapes.LightSuspectSerializer], resource_type_field_name=None, many=True
)


@extend_schema_view(list=extend_schema(parameters=[FIELDS], responses=LISTED))
class SuspectViewSet(mixins.ListModelMixin, viewsets.GenericViewSet):
    """Labels that are probably wrong, the worst first. They are looked for with `models/{id}/suspects/`."""

    request: AuthenticatedRequest

    queryset = LabelIssue.objects.none()
    serializer_class = shapes.SuspectSerializer
    permission_classes = [ProjectPermission]
    filterset_class = SuspectFilter
    lookup_value_converter = "uuid"
    default_ordering = "rank"
    ordering_fields = ("rank",)
    list_parameters = ("fields",)

    @property
    def is_grid(self) -> bool:
        return self.request.query_params.get("fields") == "grid"

    def get_serializer_class(self) -> type[BaseSerializer]:
        return shapes.LightSuspectSerializer if self.action == "list" and self.is_grid else shapes.SuspectSerializer

    def get_queryset(self) -> QuerySet:
        rows = label_issues_of(self.request.user)
        if self.action == "list" and self.is_grid:
            return rows
        return rows.select_related("dataset__project", "image__blob").prefetch_related("image__annotations__label")

    def paginate_queryset(self, queryset: QuerySet) -> list[LabelIssue]:  # type: ignore[override]
        rows: list[Any] = super().paginate_queryset(queryset) or []
        if self.is_grid:
            images = {row["id"]: row for row in grid_rows([row.image_id for row in rows])}
            for row in rows:
                row.grid_image = images.get(str(row.image_id))
            rows = [row for row in rows if row.grid_image is not None]
        return rows

    @extend_schema(request=shapes.SuspectDecisionSerializer, responses=shapes.SuspectSerializer)
    def partial_update(self, request: AuthenticatedRequest, pk: uuid.UUID | None = None) -> Response:
        """Note what you decided about a label, or take that back. The annotation is changed where it is."""
        suspect = self.get_object()
        data = shapes.SuspectDecisionSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        return Response(
            self.get_serializer(decide_label_issue(issue=suspect, user=request.user, **data.validated_data)).data
        )

    @extend_schema(
        parameters=[shapes.SuspectSearchQuerySerializer], responses=shapes.SuspectSearchSerializer(many=True)
    )
    @action(detail=False, pagination_class=None, filterset_class=None)
    def searches(self, request: AuthenticatedRequest) -> Response:
        """Which searches there were, the newest first: of which dataset, by which model, and how much is open."""
        query = shapes.SuspectSearchQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        searches = searches_of(request.user, project=query.validated_data.get("project"))
        return Response(shapes.SuspectSearchSerializer(searches, many=True).data)
