from __future__ import annotations

from django.db.models import QuerySet
from rest_framework import viewsets
from rest_framework.pagination import BasePagination

from common.requests import AuthenticatedRequest
from datasets.models import Image
from datasets.selectors import images_of
from projects.permissions import ProjectPermission


class OfImage(viewsets.GenericViewSet):
    """A view below `images/{id}/`: the image is one that the user may see."""

    request: AuthenticatedRequest

    queryset = Image.objects.none()
    permission_classes = [ProjectPermission]
    pagination_class: type[BasePagination] | None = None

    def get_queryset(self) -> QuerySet[Image]:
        return images_of(self.request.user)
