"""The map of a project's images."""

from __future__ import annotations

import uuid

from django_filters.utils import translate_validation
from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.response import Response

from accounts.known import refuse_unknown
from common.requests import AuthenticatedRequest
from datasets.filters import ImageFilter
from datasets.models import Image
from inference.feature_map.making import start_map
from inference.feature_map.reading import map_points, map_status
from inference.feature_map.serializers import FeatureMapSerializer, MapPointsSerializer
from jobs.serializers import JobSerializer
from projects.answers import accepted
from projects.in_project import InProject
from projects.models import Project


class FeatureMapView(InProject, viewsets.GenericViewSet):
    """The map of a project's images."""

    request: AuthenticatedRequest

    queryset = Project.objects.none()
    serializer_class = FeatureMapSerializer
    pagination_class = None

    @extend_schema(responses=FeatureMapSerializer)
    def status(self, request: AuthenticatedRequest, project_id: uuid.UUID) -> Response:
        """How the map stands, and why there is none yet."""
        return Response(FeatureMapSerializer(map_status(self.project)).data)

    @extend_schema(request=None, responses={202: JobSerializer})
    def make(self, request: AuthenticatedRequest, project_id: uuid.UUID) -> Response:
        """Make the map of all images that can be compared, or make it again. Images that come later are placed on it
        beside those that they are like."""
        return accepted(start_map(project=self.project, user=request.user))


class MapPointsView(InProject, viewsets.GenericViewSet):
    """The points of a map."""

    request: AuthenticatedRequest

    queryset = Image.objects.none()
    serializer_class = MapPointsSerializer
    filterset_class = ImageFilter
    pagination_class = None

    @extend_schema(responses=MapPointsSerializer, filters=True)
    def points(self, request: AuthenticatedRequest, project_id: uuid.UUID) -> Response:
        """The images of the map that the filters leave, which are those of `images/`: where each is, and its label."""
        refuse_unknown(
            request.query_params, [*ImageFilter.base_filters, "format"], code="unknown_filter", what="filter"
        )
        query = request.query_params.copy()
        query["project"] = str(self.project.pk)
        filterset = ImageFilter(query, request=request)
        if not filterset.is_valid():
            raise translate_validation(filterset.errors)
        return Response(MapPointsSerializer(map_points(self.project, filterset.selection())).data)
