from django.contrib import admin

from storage.admin import LookOnlyAdmin
from training.models import TrainingRun


@admin.register(TrainingRun)
class TrainingRunAdmin(LookOnlyAdmin):
    list_display = ("id", "name", "project", "architecture", "state", "attempts", "error_code", "created_at")
    list_filter = ("state",)
    search_fields = ("name", "project__name")

    @admin.display
    def architecture(self, run: TrainingRun) -> str:
        return run.configuration.get("architecture", "")
