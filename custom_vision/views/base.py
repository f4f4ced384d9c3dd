"""The base of all views: who asks, for which project, and no redirects, forms or negotiation."""

from __future__ import annotations

from typing import Any

from django.utils.functional import cached_property
from rest_framework.exceptions import NotFound
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import SAFE_METHODS, AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Token
from common.requests import AuthenticatedRequest
from custom_vision.authentication import PredictionKey, TrainingKey
from custom_vision.errors import missing
from custom_vision.schema import document
from custom_vision.wire import Query
from custom_vision.workspace import find_project
from projects.changes.making import MakesChanges
from projects.models import Project, Role
from projects.permissions import require_role


class OneForm(BaseContentNegotiation):
    """JSON, whatever `Accept` says."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return None

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        renderer: BaseRenderer = renderers[0]
        return renderer, renderer.media_type


class OfTraining(MakesChanges):
    """A view below the training address."""

    schema = None
    authentication_classes = [TrainingKey]
    content_negotiation_class = OneForm
    parser_classes: list = []
    project: Project
    change_role = Role.EDITOR

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """The project is found before a handler is called, and is no argument of it."""
        self._project_id = kwargs.pop("project", None)
        return super().dispatch(request, *args, **kwargs)

    def initial(self, request: AuthenticatedRequest, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        super().initial(request, *args, **kwargs)
        if self._project_id is not None:
            self.project = find_project(request.user, self._project_id)
            self._require_project_of_key(request)
            if request.method not in SAFE_METHODS:
                require_role(self.project, request.user, self.change_role)

    def _require_project_of_key(self, request: Request) -> None:
        only = request.auth.project if isinstance(request.auth, Token) else None
        if only is not None and only != self.project.pk:
            raise missing("Project")

    @cached_property
    def query(self) -> Query:
        return Query(self.request.query_params.dict())


class OfPrediction(OfTraining):
    """A view below the prediction address."""

    authentication_classes = [PredictionKey]
    change_role = Role.VIEWER


class CustomVisionSchema(APIView):
    """These addresses as an OpenAPI document."""

    schema = None
    authentication_classes: list = []
    permission_classes = [AllowAny]
    content_negotiation_class = OneForm

    def get(self, request: Request) -> Response:
        return Response(document())


class UnknownAddress(APIView):
    """Whatever else is below `customvision/`."""

    schema = None
    authentication_classes: list = []
    permission_classes = [AllowAny]
    content_negotiation_class = OneForm
    parser_classes: list = []

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        self.http_method_not_allowed = self._not_here  # type: ignore[method-assign]
        return super().dispatch(request, *args, **kwargs)

    def _not_here(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        raise NotFound(
            "There is nothing at this address. Addresses are customvision/v3.4-preview/training/… and "
            "customvision/v3.1/prediction/…; versions before v3 are not served."
        )
