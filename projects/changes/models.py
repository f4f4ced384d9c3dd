from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from jobs.models import Identified


class Change(Identified):
    """One change that a member made: of one row, or of very many with one request.

    `rows` counts what it changed. `undo_of` names the change that this one took back; each is taken back once.
    """

    project = models.ForeignKey("projects.Project", on_delete=models.CASCADE, related_name="+")
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    action = models.CharField(max_length=30)
    details = models.JSONField(default=dict)
    rows = models.PositiveIntegerField(default=0)
    undo_of = models.OneToOneField("self", null=True, on_delete=models.SET_NULL, related_name="undone_by")
    changed_at = models.DateTimeField(auto_now_add=True)

    # Of a change whose undo was broken off and goes on: that undo, which has put some rows back already.
    begun_undo: Change | None = None

    class Meta:
        indexes = [models.Index(fields=["project", "id"]), models.Index(fields=["changed_at"])]

    def __str__(self) -> str:
        return f"{self.action} of {self.rows} rows"


class RowChange(models.Model):
    """Fields of one row before and after; null: it was not there. `kind` says of which table."""

    id = models.BigAutoField(primary_key=True)
    change = models.ForeignKey(Change, on_delete=models.CASCADE, related_name="row_changes")
    kind = models.CharField(max_length=20)
    row = models.UUIDField()
    # Which of them may be null is known to the kind.
    before: Any = models.JSONField(null=True)
    after: Any = models.JSONField(null=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.row}"
