"""Blobs: what the studio knows of each file."""

from __future__ import annotations

import uuid_utils.compat
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class BlobState(models.TextChoices):
    CACHED = "cached", "in the cache, not in the store yet"
    REPLICATED = "replicated", "in the cache and in the store"
    REMOTE = "remote", "in the store only"


class Blob(models.Model):
    """One file, addressed by its content: the same bytes are one row and one file.

    Transitions: cached → replicated (stored), replicated → remote (evicted), remote → replicated (fetched).
    """

    id = models.UUIDField(primary_key=True, default=uuid_utils.compat.uuid7, editable=False)
    sha256 = models.CharField(max_length=64, unique=True)
    size = models.BigIntegerField()
    content_type = models.CharField(max_length=100, default="application/octet-stream")
    backend = models.CharField(max_length=20, blank=True)
    remote_id = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=12, choices=BlobState.choices, default=BlobState.CACHED)
    attempts = models.PositiveSmallIntegerField(default=0)  # to replicate it, since the last success
    retry_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used = models.DateTimeField(default=timezone.now)
    unused_since = models.DateTimeField(null=True, blank=True)  # when a sweep found that nothing refers to it

    class Meta:
        indexes = [
            models.Index(fields=["state", "last_used"]),
            models.Index(fields=["last_used"]),
            models.Index(fields=["unused_since"], name="blob_unused_since", condition=Q(unused_since__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.sha256[:12]}… ({self.size} bytes)"


class Removal(models.Model):
    """A file whose blob is gone and which has to leave the cache, and the store that has it as `remote_id`.

    Made in the transaction that deletes the blob, and deleted when no copy is left. While `claimed_until` is ahead,
    a process is at it, and nothing is stored under the same id.
    """

    id = models.UUIDField(primary_key=True, default=uuid_utils.compat.uuid7, editable=False)
    sha256 = models.CharField(max_length=64, db_index=True)
    backend = models.CharField(max_length=20, blank=True)
    remote_id = models.CharField(max_length=300, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    retry_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.sha256[:12]}… is removed"


class Upload(models.Model):
    """A file that comes in parts. `received` bytes of `length` are on the disk for certain."""

    id = models.UUIDField(primary_key=True, default=uuid_utils.compat.uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    filename = models.CharField(max_length=255, blank=True)
    metadata = models.TextField(blank=True, max_length=4000)
    length = models.BigIntegerField()
    received = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["expires_at"])]

    def __str__(self) -> str:
        return f"{self.filename} ({self.received} of {self.length} bytes)"

    @property
    def is_complete(self) -> bool:
        return self.received == self.length
