"""What members of a project do with its devices."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Count, Model, QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer

from common.requests import AuthenticatedRequest
from datasets.selectors import datasets_of
from edge import devices, rollouts, serializers
from edge.models import Alarm, Deployment, Device, DeviceGroup, EnrolmentCode
from edge.selectors import codes_of, deployments_of, devices_of, groups_of, with_reports
from inference.selectors import models_of
from projects.models import Role
from projects.permissions import ProjectPermission, require_role
from projects.selectors import projects_of

METHODS = ["get", "post", "patch", "delete", "head", "options"]


class InProjectViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Rows of a project that its editors change."""

    permission_classes = [ProjectPermission]
    lookup_value_converter = "uuid"
    ordering_fields = ()
    http_method_names = METHODS

    def get_serializer_context(self) -> dict:
        user = self.request.user if self.request is not None else None
        visible = {}
        if user is not None and user.is_authenticated:
            visible = {
                "project": projects_of(user),
                "group": groups_of(user),
                "feedback_dataset": datasets_of(user),
                "model": models_of(user),
            }
        return {**super().get_serializer_context(), "visible": visible}

    def checked(self, serializer_class: type[Serializer], request: AuthenticatedRequest) -> dict:
        """The request's data, of a project that its user may change."""
        data = serializer_class(data=request.data, context=self.get_serializer_context())
        data.is_valid(raise_exception=True)
        fields = dict(data.validated_data)
        require_role(fields["project"] if "project" in fields else fields["group"].project, request.user, Role.EDITOR)
        return fields

    def answer(self, serializer_class: type[Serializer], row: Model, status_code: int, **extra: Any) -> Response:
        data = serializer_class(row, context=self.get_serializer_context()).data
        return Response({**data, **extra}, status=status_code)


class EdgeViewSet(mixins.DestroyModelMixin, InProjectViewSet):
    """Rows that can be deleted."""


class DeviceGroupFilter(filters.FilterSet):
    class Meta:
        model = DeviceGroup
        fields = ["project"]


class DeviceGroupViewSet(mixins.UpdateModelMixin, EdgeViewSet):
    """Groups of devices that run the same model."""

    request: AuthenticatedRequest

    queryset = DeviceGroup.objects.none()
    serializer_class = serializers.DeviceGroupSerializer
    filterset_class = DeviceGroupFilter

    def get_queryset(self) -> QuerySet:
        return groups_of(self.request.user).annotate(device_count=Count("devices"))

    @extend_schema(responses={201: serializers.DeviceGroupSerializer})
    def create(self, request: AuthenticatedRequest) -> Response:
        """Make a group."""
        group = devices.create_group(**self.checked(self.serializer_class, request))
        return self.answer(self.serializer_class, self.get_queryset().get(pk=group.pk), status.HTTP_201_CREATED)

    def perform_update(self, serializer: BaseSerializer) -> None:
        serializer.validated_data.pop("project", None)
        assert serializer.instance is not None
        devices.update_group(group=serializer.instance, **serializer.validated_data)

    def perform_destroy(self, group: DeviceGroup) -> None:
        devices.delete_group(group=group)


class DeviceFilter(filters.FilterSet):
    revoked = filters.BooleanFilter(field_name="revoked_at", lookup_expr="isnull", exclude=True)
    model = filters.UUIDFilter(field_name="running__model", label="The model that it says it runs.")
    alarm = filters.ChoiceFilter(
        choices=[*Alarm.choices, ("any", "any")], method="alarmed", label="Devices that somebody should look at."
    )

    class Meta:
        model = Device
        fields = ["project", "group", "health", "running"]

    def alarmed(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset.exclude(alarm="") if value == "any" else queryset.filter(alarm=value)


class DeviceViewSet(mixins.UpdateModelMixin, EdgeViewSet):
    """Devices: what they run, when they were last seen, how they are."""

    request: AuthenticatedRequest

    queryset = Device.objects.none()
    serializer_class = serializers.DeviceSerializer
    filterset_class = DeviceFilter

    def get_queryset(self) -> QuerySet:
        return devices_of(self.request.user)

    @extend_schema(responses={201: serializers.DeviceKeySerializer})
    def create(self, request: AuthenticatedRequest) -> Response:
        """Enrol one device by hand. The answer has its key, which is shown this once."""
        device, key = devices.create_device(**self.checked(self.serializer_class, request))
        return self.answer(self.serializer_class, device, status.HTTP_201_CREATED, key=key)

    def perform_update(self, serializer: BaseSerializer) -> None:
        changes, device = serializer.validated_data, serializer.instance
        assert device is not None
        if "name" in changes:
            device.name = changes["name"]
            device.save(update_fields=["name"])
        if "group" in changes:
            devices.move(device=device, group=changes["group"])

    @extend_schema(request=None, responses=serializers.DeviceKeySerializer)
    @action(detail=True, methods=["post"], url_path="rotate-key", filterset_class=None, pagination_class=None)
    def rotate_key(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """A new key for the device, shown this once; the old one ends now."""
        device = self.get_object()
        key = devices.rotate_key(device=device)
        return self.answer(self.serializer_class, device, status.HTTP_200_OK, key=key)

    @extend_schema(request=None, responses=serializers.DeviceSerializer)
    @action(detail=True, methods=["post"], filterset_class=None, pagination_class=None)
    def revoke(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """End the device's key: it gets nothing any more and reports nothing any more."""
        return self.answer(self.serializer_class, devices.revoke(device=self.get_object()), status.HTTP_200_OK)


class EnrolmentCodeFilter(filters.FilterSet):
    class Meta:
        model = EnrolmentCode
        fields = ["project", "group"]


class EnrolmentCodeViewSet(EdgeViewSet):
    """Codes with which devices enrol by themselves."""

    request: AuthenticatedRequest

    queryset = EnrolmentCode.objects.none()
    serializer_class = serializers.EnrolmentCodeSerializer
    filterset_class = EnrolmentCodeFilter

    def get_queryset(self) -> QuerySet:
        return codes_of(self.request.user)

    @extend_schema(responses={201: serializers.NewEnrolmentCodeSerializer})
    def create(self, request: AuthenticatedRequest) -> Response:
        """Make a code for one or many devices. The answer has it, which is shown this once."""
        fields = self.checked(self.serializer_class, request)
        row, code = devices.create_code(user=request.user, **fields)
        return self.answer(self.serializer_class, row, status.HTTP_201_CREATED, code=code)


class DeploymentFilter(filters.FilterSet):
    class Meta:
        model = Deployment
        fields = ["project", "group", "state", "model"]


class DeploymentViewSet(InProjectViewSet):
    """What groups of devices run, and ran before."""

    request: AuthenticatedRequest

    queryset = Deployment.objects.none()
    serializer_class = serializers.DeploymentSerializer
    filterset_class = DeploymentFilter

    def get_queryset(self) -> QuerySet:
        deployments = deployments_of(self.request.user)
        return with_reports(deployments) if self.action == "list" else deployments

    def _answer(self, deployment: Deployment, code: int = status.HTTP_200_OK) -> Response:
        return Response(self.get_serializer(self.get_queryset().get(pk=deployment.pk)).data, status=code)

    @extend_schema(responses={201: serializers.DeploymentSerializer})
    def create(self, request: AuthenticatedRequest) -> Response:
        """Let a group run a file of a model: all devices at once, or in steps that stop when too many fail."""
        fields = self.checked(self.serializer_class, request)
        return self._answer(rollouts.start_deployment(user=request.user, **fields), status.HTTP_201_CREATED)

    @extend_schema(request=serializers.ForceSerializer)
    @action(detail=True, methods=["post"], filterset_class=None, pagination_class=None)
    def advance(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """Take the next step now. Before enough devices of this one have reported, only with `force`."""
        deployment = self.get_object()
        return self._answer(rollouts.advance(deployment=deployment, force=self._force(request)))

    @staticmethod
    def _force(request: Request) -> bool:
        data = serializers.ForceSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        return data.validated_data["force"]

    @extend_schema(request=serializers.StopSerializer)
    @action(detail=True, methods=["post"], filterset_class=None, pagination_class=None)
    def stop(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """No further devices get it; those that have it keep it."""
        data = serializers.StopSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        return self._answer(rollouts.stop(deployment=self.get_object(), reason=data.validated_data["note"]))

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], filterset_class=None, pagination_class=None)
    def resume(self, request: Request, pk: uuid.UUID | None = None) -> Response:
        """Go on with a stopped roll-out where it is."""
        return self._answer(rollouts.resume(deployment=self.get_object()))

    @extend_schema(request=serializers.ForceSerializer)
    @action(detail=True, methods=["post"], filterset_class=None, pagination_class=None)
    def rollback(self, request: AuthenticatedRequest, pk: uuid.UUID | None = None) -> Response:
        """Let the devices return to what they ran before. Answers with the deployment that ended.

        To nothing they return only with `force`."""
        deployment = self.get_object()
        rollouts.roll_back(deployment=deployment, user=request.user, force=self._force(request))
        return self._answer(deployment)
