"""The hourly sweep: blobs that nothing refers to, files without a blob, and what killed processes left."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from storage.deleting import in_parts
from storage.local_cache import local_cache
from storage.models import Blob, BlobState, Removal
from storage.removals import CHUNK, forget, forget_stray, note_unused, removable, work_off

PAGE = 500


def sweep_orphans(older_than: timedelta | None = None) -> int:
    """Delete blobs that have had no reference, and files that have had no blob, for the grace period.

    What the store does not delete now, for example because it does not answer, is tried again later.

    Returns:
        How many files were deleted, or dropped from the cache because the store has them.
    """
    age = timedelta(hours=settings.STORAGE_ORPHAN_HOURS) if older_than is None else older_than
    note_unused()
    before = timezone.now() - age
    for pks in in_parts(list(removable(before).values_list("pk", flat=True)), CHUNK):
        forget(pks, before)
    local_cache().sweep_incoming()
    dropped = sum(_sweep_page(page, before) for page in _pages(local_cache().files()))
    return dropped + work_off(is_eager=True)


def _pages(files: Iterator[Path]) -> Iterator[list[Path]]:
    page: list[Path] = []
    for path in files:
        page.append(path)
        if len(page) == PAGE:
            yield page
            page = []
    if page:
        yield page


def _sweep_page(page: list[Path], before: datetime) -> int:
    """Note which files have no blob; drop those that should have been when their blob became one of the store only."""
    rows = Blob.objects.filter(sha256__in=[path.name for path in page])
    known = {sha256: (state, used) for sha256, state, used in rows.values_list("sha256", "state", "last_used")}
    leaving = set(Removal.objects.filter(sha256__in=[path.name for path in page]).values_list("sha256", flat=True))
    dropped = 0
    for path in page:
        if path.name not in known:
            if path.name not in leaving and _modified(path) < before.timestamp():
                forget_stray(path.name, before)
        elif known[path.name][0] == BlobState.REMOTE and known[path.name][1] < before:
            path.unlink(missing_ok=True)
            dropped += 1
    return dropped


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
