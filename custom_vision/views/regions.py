"""Boxes of images."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from common.requests import AuthenticatedRequest
from custom_vision import regions
from custom_vision.images import MOST_REGIONS
from custom_vision.views.base import OfTraining
from custom_vision.wire import fields_of
from projects.models import Role


class Regions(OfTraining):
    def post(self, request: AuthenticatedRequest) -> Response:
        rows = fields_of(request._request).get("regions")
        with self.changing(self.project, "annotate"):
            return Response(regions.add_regions(project=self.project, user=request.user, rows=rows))

    def delete(self, request: AuthenticatedRequest) -> Response:
        ids = self.query.ids("regionIds", MOST_REGIONS)
        with self.changing(self.project, "annotate"):
            regions.remove_regions(project=self.project, user=request.user, ids=ids)
        return Response(status=204)


class Proposals(OfTraining):
    change_role = Role.VIEWER

    def post(self, request: Request, image: str) -> Response:
        return Response(regions.proposals(self.project, image))
