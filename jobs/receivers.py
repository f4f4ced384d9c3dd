from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.db.models.signals import post_delete
from django.dispatch import receiver

from jobs import work
from jobs.models import Work


@receiver(post_delete)
def delete_events(sender: type, instance: Model, **kwargs: Any) -> None:
    """Events have no foreign key: they belong to several kinds of work, and end with theirs, however it is deleted."""
    if issubclass(sender, Work):
        work.delete_events([instance.pk])
