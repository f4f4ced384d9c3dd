from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from projects.models import Membership, Project
from projects.selectors import is_live


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 0


@admin.register(Project)
class ProjectAdmin(admin.ModelAdmin):
    list_display = ("name", "task", "image_count", "model_count", "created_by", "created_at")
    list_filter = ("task",)
    search_fields = ("name",)
    inlines = [MembershipInline]
    readonly_fields = ("task", "label_count", "dataset_count", "image_count", "model_count", "last_model_version")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Not those in the trash: a member who is added there would see what was deleted."""
        return super().get_queryset(request).filter(is_live())

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Project | None = None) -> bool:
        return False
