from django.contrib import admin

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

    def get_queryset(self, request):
        """Not those in the trash: a member who is added there would see what was deleted."""
        return super().get_queryset(request).filter(is_live())

    def has_add_permission(self, request) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False
