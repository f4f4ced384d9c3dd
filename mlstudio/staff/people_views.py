from __future__ import annotations

import uuid

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, viewsets
from rest_framework.permissions import IsAdminUser
from rest_framework.response import Response

from accounts.known import KnownFieldsOnly
from common.requests import AuthenticatedRequest
from mlstudio.staff.people import change_user, everybody, may_change, may_change_staff
from mlstudio.system import counted_usage


class StudioUserSerializer(serializers.ModelSerializer):
    """A user of the studio, for its staff."""

    project_count = serializers.IntegerField(read_only=True, help_text="Projects that they made.")
    bytes = serializers.SerializerMethodField(
        help_text="What the files of these projects take, as counted within the last five minutes."
    )
    may_change = serializers.SerializerMethodField(help_text="Whether you may change `is_active`.")
    may_change_staff = serializers.SerializerMethodField(help_text="Whether you may change `is_staff`.")

    class Meta:
        model = User
        fields = [
            "id",
            "username",
            "email",
            "first_name",
            "last_name",
            "is_active",
            "is_staff",
            "is_superuser",
            "date_joined",
            "last_login",
            "project_count",
            "bytes",
            "may_change",
            "may_change_staff",
        ]
        read_only_fields = fields

    def get_bytes(self, user: User) -> int:
        return counted_usage()["by_user"].get(user.pk, 0)

    def get_may_change(self, user: User) -> bool:
        return may_change(self.context["request"].user, user)

    def get_may_change_staff(self, user: User) -> bool:
        return may_change_staff(self.context["request"].user, user)


class UserChangeSerializer(KnownFieldsOnly, serializers.Serializer):
    is_active = serializers.BooleanField(required=False, help_text="false: not let in; every login ends.")
    is_staff = serializers.BooleanField(required=False, help_text="Changed by superusers.")


class UserFilter(filters.FilterSet):
    search = filters.CharFilter(method="named", help_text="Part of a name or of a mail address.")

    class Meta:
        model = User
        fields = ["is_active", "is_staff"]

    def named(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        words = Q(username__icontains=value) | Q(email__icontains=value)
        return queryset.filter(words | Q(first_name__icontains=value) | Q(last_name__icontains=value))


@extend_schema_view(list=extend_schema(operation_id="system_users_list"))
class StudioUserViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """The users of the studio, for its staff."""

    queryset = User.objects.none()
    serializer_class = StudioUserSerializer
    permission_classes = [IsAdminUser]
    filterset_class = UserFilter
    ordering_fields = ("username",)
    lookup_value_converter = "int"
    http_method_names = ["get", "patch", "head", "options"]

    def get_queryset(self) -> QuerySet:
        return everybody()

    @extend_schema(request=UserChangeSerializer, responses=StudioUserSerializer)
    def partial_update(self, request: AuthenticatedRequest, pk: uuid.UUID | None = None) -> Response:
        """Let a user in or not, and make them staff or not. Nobody changes their own account."""
        user = self.get_object()
        data = UserChangeSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        change_user(by=request.user, user=user, **data.validated_data)
        return Response(self.get_serializer(user).data)
