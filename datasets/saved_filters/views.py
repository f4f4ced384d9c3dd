from __future__ import annotations

import uuid

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.response import Response

from common.requests import AuthenticatedRequest
from datasets.saved_filters import services
from datasets.saved_filters.models import SavedFilter
from datasets.saved_filters.serializers import SavedFilterSerializer
from projects.in_project import InProject
from projects.models import Role


class SavedFilterViewSet(InProject, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Named filters of the project's images: yours, and those that its members share."""

    request: AuthenticatedRequest

    queryset = SavedFilter.objects.none()
    serializer_class = SavedFilterSerializer
    lookup_value_converter = "uuid"
    default_ordering = "name"
    ordering_fields = ("name",)
    # They are a person's own, in any role; sharing asks for more.
    change_role = Role.VIEWER

    def get_queryset(self) -> QuerySet:
        return services.saved_filters_of(self.request.user, self.project)

    @extend_schema(responses={201: SavedFilterSerializer})
    def create(self, request: AuthenticatedRequest, project_id: uuid.UUID) -> Response:
        """Save a filter under a name. Viewers may, too, but share none."""
        data = self.get_serializer(data=request.data)
        data.is_valid(raise_exception=True)
        saved = services.save_filter(project=self.project, user=request.user, **data.validated_data)
        return Response(self.get_serializer(saved).data, status=status.HTTP_201_CREATED)

    def partial_update(self, request: AuthenticatedRequest, project_id: uuid.UUID, pk: uuid.UUID) -> Response:
        """Rename, replace or share a filter that you saved."""
        saved = self.get_object()
        data = self.get_serializer(saved, data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        changed = services.change_filter(saved=saved, user=request.user, **data.validated_data)
        return Response(self.get_serializer(changed).data)

    @extend_schema(responses={204: OpenApiResponse(description="Deleted.")})
    def destroy(self, request: AuthenticatedRequest, project_id: uuid.UUID, pk: uuid.UUID) -> Response:
        """Delete a filter that you saved; owners also delete what others share."""
        services.delete_filter(saved=self.get_object(), user=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
