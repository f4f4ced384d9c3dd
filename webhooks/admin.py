from django.contrib import admin

from storage.admin import LookOnlyAdmin
from webhooks.models import Webhook, WebhookDelivery


@admin.register(Webhook)
class WebhookAdmin(LookOnlyAdmin):
    list_display = ("url", "project", "is_active", "note", "created_at")
    search_fields = ("url", "project__name")
    exclude = ("secret",)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(LookOnlyAdmin):
    list_display = ("event", "webhook", "state", "attempts", "status_code", "problem", "created_at")
    list_filter = ("state", "event")
