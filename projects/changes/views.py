from __future__ import annotations

import uuid
from collections.abc import Callable

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.urls import reverse
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import SAFE_METHODS
from rest_framework.response import Response
from rest_framework.views import APIView

from common.requests import AuthenticatedRequest
from jobs.serializers import JobSerializer
from projects.changes.jobs import is_large, start_undo
from projects.changes.making import HEADER
from projects.changes.models import Change
from projects.changes.serializers import ChangeRecordSerializer, UndoConflictSerializer
from projects.changes.undoing import ChangedSince, original_action, undo_change
from projects.models import Role
from projects.permissions import ProjectPermission, require_role
from projects.selectors import project_ids_of
from projects.trash.models import TrashEntry, TrashKind
from projects.trash.selectors import projects_in_trash_of

# Only owners do this, so only they take it back.
OF_OWNERS = ("create_project", "delete_project", "change_visibility")
UNDO_ANSWERS = {200: ChangeRecordSerializer, 202: JobSerializer, 409: UndoConflictSerializer}


def answer_to_undo(change: Change, user: User, take_back: Callable[..., Change] = undo_change) -> Response:
    """Take a change back, or answer with the job that does."""
    if is_large(change):
        job = start_undo(change=change, user=user)
        location = reverse("job-detail", args=[job.pk])
        return Response(JobSerializer(job).data, status=status.HTTP_202_ACCEPTED, headers={"Location": location})
    try:
        made = take_back(change=change, user=user)
    except ChangedSince as conflict:
        return _conflict_response(conflict)
    headers = {HEADER: str(made.pk)} if made.rows else {}
    return Response(ChangeRecordSerializer(_record_of(made)).data, headers=headers)


def _conflict_response(conflict: ChangedSince) -> Response:
    """Says what stands against undoing, row by row."""
    error = {"code": conflict.code, "detail": conflict.detail, "attr": None}
    body = {"type": "client_error", "errors": [error], "changed": conflict.rows}
    return Response(UndoConflictSerializer(body).data, status=status.HTTP_409_CONFLICT)


def _record_of(change: Change) -> Change:
    """The row of a change that was just made; the change itself where nothing was noted of it."""
    rows = Change.objects.select_related("project", "changed_by", "undone_by")
    return rows.filter(pk=change.pk).first() or change


class ChangePermission(ProjectPermission):
    """As for what was changed: owners make and delete projects, and they alone see one in the trash."""

    def has_object_permission(self, request: AuthenticatedRequest, view: APIView, obj: Change) -> bool:  # type: ignore[override]
        if obj.project.trashed_since is not None:
            return True
        if request.method not in SAFE_METHODS and original_action(obj) in OF_OWNERS:
            require_role(obj.project, request.user, Role.OWNER)
        return super().has_object_permission(request, view, obj)


class ChangeFilter(filters.FilterSet):
    class Meta:
        model = Change
        fields = ["project"]


class ChangeViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """What members changed, the latest first."""

    request: AuthenticatedRequest

    queryset = Change.objects.none()
    serializer_class = ChangeRecordSerializer
    permission_classes = [ChangePermission]
    filterset_class = ChangeFilter
    lookup_value_converter = "uuid"
    makes_changes = True

    def get_queryset(self) -> QuerySet:
        owned = projects_in_trash_of(self.request.user)
        in_trash = TrashEntry.objects.filter(project__in=owned, kind=TrashKind.PROJECT)
        mine = Change.objects.filter(
            Q(project__in=project_ids_of(self.request.user)) | Q(pk__in=in_trash.values("change")), rows__gt=0
        )
        return mine.select_related("project", "changed_by", "undone_by")

    @extend_schema(request=None, responses=UNDO_ANSWERS)
    @action(detail=True, methods=["post"], pagination_class=None, filterset_class=None)
    def undo(self, request: AuthenticatedRequest, pk: uuid.UUID | None = None) -> Response:
        """Put everything that this changed as it was before, as a change of its own: undoing that does it again.

        When something of it was changed since, nothing is put back (409 `changed_since`), and the answer names it. A
        change of more than 10,000 rows is taken back by a job (202), whose result names the change that it was."""
        change = self.get_object()
        return answer_to_undo(change, request.user)
