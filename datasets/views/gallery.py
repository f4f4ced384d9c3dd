"""What a gallery asks beside its list of images: counts for its filters, neighbours of an image."""

from __future__ import annotations

import uuid

from django.db.models import QuerySet
from django_filters.utils import translate_validation
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.known import refuse_unknown
from common.requests import AuthenticatedRequest
from datasets.filters import ImageFilter
from datasets.gallery.facets import count_facets
from datasets.gallery.orderings import NAMES
from datasets.gallery.paging import SEED, ordering_of
from datasets.gallery.scope import Scope, scope_of
from datasets.gallery.selection import Selection
from datasets.gallery.serializers import FacetsSerializer, NeighboursSerializer
from datasets.gallery.windows import neighbours_of
from datasets.models import Dataset, Image
from datasets.views.of_image import OfImage
from projects.permissions import ProjectPermission

ORDERING = OpenApiParameter(
    "ordering", OpenApiTypes.STR, enum=[f"{sign}{name}" for name in sorted(NAMES) for sign in ("", "-")], default="-id"
)
SEED_PARAMETER = OpenApiParameter("seed", OpenApiTypes.INT, description=SEED["description"])


def selection_asked_for(request: Request) -> Selection:
    """What the filters of the request leave. Raises `ValidationError`."""
    filterset = ImageFilter(request.query_params, request=request)
    if not filterset.is_valid():
        raise translate_validation(filterset.errors)
    return filterset.selection()


class ImageFacetsView(viewsets.GenericViewSet):
    """Counts beside the filters of a gallery."""

    request: AuthenticatedRequest

    queryset = Image.objects.none()
    serializer_class = FacetsSerializer
    permission_classes = [ProjectPermission]
    filterset_class = ImageFilter
    pagination_class = None

    @extend_schema(responses=FacetsSerializer, filters=True)
    def facets(self, request: Request) -> Response:
        """How many images the filters leave, and how many each other choice would: counts beside each filter, which
        are those of the other filters."""
        refuse_unknown(
            request.query_params, [*ImageFilter.base_filters, "format"], code="unknown_filter", what="filter"
        )
        selection = selection_asked_for(request)
        counted = count_facets(selection, self._around(selection))
        return Response(FacetsSerializer(counted).data)

    def _around(self, selection: Selection) -> Scope:
        """The datasets beside the chosen one."""
        if "dataset" not in self.request.query_params or not selection.scope.datasets:
            return selection.scope
        project = Dataset.objects.values_list("project", flat=True).get(pk=selection.scope.datasets[0])
        return scope_of(self.request.user, project=project)


class ImageNeighboursView(OfImage):
    """The images beside an image in a gallery."""

    serializer_class = NeighboursSerializer
    filterset_class = ImageFilter

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        return queryset  # the filters are those of its neighbours

    @extend_schema(responses=NeighboursSerializer, filters=True, parameters=[ORDERING, SEED_PARAMETER])
    def neighbours(self, request: Request, pk: uuid.UUID) -> Response:
        """The images before and after this one in the list with the same filters and order."""
        known = [*ImageFilter.base_filters, "ordering", "seed", "format"]
        refuse_unknown(request.query_params, known, code="unknown_filter", what="filter")
        image = self.get_object()
        return Response(
            NeighboursSerializer(neighbours_of(image, selection_asked_for(request), ordering_of(request))).data
        )
