"""Files that nobody needs any more leave the cache and the store.

The row goes first, in one transaction with a `Removal` that says which files have to follow: a transaction that fails
has changed nothing, and what a killed process did not get to is done by the next one. No file is deleted, and no store
is asked, while a transaction lasts.

Somebody may send the same bytes meanwhile. Both lock the removal: either the file is put aside before the new one is
placed, or the new row is seen and its file left alone. In the store, nothing is kept under the id of a removal that
is under way (`may_store`, `settle`).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from storage.backends import LINKED, BackendError, BackendUnavailable, backend_named
from storage.database import atomic_again, relations_to
from storage.deleting import in_parts
from storage.local_cache import local_cache
from storage.models import Blob, Removal
from storage.stored_keys import Among

log = structlog.get_logger(__name__)

CHUNK = 100
# So long a process may take for one file before another one tries.
CLAIM = timedelta(minutes=30)
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 10, 3600


def unreferenced() -> QuerySet[Blob]:
    """Blobs that nothing points to, found through every relation of the model."""
    blobs = Blob.objects.all()
    for relation in relations_to(Blob):
        pointing = relation.related_model._base_manager.filter(**{relation.field.name: OuterRef("pk")})
        blobs = blobs.filter(~Exists(pointing))
    return blobs


def removable(before: datetime) -> QuerySet[Blob]:
    """Those of them that nothing has referred to since, by the sweeps, and that nobody has used since."""
    return unreferenced().filter(last_used__lt=before, unused_since__lt=before)


def note_unused() -> None:
    """Note since when nothing refers to a blob: its file is kept for a while from then on, however old it is."""
    now = timezone.now()
    for pks in in_parts(list(unreferenced().filter(unused_since=None).values_list("pk", flat=True))):
        Blob.objects.filter(pk__in=pks, unused_since=None).update(unused_since=now)
    for pks in in_parts(list(Blob.objects.exclude(unused_since=None).values_list("pk", flat=True))):
        used = set(pks) - set(unreferenced().filter(pk__in=pks).values_list("pk", flat=True))
        Blob.objects.filter(pk__in=used).update(unused_since=None)


@atomic_again
def forget(pks: Iterable, before: datetime) -> int:
    """Delete those of these blobs that are `removable`; their files follow (`work_off`)."""
    rows = Blob.objects.filter(pk__in=list(pks))
    # Locked first: who wants to refer to one of them is seen by the next statement, or waits and finds it gone.
    list(rows.select_for_update().order_by("pk").values_list("pk"))
    orphans = list(removable(before).filter(pk__in=rows.values("pk")))
    Removal.objects.bulk_create(_removal(blob) for blob in orphans)
    Blob.objects.filter(pk__in=[blob.pk for blob in orphans])._raw_delete(using=rows.db)
    return len(orphans)


def _removal(blob: Blob) -> Removal:
    if not blob.remote_id or blob.backend == LINKED or backend_named(blob.backend).shares_folder(local_cache().root):
        return Removal(sha256=blob.sha256)
    return Removal(sha256=blob.sha256, backend=blob.backend, remote_id=blob.remote_id)


def wait_for_removals(shas: Iterable[str]) -> None:
    """Until the caller's transaction ends, the files with these contents stay where they are."""
    waiting = Removal.objects.filter(Among("sha256", shas)).order_by("pk")
    list(waiting.select_for_update().values_list("pk"))


def may_store(sha256: str) -> bool:
    """Whether a file with this content can be put into the store now: none is on its way out of it."""
    return not Removal.objects.filter(sha256=sha256, claimed_until__gt=timezone.now()).exists()


def settle(backend: str, remote_id: str) -> bool:
    """The store has a new file under this id: what waited to remove it is given up. False when that has begun already.

    Called in the transaction that notes the id.
    """
    same = Removal.objects.filter(backend=backend, remote_id=remote_id)
    same.filter(_unclaimed(timezone.now())).delete()
    return not same.exists()


def remove_later(sha256: str, backend: str, remote_id: str) -> Removal:
    """Note that a store has a file that no blob knows of."""
    return Removal.objects.create(sha256=sha256, backend=backend, remote_id=remote_id)


def work_off(limit: int = 1000, *, is_eager: bool = False, should_stop: Callable[[], bool] = lambda: False) -> int:
    """Remove the files of deleted blobs, the oldest first. Returns how many are gone.

    Args:
        is_eager: also those that failed a moment ago.
    """
    now = timezone.now()
    due = Removal.objects.filter(_unclaimed(now)).order_by("pk")
    if not is_eager:
        due = due.filter(Q(retry_at=None) | Q(retry_at__lte=now))
    done = 0
    for removal in due[:limit]:
        if should_stop():
            break
        try:
            done += remove(removal)
        except (BackendError, OSError) as error:
            _try_later(removal, error)
            if isinstance(error, BackendUnavailable):
                break
    return done


def remove(removal: Removal) -> int:
    """Remove the file of a deleted blob from the cache and from the store. 0 when another process is at it.

    Raises:
        BackendError, OSError: it must be tried again.
    """
    until = timezone.now() + CLAIM
    if not _claim(removal, until):
        return 0
    local_cache().remove_aside(removal.sha256)
    if removal.remote_id:
        backend_named(removal.backend).delete(removal.remote_id)
    Removal.objects.filter(pk=removal.pk, claimed_until=until).delete()
    return 1


@atomic_again
def _claim(removal: Removal, until: datetime) -> bool:
    row = Removal.objects.filter(pk=removal.pk)
    if not row.filter(_unclaimed(timezone.now())).update(claimed_until=until):
        return False
    if not Blob.objects.filter(sha256=removal.sha256).exists():
        local_cache().set_aside(removal.sha256)
    stored = Blob.objects.filter(backend=removal.backend, remote_id=removal.remote_id)
    if removal.remote_id and stored.exists():  # it was put there again
        row.delete()
        return False
    return True


def _unclaimed(now: datetime) -> Q:
    return Q(claimed_until=None) | Q(claimed_until__lte=now)


def _try_later(removal: Removal, error: Exception) -> None:
    seconds = min(FIRST_RETRY_SECONDS * 2 ** min(removal.attempts, 20), LONGEST_RETRY_SECONDS)
    log.warning("file_not_removed", sha256=removal.sha256, store=removal.backend, error=str(error))
    Removal.objects.filter(pk=removal.pk).update(
        claimed_until=None,
        attempts=min(removal.attempts + 1, 100),
        retry_at=timezone.now() + timedelta(seconds=seconds * random.uniform(0.8, 1.2)),
        problem=str(error)[:500],
    )


def forget_stray(sha256: str, before: datetime) -> int:
    """Remove a file without a blob, as if it had one: an upload of the same bytes is before this, or after it."""
    with transaction.atomic():
        long_ago = before - timedelta(seconds=1)
        row = Blob(sha256=sha256, size=0, last_used=long_ago, unused_since=long_ago)
        Blob.objects.bulk_create([row], ignore_conflicts=True)
        return forget(Blob.objects.filter(sha256=sha256).values_list("pk", flat=True), before)
