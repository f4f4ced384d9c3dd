"""Domains, projects and tags."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from common.requests import AuthenticatedRequest
from custom_vision import project_copies, tags, workspace
from custom_vision.domains import DOMAINS, find_domain
from custom_vision.errors import missing
from custom_vision.frozen import tags_of
from custom_vision.publications import require_nothing_published
from custom_vision.views.base import OfTraining
from custom_vision.wire import fields_of
from datasets.label_removal import delete_label
from projects.models import Role
from projects.services import delete_project


class Domains(OfTraining):
    def get(self, request: Request) -> Response:
        return Response([domain.to_dict() for domain in DOMAINS])


class OneDomain(OfTraining):
    def get(self, request: Request, domain: str) -> Response:
        return Response(find_domain(domain).to_dict())


class Projects(OfTraining):
    def get(self, request: AuthenticatedRequest) -> Response:
        projects = workspace.visible_projects(request.user).order_by("-id")
        return Response([workspace.project_json(project) for project in projects])

    def post(self, request: AuthenticatedRequest) -> Response:
        project = workspace.make_project(
            user=request.user,
            name=self.query.text("name"),
            description=self.query.text("description"),
            domain_id=self.query.text("domainId"),
            classification_type=self.query.text("classificationType"),
            platforms=self.query.words("targetExportPlatforms"),
        )
        return Response(workspace.project_json(project))


class OneProject(OfTraining):
    @property
    def change_role(self) -> Role:  # type: ignore[override]
        return Role.OWNER if self.request.method == "DELETE" else Role.EDITOR

    def get(self, request: Request) -> Response:
        return Response(workspace.project_json(self.project))

    def patch(self, request: Request) -> Response:
        with self.changing(self.project, "change_project", project=self.project.name):
            workspace.change_project(project=self.project, changes=fields_of(request._request))
        return Response(workspace.project_json(self.project))

    def delete(self, request: Request) -> Response:
        require_nothing_published(self.project)
        with self.changing(self.project, "delete_project", project=self.project.name):
            delete_project(project=self.project, force=True)
        return Response(status=204)


class ExportProject(OfTraining):
    def get(self, request: Request) -> Response:
        return Response(project_copies.export_json(self.project))


class ImportProject(OfTraining):
    def post(self, request: AuthenticatedRequest) -> Response:
        token, name = self.query.text("token"), self.query.text("name")
        copy = project_copies.import_project(user=request.user, token=token, name=name)
        return Response(workspace.project_json(copy))


class Tags(OfTraining):
    def get(self, request: Request) -> Response:
        return Response(tags_of(self.project, self.query))

    def post(self, request: Request) -> Response:
        name, description, kind = (self.query.text(word) for word in ("name", "description", "type"))
        with self.changing(self.project, "create_label", label=name or ""):
            label = tags.make_tag(project=self.project, name=name, description=description, type=kind)
        return Response(tags.one_tag(label))


class OneTag(OfTraining):
    def get(self, request: Request, tag: str) -> Response:
        if self.query.text("iterationId") is None:
            return Response(tags.one_tag(tags.find_tag(self.project, tag)))
        for row in tags_of(self.project, self.query):
            if row["id"] == tag.lower():
                return Response(row)
        raise missing("Tag")

    def patch(self, request: Request, tag: str) -> Response:
        label = tags.find_tag(self.project, tag)
        with self.changing(self.project, "change_label", label=label.name):
            label = tags.change_tag(label=label, changes=fields_of(request._request))
        return Response(tags.one_tag(label))

    def delete(self, request: AuthenticatedRequest, tag: str) -> Response:
        label = tags.find_tag(self.project, tag)
        with self.changing(self.project, "delete_label", label=label.name):
            delete_label(label=label, images="unlabel", user=request.user)
        return Response(status=204)
