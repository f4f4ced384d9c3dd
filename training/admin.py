from django.contrib import admin

from training.models import TrainingRun


@admin.register(TrainingRun)
class TrainingRunAdmin(admin.ModelAdmin):
    list_display = ("id", "name", "project", "architecture", "state", "attempts", "error_code", "created_at")
    list_filter = ("state",)
    search_fields = ("name", "project__name")
    readonly_fields = [field.name for field in TrainingRun._meta.fields]

    def has_add_permission(self, request) -> bool:
        return False

    @admin.display
    def architecture(self, run: TrainingRun) -> str:
        return run.configuration.get("architecture", "")
