from django.contrib import admin

from projects.models import Job, Membership, Project


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 0


@admin.register(Project)
class ProjectAdmin(admin.ModelAdmin):
    list_display = ("name", "task", "image_count", "model_count", "created_by", "created_at")
    list_filter = ("task",)
    search_fields = ("name",)
    inlines = [MembershipInline]


@admin.register(Job)
class JobAdmin(admin.ModelAdmin):
    list_display = ("id", "kind", "project", "state", "error_code", "created_at", "finished_at")
    list_filter = ("kind", "state")
    readonly_fields = [field.name for field in Job._meta.fields]

    def has_add_permission(self, request) -> bool:
        return False
