from __future__ import annotations

import uuid

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from common.requests import AuthenticatedRequest
from datasets.duplicate_groups import serializers
from datasets.duplicate_groups.keeping import decide_group
from datasets.duplicate_groups.models import DuplicateGroup
from datasets.duplicate_groups.selectors import duplicate_groups_of, with_images
from projects.permissions import ProjectPermission


class DuplicateGroupFilter(filters.FilterSet):
    class Meta:
        model = DuplicateGroup
        fields = ["dataset", "is_kept", "is_exact", "is_leak", "has_label_conflict", "by_features"]


class DuplicateGroupViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Groups of duplicates, those first that matter most. They are looked for with `datasets/{id}/duplicates/`."""

    request: AuthenticatedRequest

    queryset = DuplicateGroup.objects.none()
    serializer_class = serializers.FoundDuplicatesGroupSerializer
    permission_classes = [ProjectPermission]
    filterset_class = DuplicateGroupFilter
    lookup_value_converter = "uuid"
    default_ordering = "rank"
    ordering_fields = ("rank",)

    def get_queryset(self) -> QuerySet[DuplicateGroup]:
        return duplicate_groups_of(self.request.user)

    def paginate_queryset(self, queryset: QuerySet) -> list[DuplicateGroup]:  # type: ignore[override]
        return with_images(super().paginate_queryset(queryset) or [], self.request.user)

    def retrieve(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        return self._answer(self.get_object())

    @extend_schema(
        request=serializers.DuplicateDecisionSerializer, responses=serializers.FoundDuplicatesGroupSerializer
    )
    def partial_update(self, request: AuthenticatedRequest, pk: uuid.UUID | None = None) -> Response:
        """Decide that all of a group stay, or take that back. Images are deleted and grouped with `images/bulk/`."""
        group = self.get_object()
        data = serializers.DuplicateDecisionSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        return self._answer(decide_group(group=group, user=request.user, **data.validated_data))

    def _answer(self, group: DuplicateGroup) -> Response:
        return Response(self.get_serializer(with_images([group], self.request.user)[0]).data)
