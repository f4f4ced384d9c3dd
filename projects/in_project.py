"""The base of views below a project's address."""

from __future__ import annotations

from typing import Any

from rest_framework.generics import get_object_or_404
from rest_framework.views import APIView

from common.requests import AuthenticatedRequest
from projects.models import Role
from projects.permissions import ProjectPermission, require_role
from projects.selectors import projects_of


class InProject(APIView):
    """A view below `projects/{project_id}/`: the project is one the user may see."""

    permission_classes = [ProjectPermission]
    change_role = Role.EDITOR

    def initial(self, request: AuthenticatedRequest, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        super().initial(request, *args, **kwargs)
        self.project = get_object_or_404(projects_of(request.user), pk=kwargs["project_id"])
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            require_role(self.project, request.user, self.change_role)
