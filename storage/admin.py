from django.contrib import admin

from storage.models import Blob


@admin.register(Blob)
class BlobAdmin(admin.ModelAdmin):
    list_display = ("sha256", "size", "content_type", "state", "backend", "last_used")
    list_filter = ("state", "backend", "content_type")
    search_fields = ("sha256",)
    readonly_fields = [field.name for field in Blob._meta.fields]

    def has_add_permission(self, request) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False
