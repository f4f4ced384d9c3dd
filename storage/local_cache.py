"""The local cache of this studio."""

from __future__ import annotations

from functools import cache

from django.conf import settings

from storage.cache import LocalCache


@cache
def local_cache() -> LocalCache:
    return LocalCache(settings.STORAGE_CACHE_DIR)
