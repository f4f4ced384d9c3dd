from celery import shared_task
from django.core.cache import caches

from storage import replication, sweeping

SECONDS = 50


@shared_task
def replicate_pending() -> int:
    """One task at a time in a process; beat rings every ten seconds."""
    cache = caches["default"]
    if not cache.add("replicating", True, timeout=SECONDS * 3):
        return 0
    try:
        return replication.work_for(SECONDS, lambda: False)[0]
    finally:
        cache.delete("replicating")


@shared_task
def sweep_orphans() -> int:
    return sweeping.sweep_orphans()
