from django.contrib import admin

from storage.admin import LookOnlyAdmin
from training.models import Search, TrainingRun


@admin.register(TrainingRun)
class TrainingRunAdmin(LookOnlyAdmin):
    list_display = ("id", "name", "project", "architecture", "state", "attempts", "error_code", "created_at")
    list_filter = ("state",)
    search_fields = ("name", "project__name")

    @admin.display
    def architecture(self, run: TrainingRun) -> str:
        return run.configuration.get("architecture", "")


@admin.register(Search)
class SearchAdmin(LookOnlyAdmin):
    list_display = ("id", "project", "state", "rung", "max_runs", "note", "created_at", "finished_at")
    list_filter = ("state",)
