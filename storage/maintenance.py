"""What an operator does with the store: look, check, repair, move."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import structlog
from django.conf import settings
from django.db.models import Count, Min, Sum

from storage.backends import LINKED, BackendError, BackendUnavailable, NotInStore, backend_named, get_backend
from storage.backends.base import Backend
from storage.database import atomic_again, by_key
from storage.errors import BlobMissing
from storage.local_cache import local_cache
from storage.models import Blob, BlobState, Removal
from storage.removals import may_store, remove, remove_later, settle
from storage.replication import cached_bytes, pending
from storage.services import is_intact, path_of, pinned

log = structlog.get_logger(__name__)


LOOKS_AGAIN = 2


@dataclass(frozen=True)
class Problem:
    """What is wrong with one blob, and whether another copy of it is whole.

    Attributes:
        where: "cache" or "store".
        kind: "missing", "damaged" or "unreadable".
        is_lost: no whole copy was found.
    """

    sha256: str
    where: str
    kind: str
    detail: str
    is_lost: bool = False

    def to_dict(self) -> dict:
        return asdict(self)


def status() -> dict:
    """Counts and sizes by state and store, what waits, and how the store answers."""
    rows = Blob.objects.values("state", "backend").annotate(files=Count("id"), bytes=Sum("size")).order_by("state")
    waiting = pending().aggregate(files=Count("id"), bytes=Sum("size"), oldest=Min("created_at"))
    failing = pending().filter(attempts__gt=0)
    try:
        answer = {"store": get_backend().check(), "answers": True}
    except BackendError as error:
        answer = {"store": str(error), "answers": False}
    return {
        "backend": settings.STORAGE_BACKEND,
        **answer,
        "files": list(rows),
        "cache_bytes": cached_bytes(),
        "cache_limit_bytes": settings.STORAGE_CACHE_BYTES,
        "waiting": waiting,
        "failing": failing.count(),
        "removals": Removal.objects.count(),
        "last_problem": failing.order_by("-retry_at").values_list("problem", flat=True).first() or "",
    }


def blobs_after(sha256: str = "") -> Iterator[Blob]:
    """All blobs in the order of their hashes, in pages, so that a walk can be long, and taken up again."""
    yield from by_key(Blob.objects.filter(sha256__gt=sha256), key="sha256", size=200)


def verify(blob: Blob, *, deep: bool) -> list[Problem]:
    """Look at both copies of a blob.

    Others work meanwhile: what looks wrong is looked at again by the row as it is now, for a file that has been stored
    and evicted since the row was read is not gone.

    Args:
        deep: read the store's copy and compare its hash; else only its size.

    Raises:
        BackendUnavailable: nothing can be said about the store.
    """
    problems = _problems(blob, deep=deep)
    for _ in range(LOOKS_AGAIN):
        if not problems:
            break
        now = Blob.objects.filter(pk=blob.pk).first()
        problems = [] if now is None else _problems(now, deep=deep)
    return problems


def _problems(blob: Blob, *, deep: bool) -> list[Problem]:
    problems: list[Problem] = []
    cache_problem = _cache_problem(blob)
    store_problem = _store_problem(blob, deep=deep) if blob.remote_id else None
    has_cache = cache_problem is None and local_cache().path(blob.sha256).exists()
    has_store = bool(blob.remote_id) and store_problem is None
    for where, found in (("cache", cache_problem), ("store", store_problem)):
        if found is not None:
            problems.append(Problem(blob.sha256, where, *found, is_lost=not (has_cache or has_store)))
    return problems


def _cache_problem(blob: Blob) -> tuple[str, str] | None:
    path = local_cache().path(blob.sha256)
    if not path.exists():
        is_needed = blob.state == BlobState.CACHED or not blob.remote_id
        return ("missing", "the only copy is gone from the cache") if is_needed else None
    try:
        return None if is_intact(path, blob.sha256) else ("damaged", f"{path} has another content")
    except OSError as error:
        return "unreadable", str(error)


def _store_problem(blob: Blob, *, deep: bool) -> tuple[str, str] | None:
    try:
        backend = backend_named(blob.backend)
        if backend.shares_path(local_cache().path(blob.sha256), blob.remote_id):
            return None  # it is the file that was looked at just now
        size = backend.size(blob.remote_id)
        if size != blob.size:
            return "damaged", f"{blob.remote_id} has {size} bytes instead of {blob.size}"
        if deep:
            digest = hashlib.sha256()
            for chunk in backend.read(blob.remote_id):
                digest.update(chunk)
            if digest.hexdigest() != blob.sha256:
                return "damaged", f"{blob.remote_id} has another content"
    except NotInStore as error:
        return "missing", str(error)
    except BackendUnavailable:
        raise
    except BackendError as error:
        return "unreadable", str(error)
    return None


def repair(blob: Blob, problems: list[Problem]) -> str:
    """Make both copies whole from the one that is. Returns what was done, or that it is lost.

    A damaged file without a whole copy is left where it is: it may be of use to somebody who restores it.
    """
    if any(problem.is_lost for problem in problems):
        return "lost: no whole copy; restore it from a backup"
    done = []
    for problem in problems:
        if problem.where == "cache":
            local_cache().remove(blob.sha256)
            path_of(blob)
            done.append("fetched from the store")
        else:
            # The store's copy is left alone: a new one is put beside it, or over it where the id is the same.
            Blob.objects.filter(pk=blob.pk).update(
                state=BlobState.CACHED, backend="", remote_id="", retry_at=None, attempts=0
            )
            done.append("will be sent to the store again")
    return ", ".join(done)


def to_migrate() -> int:
    """How many files are in another store than the configured one."""
    return Blob.objects.exclude(backend__in=("", LINKED, settings.STORAGE_BACKEND)).count()


def migrate(*, keep_source: bool, on_progress: Callable[[int, int], None]) -> tuple[int, list[Problem]]:
    """Move every file that is in another store to the configured one, while the studio runs.

    A file is in the old store until the new one has it, and what was moved is not moved again: break it off and call
    it again as you like.

    Returns:
        How many were moved, and what could not be.

    Raises:
        BackendUnavailable: one of the stores does not answer.
    """
    target = get_backend()
    total, moved = to_migrate(), 0
    problems: list[Problem] = []
    for blob in blobs_after():
        if blob.backend in ("", LINKED, target.name):
            continue
        try:
            moved += _move(blob, target, keep_source)
        except BlobMissing as error:
            problems.append(Problem(blob.sha256, "store", "missing", str(error.detail), is_lost=True))
        on_progress(moved + len(problems), total)
    return moved, problems


def _move(blob: Blob, target: Backend, keep_source: bool) -> int:
    source_name = blob.backend
    with pinned(blob) as path:
        if not is_intact(path, blob.sha256):
            raise BlobMissing("The cache has this file with a damaged content.")
        if not may_store(blob.sha256):
            raise BlobMissing(
                "An earlier file with this content is being removed: move it later.", code="file_removing"
            )
        remote_id = target.put(path, blob.sha256)
    source = backend_named(source_name)
    is_source_kept = keep_source or source.shares_folder(local_cache().root)
    changed, removal = _note_moved(blob, target.name, remote_id, is_source_kept)
    if removal is not None:
        remove(removal)
    return changed


@atomic_again
def _note_moved(blob: Blob, target: str, remote_id: str, is_source_kept: bool) -> tuple[int, Removal | None]:
    """Whether the blob is in the target now, and what has to be removed: the source's file, or the target's."""
    changed = Blob.objects.filter(pk=blob.pk, backend=blob.backend, remote_id=blob.remote_id).update(
        backend=target, remote_id=remote_id, state=BlobState.REPLICATED
    )
    if changed:
        if not settle(target, remote_id):
            raise BlobMissing("An earlier file with this content is being removed: move it later.")
        return 1, None if is_source_kept else remove_later(blob.sha256, blob.backend, blob.remote_id)
    # Deleted or moved meanwhile.
    is_known = Blob.objects.filter(backend=target, remote_id=remote_id).exists()
    return 0, None if is_known else remove_later(blob.sha256, target, remote_id)
