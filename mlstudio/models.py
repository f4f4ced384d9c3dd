"""Answers to creating requests, kept for a day, so that a repeated request creates nothing twice."""

from django.db import models


class IdempotencyRecord(models.Model):
    """One use of an `Idempotency-Key`. Without `status` the first request is being done, or its process has died:
    `owner` is the name of the process, which says whether it lives (`storage.cache.Receiver`)."""

    scope = models.CharField(max_length=64)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    owner = models.CharField(max_length=64, default="")
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="one_use_of_a_key")]
        indexes = [models.Index(fields=["created_at"])]

    def __str__(self) -> str:
        return f"{self.key} ({self.status or 'in progress'})"
