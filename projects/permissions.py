"""Reading is for members, changing for editors, the project itself for owners. Who is no member gets 404."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from rest_framework import permissions
from rest_framework.exceptions import NotAuthenticated, NotFound, PermissionDenied
from rest_framework.request import Request

from common.requests import AuthenticatedRequest
from jobs.errors import WorkFailed
from jobs.models import Job
from projects.models import Project, Role
from projects.selectors import role_in
from storage.signing import is_signed, signed_for

if TYPE_CHECKING:
    from rest_framework.views import APIView

RANK = {Role.VIEWER: 0, Role.EDITOR: 1, Role.OWNER: 2}


def require_role(project: Project, user: User, role: Role) -> None:
    """Raises `PermissionDenied` when the user's role in the project is lower."""
    actual = role_in(project, user)
    if actual is None or RANK[actual] < RANK[role]:
        raise PermissionDenied(f"This needs the role {role.value} in the project; you are {actual or 'no member'}.")


def require_member(project: Project, user: User) -> None:
    """Raises `NotFound` for what only members see of something that others may use."""
    if role_in(project, user) is None:
        raise NotFound()


def require_still_editor(job: Job) -> None:
    """For jobs that change what others made: the user who asked may have been removed, or made a viewer, since then.

    Raises:
        WorkFailed: `not_allowed_any_more`.
    """
    role = None if job.created_by is None else role_in(job.project, job.created_by)
    if role is None or RANK[role] < RANK[Role.EDITOR]:
        raise WorkFailed(
            "not_allowed_any_more",
            "Who started this may not change the project any more. What was done until then stays; another member can "
            "start it again.",
        )


class ProjectPermission(permissions.IsAuthenticated):
    """For objects with a `project`: views find them among what the user may see, this checks the change.

    A view may name another role for its changes with `change_role`.
    """

    def has_object_permission(self, request: AuthenticatedRequest, view: APIView, obj: Any) -> bool:  # type: ignore[override]
        role = getattr(view, "change_role", Role.EDITOR)
        if request.method not in permissions.SAFE_METHODS and role != Role.VIEWER:
            if isinstance(obj, Project):  # found by its members only: it was deleted since then, or the user removed
                require_member(obj, request.user)
            require_role(obj.project, request.user, role)
        return True


class MemberLinkPermission(ProjectPermission):
    """A URL that was signed for a user may be read without credentials; the view shows what that user may see."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return signed_for(request) is not None or _may_without_link(request, super().has_permission(request, view))


class SignedReadPermission(ProjectPermission):
    """A signed URL may be read without credentials."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return is_signed(request) or _may_without_link(request, super().has_permission(request, view))


def _may_without_link(request: Request, is_allowed: bool) -> bool:
    """Who comes by a link that does not work is not asked for a login that they may not have."""
    if not is_allowed and "signature" in request.GET:
        raise NotAuthenticated("This link has ended or is not complete. Ask for a new one, or log in.")
    return is_allowed
