"""Addresses that are told when something has ended, and the messages to them.

The tables kept their names when these models left `projects`.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from jobs.models import Identified
from projects.models import Project


class WebhookEvent(models.TextChoices):
    TRAINING = "training.finished"
    EVALUATION = "evaluation.finished"
    DEPLOYMENT = "deployment.finished"
    ALARM = "device.alarm"
    JOB = "job.finished"


class Webhook(Identified):
    """An address that is told when something has ended. `secret` signs what it gets (standardwebhooks.com)."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="webhooks")
    url = models.URLField(max_length=500)
    events = models.JSONField(default=list)
    secret = models.CharField(max_length=100)
    is_active = models.BooleanField(default=True)
    note = models.CharField(max_length=300, blank=True, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "projects_webhook"

    def __str__(self) -> str:
        return self.url


class DeliveryState(models.TextChoices):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class WebhookDelivery(Identified):
    """One message to one address: pending → delivered | failed. It is sent again, ever later, until it arrives."""

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=30)
    payload = models.JSONField()
    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    problem = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "projects_webhookdelivery"
        verbose_name_plural = "webhook deliveries"
        indexes = [
            models.Index(fields=["webhook", "id"]),
            models.Index(fields=["next_attempt_at"], condition=models.Q(state="pending"), name="pending_delivery"),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.webhook}"
