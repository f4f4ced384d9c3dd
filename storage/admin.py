from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from storage.models import Blob, Removal, Upload


class LookOnlyAdmin(admin.ModelAdmin):
    """For rows that services keep consistent with files, counts and other rows: to be looked at, not changed here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Blob)
class BlobAdmin(LookOnlyAdmin):
    list_display = ("sha256", "size", "content_type", "state", "backend", "attempts", "problem", "last_used")
    list_filter = ("state", "backend", "content_type")
    search_fields = ("sha256",)


@admin.register(Removal)
class RemovalAdmin(LookOnlyAdmin):
    list_display = ("sha256", "backend", "remote_id", "attempts", "problem", "created_at")
    search_fields = ("sha256",)


@admin.register(Upload)
class UploadAdmin(LookOnlyAdmin):
    list_display = ("filename", "user", "received", "length", "created_at", "expires_at")
