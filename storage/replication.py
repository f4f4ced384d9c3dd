"""Cache → store in the background, and out of the cache again when it grows too large."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from storage.backends import LINKED, BackendError, BackendUnavailable, backend_named, get_backend
from storage.database import atomic_again, by_key
from storage.errors import BlobMissing
from storage.fetching import is_here
from storage.local_cache import local_cache
from storage.models import Blob, BlobState
from storage.removals import may_store, remove_later, settle, work_off

log = structlog.get_logger(__name__)

FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 10, 3600
# So long a worker may take for one file before another tries the same.
CLAIM = timedelta(minutes=30)
SAMPLE_SECONDS = 60.0


def pending() -> QuerySet[Blob]:
    return Blob.objects.filter(state=BlobState.CACHED)


def replicate_pending(limit: int = 500, should_stop: Callable[[], bool] = lambda: False) -> int:
    """Put cached blobs into the store, the oldest first. Returns how many.

    What fails stays in the cache and is tried again later, at growing intervals. When the store does not answer at
    all, the rest is left for the next call.
    """
    now = timezone.now()
    due = pending().filter(Q(retry_at=None) | Q(retry_at__lte=now)).order_by("created_at")
    done = 0
    for blob in due[:limit]:
        if should_stop():
            break
        # The first to move the date has the blob for a while; a worker that dies leaves it to the next.
        if not pending().filter(pk=blob.pk, retry_at=blob.retry_at).update(retry_at=timezone.now() + CLAIM):
            continue
        try:
            done += replicate_one(blob)
        except (BackendError, BlobMissing, OSError) as error:
            _try_later(blob, error)
            if isinstance(error, BackendUnavailable):
                break
    return done


def replicate_one(blob: Blob) -> int:
    """Put one cached blob into the store now. Returns 1, or 0 when another did it meanwhile.

    Raises:
        BackendError: the store does not take it.
        BlobMissing: there is no file.
    """
    cache, backend = local_cache(), get_backend()
    if not is_here(cache, blob):
        raise BlobMissing("The file is neither in the cache nor in the store.")
    path = cache.path(blob.sha256)
    if path.stat().st_size != blob.size:
        raise BlobMissing("The file in the cache is damaged, and there is no other copy.", code="file_damaged")
    if not may_store(blob.sha256):
        raise BackendError("an earlier file with this content is being removed from the store")
    return _note_stored(blob, backend.name, backend.put(path, blob.sha256))


@atomic_again
def _note_stored(blob: Blob, backend: str, remote_id: str) -> int:
    waiting = pending().filter(pk=blob.pk)
    if waiting.select_for_update().values_list("pk").first() and not settle(backend, remote_id):
        raise BackendError("an earlier file with this content is being removed from the store")
    changed = waiting.update(
        state=BlobState.REPLICATED, backend=backend, remote_id=remote_id, retry_at=None, attempts=0, problem=""
    )
    if not changed and not Blob.objects.filter(backend=backend, remote_id=remote_id).exists():
        remove_later(blob.sha256, backend, remote_id)  # the blob was deleted meanwhile
    return changed


def _try_later(blob: Blob, error: Exception) -> None:
    seconds = min(FIRST_RETRY_SECONDS * 2**blob.attempts, LONGEST_RETRY_SECONDS) * random.uniform(0.8, 1.2)
    log.warning("replication_failed", sha256=blob.sha256, error=str(error), retry_seconds=round(seconds))
    pending().filter(pk=blob.pk).update(
        attempts=min(blob.attempts + 1, 100),
        retry_at=timezone.now() + timedelta(seconds=seconds),
        problem=str(error)[:500],
    )


def cached_bytes() -> int:
    """What the cache holds by the database's account."""
    return Blob.objects.exclude(state=BlobState.REMOTE).aggregate(total=Sum("size"))["total"] or 0


_sampled: tuple[float, int] | None = None


def sampled_cached_bytes() -> int:
    """As `cached_bytes`, at most a minute old: the sum goes over every file there is."""
    global _sampled
    if _sampled is None or time.monotonic() - _sampled[0] > SAMPLE_SECONDS:
        _sampled = (time.monotonic(), cached_bytes())
    return _sampled[1]


def evict(limit_bytes: int | None = None) -> int:
    """Drop from the cache what was not used for longest, until it fits. Returns how many files.

    Only what the configured store has is dropped, after asking it; never what was used a moment ago (somebody may
    be about to open it), nor what is the store's own file.
    """
    limit = settings.STORAGE_CACHE_BYTES if limit_bytes is None else limit_bytes
    if not limit:
        return 0
    excess = cached_bytes() - limit
    if excess <= 0:
        return 0
    before = timezone.now() - timedelta(seconds=settings.STORAGE_CACHE_REST_SECONDS)
    stores = (settings.STORAGE_BACKEND, LINKED)
    candidates = Blob.objects.filter(state=BlobState.REPLICATED, backend__in=stores, last_used__lt=before)
    dropped = 0
    for blob in by_key(candidates, key="last_used", size=200):
        if excess <= 0:
            break
        try:
            if _drop(blob, before):
                excess -= blob.size
                dropped += 1
        except BackendUnavailable as error:
            log.warning("eviction_stopped", error=str(error))
            break
        except BackendError as error:
            log.error("eviction_refused", sha256=blob.sha256, error=str(error))
            _send_again(blob)
    return dropped


def _drop(blob: Blob, before: datetime) -> bool:
    backend, cache = backend_named(blob.backend), local_cache()
    path = cache.path(blob.sha256)
    if backend.shares_path(path, blob.remote_id):
        return False
    if backend.size(blob.remote_id) != blob.size:
        raise BackendError(f"the store has {blob.remote_id} with another size")
    # A user of the blob moves last_used first, so this finds nothing then. The row comes first: should the file stay
    # because this process dies, the sweep finds it; and were it gone too early, it would be fetched again.
    changed = Blob.objects.filter(pk=blob.pk, state=BlobState.REPLICATED, last_used__lt=before).update(
        state=BlobState.REMOTE
    )
    if changed:
        path.unlink(missing_ok=True)
    return bool(changed)


def _send_again(blob: Blob) -> None:
    """The store has lost or damaged it: what the cache has is the only copy now, when it has it."""
    if is_here(local_cache(), blob):
        Blob.objects.filter(pk=blob.pk, state=BlobState.REPLICATED).update(
            state=BlobState.CACHED, remote_id="", backend="", retry_at=None, attempts=0
        )


def work_for(seconds: float, should_stop: Callable[[], bool]) -> tuple[int, int]:
    """Replicate, remove and evict until nothing is left or time is up. Returns how many were replicated and evicted."""
    deadline = time.monotonic() + seconds
    replicated = 0

    def is_over() -> bool:
        return should_stop() or time.monotonic() > deadline

    while not is_over() and (count := replicate_pending(100, is_over)):
        replicated += count
    work_off(100, should_stop=is_over)
    # Counted again when something came, or when a minute ago there was too much.
    is_full = settings.STORAGE_CACHE_BYTES and (replicated or sampled_cached_bytes() > settings.STORAGE_CACHE_BYTES)
    return replicated, evict() if is_full else 0
