from __future__ import annotations

from django.db.models import QuerySet
from rest_framework import viewsets
from rest_framework.pagination import BasePagination

from common.requests import AuthenticatedRequest
from inference.models import Model
from inference.selectors import models_of
from projects.permissions import ProjectPermission


class OfModel(viewsets.GenericViewSet):
    """A view below `models/{id}/`: the model is one that the user may see. What asks a model has `change_role` viewer:
    every user may ask a public one."""

    request: AuthenticatedRequest

    queryset = Model.objects.none()
    permission_classes = [ProjectPermission]
    pagination_class: type[BasePagination] | None = None

    def get_queryset(self) -> QuerySet[Model]:
        return models_of(self.request.user)


class OfModelWithFiles(OfModel):
    """For answers that name the files of the model."""

    def get_queryset(self) -> QuerySet[Model]:
        return super().get_queryset().prefetch_related("files__blob")
