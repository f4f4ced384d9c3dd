from __future__ import annotations

import uuid

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import status, viewsets
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts.throttles import CountedThrottle, UserThrottle
from common.requests import AuthenticatedRequest
from projects.models import Membership, Project, Role
from projects.permissions import ProjectPermission, require_role
from projects.selectors import projects_of
from webhooks import serializers
from webhooks import services as webhooks
from webhooks.models import Webhook


class WebhookFilter(filters.FilterSet):
    class Meta:
        model = Webhook
        fields = ["project"]


class WebhookTestThrottle(UserThrottle):
    """Messages on demand knock at somebody's door."""

    scope = "webhook_test"


class WebhookTestProjectThrottle(CountedThrottle):
    scope = "webhook_test"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        project = Webhook.objects.filter(pk=view.kwargs["pk"]).values_list("project_id", flat=True).first()
        return None if project is None else self.key_of("project", str(project))


class WebhookViewSet(viewsets.ModelViewSet):
    """Addresses that are notified when a training, an evaluation, a deployment or a job has ended. Owners manage them.

    Messages are signed as standardwebhooks.com describes, and sent again for a day and a half until they arrive.
    """

    request: AuthenticatedRequest

    queryset = Webhook.objects.none()
    serializer_class = serializers.WebhookSerializer
    permission_classes = [ProjectPermission]
    filterset_class = WebhookFilter
    lookup_value_converter = "uuid"
    change_role = Role.OWNER
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    def get_throttles(self) -> list[BaseThrottle]:
        return [WebhookTestThrottle(), WebhookTestProjectThrottle()] if self.action in ("test", "again") else []

    def get_queryset(self) -> QuerySet:
        mine = Membership.objects.filter(user=self.request.user, role=Role.OWNER).values("project_id")
        return Webhook.objects.filter(project__in=mine).select_related("project")

    def get_serializer_context(self) -> dict:
        user = getattr(self.request, "user", None)
        visible = projects_of(user) if user is not None and user.is_authenticated else Project.objects.none()
        return {**super().get_serializer_context(), "visible_projects": visible}

    @extend_schema(request=serializers.WebhookSerializer, responses={201: serializers.NewWebhookSerializer})
    def create(self, request: AuthenticatedRequest) -> Response:  # type: ignore[override]
        """Add an address. Its secret, with which it verifies what it gets, is shown this once."""
        data = self.get_serializer(data=request.data)
        data.is_valid(raise_exception=True)
        values = data.validated_data
        require_role(values["project"], request.user, Role.OWNER)
        webhook = webhooks.add_webhook(
            project=values["project"], user=request.user, url=values["url"], events=values["events"]
        )
        return Response(serializers.NewWebhookSerializer(webhook).data, status=status.HTTP_201_CREATED)

    def perform_update(self, serializer: BaseSerializer) -> None:
        if "url" in serializer.validated_data:
            webhooks.check_url(serializer.validated_data["url"])
        serializer.save()

    @extend_schema(request=None, responses={202: serializers.DeliverySerializer})
    @action(detail=True, methods=["post"], filterset_class=None)
    def test(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """Send a message that says nothing; `deliveries/` tells whether it arrived."""
        delivery = webhooks.send_ping(webhook=self.get_object())
        return Response(serializers.DeliverySerializer(delivery).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(responses=serializers.DeliverySerializer(many=True))
    @action(detail=True, filterset_class=None)
    def deliveries(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """What was sent to the address, the latest first."""
        page = self.paginate_queryset(self.get_object().deliveries.all())
        return self.get_paginated_response(serializers.DeliverySerializer(page, many=True).data)

    @extend_schema(request=None, responses={202: serializers.DeliverySerializer})
    @action(
        detail=True,
        methods=["post"],
        url_path="deliveries/<uuid:delivery>/again",
        filterset_class=None,
        pagination_class=None,
    )
    def again(self, request: Request, pk: uuid.UUID | None = None, delivery: uuid.UUID | None = None) -> Response:
        """Send a message again, now, whether it has arrived or not. It counts with the test messages of a user."""
        found = get_object_or_404(self.get_object().deliveries.all(), pk=delivery)
        return Response(
            serializers.DeliverySerializer(webhooks.send_again(delivery=found)).data, status=status.HTTP_202_ACCEPTED
        )
