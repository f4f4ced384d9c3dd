from __future__ import annotations

import uuid

from django.db.models import F, QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.throttling import BaseThrottle

from accounts.throttles import UserThrottle
from common.requests import AuthenticatedRequest
from projects import invitation_serializers, serializers, services
from projects.changes.fields import change_fields
from projects.changes.making import MakesChanges
from projects.in_project import InProject
from projects.invitations import add_or_invite, candidates_for
from projects.models import Membership, Project, Role
from projects.permissions import ProjectPermission
from projects.selectors import projects_of
from projects.serializers import is_forced
from projects.uses import uses_of


class ProjectFilter(filters.FilterSet):
    name = filters.CharFilter(lookup_expr="icontains")

    class Meta:
        model = Project
        fields = ["name", "task"]


class ProjectViewSet(MakesChanges, viewsets.ModelViewSet):
    """Projects you are a member of."""

    request: AuthenticatedRequest

    queryset = Project.objects.none()
    serializer_class = serializers.ProjectSerializer
    permission_classes = [ProjectPermission]
    filterset_class = ProjectFilter
    ordering_fields = ("name",)
    lookup_value_converter = "uuid"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    @property
    def change_role(self) -> Role:
        return Role.OWNER if self.request.method == "DELETE" else Role.EDITOR

    def get_queryset(self) -> QuerySet:
        return projects_of(self.request.user).annotate(my_role=F("memberships__role"))

    def perform_create(self, serializer: BaseSerializer) -> None:
        project = services.create_project(user=self.request.user, **serializer.validated_data)
        with self.changing(project, "create_project", project=project.name):
            services.note_new_project(project)
        serializer.instance = projects_of(self.request.user).annotate(my_role=F("memberships__role")).get(pk=project.pk)

    def perform_update(self, serializer: BaseSerializer) -> None:
        project = serializer.instance
        assert project is not None
        with self.changing(project, "change_project", project=project.name):
            change_fields("project_fields", project, serializer.validated_data)

    @extend_schema(
        parameters=[serializers.DeletionSerializer], responses={204: OpenApiResponse(description="Deleted.")}
    )
    def destroy(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """Delete a project with everything in it; it stays in the trash of its owners for a while.

        While work, a model in production or devices need it, that is refused with a list (409 `project_in_use`), unless
        `force` is set."""
        project, force = self.get_object(), is_forced(request)
        with self.changing(project, "delete_project", project=project.name):
            services.delete_project(project=project, force=force)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(responses=serializers.UsesSerializer)
    @action(detail=True, pagination_class=None, filterset_class=None)
    def uses(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """What needs the project, and what is deleted with it."""
        project = self.get_object()
        return Response(
            serializers.UsesSerializer({"uses": uses_of(project), "along": services.content_of(project)}).data
        )


class InvitationThrottle(UserThrottle):
    scope = "invitation"


class MemberViewSet(
    InProject, mixins.ListModelMixin, mixins.UpdateModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet
):
    """Who may see and change a project. Only owners change it; everyone may leave."""

    queryset = Membership.objects.none()
    serializer_class = serializers.MemberSerializer
    lookup_value_converter = "uuid"
    change_role = Role.OWNER
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    def get_queryset(self) -> QuerySet:
        return Membership.objects.filter(project_id=self.kwargs["project_id"]).select_related("user", "project")

    def get_throttles(self) -> list[BaseThrottle]:
        return [InvitationThrottle()] if self.action == "create" else []

    @extend_schema(
        request=serializers.NewMemberSerializer,
        responses={201: serializers.MemberSerializer, 202: invitation_serializers.PendingMemberSerializer},
    )
    def create(self, request: AuthenticatedRequest, project_id: uuid.UUID) -> Response:
        """Add a member. Who shares a project with you is one at once (201); all others are invited (202).

        An invitation says the same whether there is such a user or not.
        """
        data = serializers.NewMemberSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        made = add_or_invite(project=self.project, user=request.user, **data.validated_data)
        if isinstance(made, Membership):
            return Response(serializers.MemberSerializer(made).data, status=status.HTTP_201_CREATED)
        return Response(invitation_serializers.PendingMemberSerializer(made).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        parameters=[invitation_serializers.CandidateQuerySerializer],
        responses=invitation_serializers.CandidateSerializer(many=True),
    )
    @action(detail=False, pagination_class=None)
    def candidates(self, request: AuthenticatedRequest, project_id: uuid.UUID) -> Response:
        """People to add: those who share a project with you, and nobody else. Who else exists is not told."""
        query = invitation_serializers.CandidateQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        users = candidates_for(self.project, request.user, query.validated_data["q"])
        return Response(invitation_serializers.CandidateSerializer(users, many=True).data)

    def perform_update(self, serializer: BaseSerializer) -> None:
        assert serializer.instance is not None
        services.change_role(membership=serializer.instance, role=serializer.validated_data.get("role", Role.EDITOR))

    def perform_destroy(self, instance: Membership) -> None:
        services.remove_member(membership=instance)


class LeaveView(InProject, viewsets.GenericViewSet):
    """Leave a project."""

    queryset = Membership.objects.none()
    change_role = Role.VIEWER
    serializer_class = None

    @extend_schema(request=None, responses={204: OpenApiResponse(description="You have left.")})
    def leave(self, request: AuthenticatedRequest, project_id: uuid.UUID) -> Response:
        services.remove_member(membership=Membership.objects.get(project=self.project, user=request.user))
        return Response(status=status.HTTP_204_NO_CONTENT)
