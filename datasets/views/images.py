from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, PolymorphicProxySerializer, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from common.requests import AuthenticatedRequest
from datasets import serializers
from datasets.filters import ImageFilter
from datasets.gallery.paging import OFFSET, SEED, ImagePagination
from datasets.gallery.rows import grid_rows
from datasets.gallery.selection import Selection
from datasets.gallery.serializers import GridImageSerializer
from datasets.images import update_image
from datasets.models import Image
from datasets.removal import delete_images
from datasets.selectors import all_images, images_of
from datasets.views.gallery import selection_asked_for
from projects.changes.making import MakesChanges
from projects.filters import KnownFiltersBackend
from projects.permissions import ProjectPermission
from storage.stored_keys import Among, StoredKey, stored_key

FIELDS = OpenApiParameter(
    "fields",
    OpenApiTypes.STR,
    enum=["all", "grid"],
    default="all",
    description="grid: light rows, as a gallery shows them.",
)
LISTED = extend_schema(
    parameters=[FIELDS],
    responses=PolymorphicProxySerializer(
        "ListedImage", [serializers.ImageSerializer, GridImageSerializer], resource_type_field_name=None, many=True
    ),
)


class ImageViewSet(
    MakesChanges,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,
):
    """Images of your datasets."""

    request: AuthenticatedRequest

    queryset = Image.objects.none()
    serializer_class = serializers.ImageSerializer
    permission_classes = [ProjectPermission]
    filterset_class = ImageFilter
    pagination_class = ImagePagination
    ordering_fields: tuple[str, ...] = ()  # those are of the pagination
    lookup_value_converter = "uuid"
    http_method_names = ["get", "post", "put", "patch", "delete", "head", "options"]
    list_parameters = (OFFSET["name"], SEED["name"], "fields")

    def get_queryset(self) -> QuerySet:
        return images_of(self.request.user)

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        return super().filter_queryset(queryset) if self.action == "list" else queryset

    def selection(self) -> Selection:
        return selection_asked_for(self.request)

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
            return super().list(request, *args, **kwargs)
        if OFFSET["name"] in request.query_params:
            # The keys are read by the pages themselves; a query of images would find out twice what may be seen.
            KnownFiltersBackend().refuse_unknown(request, Image.objects.none(), self)
            return self.get_paginated_response(grid_rows(self.paginate_queryset(Image.objects.none()) or []))
        images = self.filter_queryset(self.get_queryset()).select_related(None).prefetch_related(None)
        page = self.paginate_queryset(images.only("id", "filename", "size", "lowest_score"))
        return self.get_paginated_response(grid_rows([image.pk for image in page or []]))

    @extend_schema(exclude=True)
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        if not kwargs.get("partial"):
            self.http_method_not_allowed(request)
        return super().update(request, *args, **kwargs)

    def perform_update(self, serializer: BaseSerializer) -> None:
        image = serializer.instance
        assert image is not None
        with self.changing(image.project, "rename_image", image=str(image.pk), filename=image.filename):
            update_image(image=image, **serializer.validated_data)

    @extend_schema(responses={204: OpenApiResponse(description="Deleted.")})
    def destroy(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """Delete an image; it stays in the trash for a while."""
        image = self.get_object()
        with self.changing(image.project, "delete", image=str(image.pk), filename=image.filename):
            if not delete_images(images=[image]):
                raise NotFound()
        return Response(status=status.HTTP_204_NO_CONTENT)
