from django.contrib import admin

from inference.models import Model, ModelFile
from storage.admin import LookOnlyAdmin


class ModelFileInline(admin.TabularInline):
    model = ModelFile
    extra = 0
    readonly_fields = ("kind", "filename", "blob")
    can_delete = False


@admin.register(Model)
class ModelAdmin(LookOnlyAdmin):
    list_display = ("name", "version", "project", "architecture", "accuracy", "created_at")
    list_filter = ("architecture", "task")
    search_fields = ("name", "project__name")
    inlines = [ModelFileInline]

    @admin.display
    def accuracy(self, model: Model) -> str:
        value = model.metrics.get("accuracy")
        return "–" if value is None else f"{value:.3f}"
