from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from accounts.models import Token


@admin.register(Token)
class TokenAdmin(admin.ModelAdmin):
    list_display = ("user", "kind", "name", "created", "expiry")
    list_filter = ("kind",)
    search_fields = ("user__username", "name")
    fields = ("user", "kind", "name", "created", "expiry")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
