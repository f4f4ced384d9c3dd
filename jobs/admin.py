from django.contrib import admin

from jobs.models import Job
from storage.admin import LookOnlyAdmin


@admin.register(Job)
class JobAdmin(LookOnlyAdmin):
    list_display = ("id", "kind", "project", "state", "error_code", "created_at", "finished_at")
    list_filter = ("kind", "state")
