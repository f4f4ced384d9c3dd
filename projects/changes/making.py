"""The base of views that change what members have made: what they do can be taken back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.requests import AuthenticatedRequest
from projects.changes.models import Change
from projects.changes.recording import recording
from projects.models import Project

HEADER = "X-Change"


class MakesChanges(APIView):
    """A view whose changes can be taken back: their answers carry the change in a header."""

    request: AuthenticatedRequest

    makes_changes = True  # for the schema
    without_changes: tuple[str, ...] = ()  # actions that make none
    change: Change | None = None

    @contextmanager
    def changing(self, project: Project, name: str, /, **details: Any) -> Iterator[Change]:
        with recording(project, self.request.user, name, **details) as change:
            yield change
        self.change = change if change.rows else None

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        if self.change is not None and response.status_code < 300:
            response[HEADER] = str(self.change.pk)
        return response
