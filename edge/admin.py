from django.contrib import admin

from edge.models import Deployment, Device, DeviceGroup, EnrolmentCode, SigningKey
from storage.admin import LookOnlyAdmin


@admin.register(Device)
class DeviceAdmin(LookOnlyAdmin):
    list_display = ("name", "project", "group", "health", "last_seen", "revoked_at")
    list_filter = ("health",)
    search_fields = ("name",)


@admin.register(DeviceGroup)
class DeviceGroupAdmin(LookOnlyAdmin):
    list_display = ("name", "project", "current", "sequence")


@admin.register(Deployment)
class DeploymentAdmin(LookOnlyAdmin):
    list_display = ("id", "group", "kind", "state", "step", "created_at", "ended_at")
    list_filter = ("state",)


@admin.register(EnrolmentCode)
class EnrolmentCodeAdmin(LookOnlyAdmin):
    list_display = ("id", "project", "group", "uses_left", "expires_at")


@admin.register(SigningKey)
class SigningKeyAdmin(LookOnlyAdmin):
    list_display = ("key_id", "public_key", "created_at", "retired_at")
