from __future__ import annotations

import uuid
from functools import partial

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, permissions, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.generics import get_object_or_404
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.requests import AuthenticatedRequest
from projects.changes.views import UNDO_ANSWERS, answer_to_undo
from projects.models import Role
from projects.permissions import require_role
from projects.selectors import projects_of
from projects.trash.kinds import KINDS
from projects.trash.models import TrashEntry, TrashKind
from projects.trash.restoring import restore
from projects.trash.selectors import trash_entries_of
from projects.trash.serializers import TrashEmptiedSerializer, TrashEntrySerializer, TrashFilterSerializer
from projects.trash.services import change_that_deleted, remove_all, remove_for_good
from storage.downloads import file_response


class TrashFilter(filters.FilterSet):
    class Meta:
        model = TrashEntry
        fields = ["project", "kind"]


class TrashPermission(permissions.IsAuthenticated):
    """Changing is for those who may delete; projects in the trash are seen by those alone who owned them."""

    def has_object_permission(self, request: AuthenticatedRequest, view: APIView, obj: TrashEntry) -> bool:  # type: ignore[override]
        if request.method not in permissions.SAFE_METHODS and obj.kind != TrashKind.PROJECT:
            require_role(obj.project, request.user, Role.EDITOR)
        return True


class TrashViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet):
    """What was deleted and can be restored, the latest first: in your projects, and projects that you owned."""

    request: AuthenticatedRequest

    queryset = TrashEntry.objects.none()
    serializer_class = TrashEntrySerializer
    permission_classes = [TrashPermission]
    filterset_class = TrashFilter
    lookup_value_converter = "uuid"
    makes_changes = True
    without_changes = ("destroy", "empty")

    def get_queryset(self) -> QuerySet:
        return trash_entries_of(self.request.user)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:
        if self.action == "thumbnail":
            return JSONRenderer(), JSONRenderer.media_type  # of errors
        return super().perform_content_negotiation(request, force)

    @extend_schema(responses={204: OpenApiResponse(description="Removed for good.")})
    def destroy(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """Remove it for good, before its time. This cannot be undone."""
        if not remove_for_good(self.get_object()):
            raise NotFound()
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses=UNDO_ANSWERS)
    @action(detail=True, methods=["post"], pagination_class=None, filterset_class=None)
    def restore(self, request: AuthenticatedRequest, pk: uuid.UUID | None = None) -> Response:
        """Put it back as it was. Answers with the change that this is: undoing that deletes it again.

        Images that something stands against (the same file was added again, their dataset is in the trash) stay in the
        trash while the others come back, and `details.left` names the first of them. Where nothing can be put back, the
        answer says why (409 `changed_since`). More than 10,000 images come back by a job (202), all of them or none."""
        entry = self.get_object()
        return answer_to_undo(change_that_deleted(entry), request.user, partial(restore, entry=entry))

    @extend_schema(request=TrashFilterSerializer, responses=TrashEmptiedSerializer)
    @action(detail=False, methods=["post"], pagination_class=None, filterset_class=None)
    def empty(self, request: AuthenticatedRequest) -> Response:
        """Remove everything in the trash of a project for good, or every project in your trash."""
        data = TrashFilterSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        entries = self.get_queryset()
        if "project" in data.validated_data:
            project = get_object_or_404(projects_of(request.user), pk=data.validated_data["project"])
            require_role(project, request.user, Role.EDITOR)
            entries = entries.filter(project=project)
        else:
            entries = entries.filter(kind=TrashKind.PROJECT)
        return Response({"removed": remove_all(entries)})

    @extend_schema(responses={(200, "image/jpeg"): OpenApiTypes.BINARY, (206, "image/jpeg"): OpenApiTypes.BINARY})
    @action(detail=True, pagination_class=None, filterset_class=None)
    def thumbnail(self, request: Request, pk: uuid.UUID | None = None) -> HttpResponseBase:
        """A small JPEG of one of its images."""
        entry = self.get_object()
        path = KINDS[entry.kind].thumbnail(entry)
        if path is None:
            raise NotFound("Nothing in it can be shown.")
        return file_response(request, path, f"{entry.pk}-{path.stem}", "image/jpeg", f"{entry.pk}.jpg")
