from django.contrib import admin

from custom_vision.models import Iteration, ProjectSettings, StoredPrediction
from storage.admin import LookOnlyAdmin


@admin.register(ProjectSettings)
class ProjectSettingsAdmin(LookOnlyAdmin):
    list_display = ("project", "domain", "classification_type", "last_iteration")


@admin.register(Iteration)
class IterationAdmin(LookOnlyAdmin):
    list_display = ("run", "project", "publish_name", "published_at")


@admin.register(StoredPrediction)
class StoredPredictionAdmin(LookOnlyAdmin):
    list_display = ("project", "run", "application", "created_at", "expires_at")
