"""What a gallery asks of a list of images: any place in it, counts beside its filters, neighbours of an image."""

from __future__ import annotations

import uuid
from typing import Any

from django_filters.utils import translate_validation
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.known import refuse_unknown
from common.requests import AuthenticatedRequest
from datasets.filters import ImageFilter
from datasets.gallery.facets import count_facets
from datasets.gallery.orderings import NAMES
from datasets.gallery.paging import OFFSET, SEED, ordering_of
from datasets.gallery.rows import grid_rows
from datasets.gallery.scope import Scope, scope_of
from datasets.gallery.selection import Selection
from datasets.gallery.serializers import FacetsSerializer, GridImageSerializer, NeighboursSerializer
from datasets.gallery.windows import neighbours_of
from datasets.models import Dataset, Image
from datasets.selectors import all_images
from datasets.serializers import ImageSerializer
from projects.filters import PAGING, KnownFiltersBackend
from storage.stored_keys import Among, StoredKey, stored_key

FIELDS = OpenApiParameter(
    "fields",
    OpenApiTypes.STR,
    enum=["all", "grid"],
    default="all",
    description="grid: light rows, as a gallery shows them.",
)
ORDERING = OpenApiParameter(
    "ordering", OpenApiTypes.STR, enum=[f"{sign}{name}" for name in sorted(NAMES) for sign in ("", "-")], default="-id"
)
SEED_PARAMETER = OpenApiParameter("seed", OpenApiTypes.INT, description=SEED["description"])
IN_LIST = (*PAGING, OFFSET["name"], SEED["name"], "fields")
LISTED = extend_schema(
    parameters=[FIELDS],
    responses=PolymorphicProxySerializer(
        "ListedImage", [ImageSerializer, GridImageSerializer], resource_type_field_name=None, many=True
    ),
)


class GalleryMixin(GenericAPIView):
    """For the view of images."""

    request: AuthenticatedRequest

    list_parameters = (OFFSET["name"], SEED["name"], "fields")

    def selection(self) -> Selection:
        """What the filters of the request ask for. Raises `ValidationError`."""
        filterset = ImageFilter(self.request.query_params, request=self.request)
        if not filterset.is_valid():
            raise translate_validation(filterset.errors)
        return filterset.selection()

    def rows_of(self, keys: list[StoredKey]) -> list:
        """What a page from any place is made of: images, or for light rows their keys alone."""
        if self.is_grid:
            return keys
        images = {stored_key(image.pk): image for image in all_images().filter(Among("pk", keys))}
        return [images[key] for key in keys if key in images]

    @property
    def is_grid(self) -> bool:
        text = self.request.query_params.get("fields", "all")
        if text not in ("all", "grid"):
            raise ValidationError({"fields": ["Must be one of all, grid."]})
        return text == "grid"

    @LISTED
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Images, the newest first. With `offset` a page begins anywhere, and says how many images there are."""
        if not self.is_grid:
            return super().list(request, *args, **kwargs)  # type: ignore[misc]
        if OFFSET["name"] in request.query_params:
            # The keys are read by the pages themselves; a query of images would find out twice what may be seen.
            KnownFiltersBackend().refuse_unknown(request, Image.objects.none(), self)
            return self.get_paginated_response(grid_rows(self.paginate_queryset(Image.objects.none()) or []))
        images = self.filter_queryset(self.get_queryset()).select_related(None).prefetch_related(None)
        page = self.paginate_queryset(images.only("id", "filename", "size", "lowest_score"))
        return self.get_paginated_response(grid_rows([image.pk for image in page or []]))

    @extend_schema(responses=FacetsSerializer, filters=True)
    @action(detail=False, pagination_class=None)
    def facets(self, request: Request) -> Response:
        """How many images the filters leave, and how many each other choice would: counts beside each filter, which
        are those of the other filters."""
        refuse_unknown(
            request.query_params, [*ImageFilter.base_filters, "format"], code="unknown_filter", what="filter"
        )
        selection = self.selection()
        counted = count_facets(selection, self._around(selection))
        return Response(FacetsSerializer(counted).data)

    def _around(self, selection: Selection) -> Scope:
        """The datasets beside the chosen one."""
        if "dataset" not in self.request.query_params or not selection.scope.datasets:
            return selection.scope
        project = Dataset.objects.values_list("project", flat=True).get(pk=selection.scope.datasets[0])
        return scope_of(self.request.user, project=project)

    @extend_schema(responses=NeighboursSerializer, filters=True, parameters=[ORDERING, SEED_PARAMETER])
    @action(detail=True, pagination_class=None)
    def neighbours(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """The images before and after this one in the list with the same filters and order."""
        known = [*ImageFilter.base_filters, "ordering", "seed", "format"]
        refuse_unknown(request.query_params, known, code="unknown_filter", what="filter")
        image = self.get_object()
        return Response(NeighboursSerializer(neighbours_of(image, self.selection(), ordering_of(request))).data)
