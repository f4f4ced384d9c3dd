from __future__ import annotations

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.response import Response

from projects import invitations
from projects.models import Invitation, Role
from projects.permissions import require_role
from projects.serializers import InvitationSerializer, MemberSerializer, PendingMemberSerializer
from projects.views import InProject


class InvitationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Projects that others want you in."""

    queryset = Invitation.objects.none()
    serializer_class = InvitationSerializer
    lookup_value_converter = "uuid"

    def get_queryset(self):
        return invitations.invitations_to(self.request.user)

    @extend_schema(request=None, responses={201: MemberSerializer})
    @action(detail=True, methods=["post"])
    def accept(self, request, pk=None):
        """Become a member."""
        member = invitations.accept(invitation=self.get_object())
        return Response(MemberSerializer(member).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses={204: OpenApiResponse(description="Declined; nobody is told.")})
    @action(detail=True, methods=["post"])
    def decline(self, request, pk=None):
        """Do not become a member."""
        invitations.decline(invitation=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)


class PendingMemberViewSet(InProject, mixins.ListModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet):
    """Who was invited to a project and has not accepted; for its owners."""

    queryset = Invitation.objects.none()
    serializer_class = PendingMemberSerializer
    lookup_value_converter = "uuid"
    change_role = Role.OWNER

    def initial(self, request, *args, **kwargs) -> None:
        super().initial(request, *args, **kwargs)
        require_role(self.project, request.user, Role.OWNER)

    def get_queryset(self):
        return invitations.invitations_of(self.kwargs["project_id"])
