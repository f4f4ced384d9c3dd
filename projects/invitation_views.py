from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts.throttles import ForgivesSuccess, InvitationTokenThrottle
from common.requests import AuthenticatedRequest
from projects import invitation_links, invitations
from projects import invitation_serializers as serializers
from projects.invitation_serializers import InvitationSerializer, PendingMemberSerializer
from projects.models import Invitation, InvitationLink, Role
from projects.permissions import require_role
from projects.serializers import MemberSerializer
from projects.views import InProject, InvitationThrottle


class InvitationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Projects that others want you in."""

    request: AuthenticatedRequest

    queryset = Invitation.objects.none()
    serializer_class = InvitationSerializer
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet:
        return invitations.invitations_to(self.request.user)

    @extend_schema(request=None, responses={201: MemberSerializer})
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """Become a member."""
        member = invitations.accept(invitation=self.get_object())
        return Response(MemberSerializer(member).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses={204: OpenApiResponse(description="Declined; nobody is notified.")})
    @action(detail=True, methods=["post"])
    def decline(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """Do not become a member."""
        invitations.decline(invitation=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)


class PendingMemberViewSet(InProject, mixins.ListModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet):
    """Who was invited to a project and has not accepted; for its owners."""

    queryset = Invitation.objects.none()
    serializer_class = PendingMemberSerializer
    lookup_value_converter = "uuid"
    change_role = Role.OWNER

    def initial(self, request: AuthenticatedRequest, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        super().initial(request, *args, **kwargs)
        require_role(self.project, request.user, Role.OWNER)

    def get_queryset(self) -> QuerySet:
        return invitations.invitations_of(self.kwargs["project_id"])


class InvitationLinkViewSet(InProject, mixins.ListModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet):
    """Links into a project; for its owners."""

    queryset = InvitationLink.objects.none()
    serializer_class = serializers.InvitationLinkSerializer
    lookup_value_converter = "uuid"
    change_role = Role.OWNER

    def initial(self, request: AuthenticatedRequest, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        super().initial(request, *args, **kwargs)
        require_role(self.project, request.user, Role.OWNER)

    def get_throttles(self) -> list[BaseThrottle]:
        return [InvitationThrottle()] if self.action == "create" else []

    def get_queryset(self) -> QuerySet:
        return invitation_links.links_of(self.kwargs["project_id"])

    @extend_schema(
        request=serializers.InvitationLinkRequestSerializer, responses={201: serializers.NewInvitationLinkSerializer}
    )
    def create(self, request: AuthenticatedRequest, project_id: uuid.UUID) -> Response:
        """Make a link that lets people in, so many times and so long; its secret is shown this once."""
        data = serializers.InvitationLinkRequestSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        link, secret = invitation_links.make_link(project=self.project, user=request.user, **data.validated_data)
        context = {"token": secret, "request": request}
        answer = serializers.NewInvitationLinkSerializer(link, context=context)
        return Response(answer.data, status=status.HTTP_201_CREATED)


class JoinView(ForgivesSuccess, APIView):
    """Join a project by a link."""

    throttle_classes = [InvitationTokenThrottle]

    @extend_schema(
        operation_id="join", request=serializers.JoinSerializer, responses={201: serializers.JoinedSerializer}
    )
    def post(self, request: AuthenticatedRequest) -> Response:
        """Become a member of the project that an invitation link leads to.

        Who has no account yet sends the secret as `invitation` to `auth/register/` instead.
        """
        data = serializers.JoinSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        member = invitation_links.join(token=data.validated_data["token"], user=request.user)
        return Response(serializers.JoinedSerializer(member).data, status=status.HTTP_201_CREATED)


class JoinPreviewView(ForgivesSuccess, APIView):
    """Where an invitation link leads to."""

    permission_classes = [AllowAny]
    authentication_classes: list = []
    throttle_classes = [InvitationTokenThrottle]

    @extend_schema(
        operation_id="join_preview", request=serializers.JoinSerializer, responses=serializers.JoinPreviewSerializer
    )
    def post(self, request: Request) -> Response:
        """Where an invitation link leads to, for who has it. Nothing is changed, and no use is taken."""
        data = serializers.JoinSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        link = invitation_links.link_with(data.validated_data["token"])
        return Response(serializers.JoinPreviewSerializer(link).data)
