from celery import shared_task
from django.core.cache import caches

from datasets import thumbnails
from jobs.work import shutting_down


@shared_task
def make_missing_thumbnails() -> int:
    """Work through what waits; one task at a time in a process, beat rings every minute."""
    cache = caches["default"]
    if not cache.add("thumbnails-running", True, timeout=600):
        return 0
    done = 0
    try:
        while (count := thumbnails.make_missing_thumbnails(100)) and not shutting_down.is_set():
            done += count
    finally:
        cache.delete("thumbnails-running")
    return done
