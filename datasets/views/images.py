from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from common.requests import AuthenticatedRequest
from datasets import serializers
from datasets.filters import ImageFilter
from datasets.gallery.paging import ImagePagination
from datasets.images import update_image
from datasets.models import Image
from datasets.removal import delete_images
from datasets.selectors import images_of, shown_images
from datasets.views.annotations import AnnotationsMixin
from datasets.views.bulk import BulkMixin
from datasets.views.gallery import GalleryMixin
from datasets.views.image_files import ImageFilesMixin
from projects.permissions import ProjectPermission, SignedReadPermission
from storage.downloads import blob_response
from storage.signing import is_signed


class ImageViewSet(
    GalleryMixin,
    AnnotationsMixin,
    BulkMixin,
    ImageFilesMixin,
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
    repeatable = ("bulk",)

    def get_queryset(self) -> QuerySet:
        if self.action not in ("file", *self.image_actions):
            return images_of(self.request.user)
        images = shown_images() if is_signed(self.request) else images_of(self.request.user)
        # A gallery asks for sixty of them at once.
        return images.select_related("blob").prefetch_related(None)

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        return super().filter_queryset(queryset) if self.action == "list" else queryset

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

    @extend_schema(responses={(200, "image/*"): OpenApiTypes.BINARY, (206, "image/*"): OpenApiTypes.BINARY})
    @action(detail=True, permission_classes=[SignedReadPermission], pagination_class=None, filterset_class=None)
    def file(self, request: Request, pk: uuid.UUID | None = None) -> HttpResponseBase:
        """The original bytes. Supports `ETag`, `If-None-Match` and `Range`; takes signed URLs."""
        image = self.get_object()
        return blob_response(request, image.blob, image.filename)
