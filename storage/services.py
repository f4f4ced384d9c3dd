"""Keeping, finding and forgetting files."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from storage.backends import LINKED, backend_named, get_backend
from storage.backends.base import CHUNK_BYTES
from storage.cache import Incoming
from storage.durability import FileSystem, sync_folder
from storage.errors import InsufficientStorage
from storage.fetching import fetch, is_here
from storage.inserting import insert_instances
from storage.local_cache import local_cache
from storage.models import Blob, BlobState
from storage.removals import wait_for_removals
from storage.room import AHEAD_BYTES, Room, reserved_bytes
from storage.stored_keys import Among, StoredKey, stored_keys, stored_rows

log = structlog.get_logger(__name__)
# One row a content, also when it comes again.
USED_AGAIN = "ON CONFLICT (sha256) DO UPDATE SET last_used = excluded.last_used, unused_since = NULL"
# How often a file is looked for that the cache drops before it is opened.
READINGS = 3

Read = TypeVar("Read")


def receive() -> Incoming:
    """A new file to write to; `keep` makes it a blob, `discard` forgets it."""
    ensure_free_space(0)
    return local_cache().receive()


def receive_contents(contents: Sequence[bytes]) -> list[Incoming]:
    """As `receive`, for files whose content is in memory: all of them, whole, or none."""
    ensure_free_space(sum(map(len, contents)))
    cache_, files = local_cache(), []
    try:
        for content in contents:
            files.append(cache_.receive(content))
    except BaseException:
        for file in files:
            file.discard()
        raise
    return files


def ensure_free_space(size_bytes: int) -> None:
    """Refuse to write when the disk would come below the reserve that keeps the studio alive.

    Raises:
        InsufficientStorage
    """
    existing = next(
        folder for folder in (settings.STORAGE_CACHE_DIR, *settings.STORAGE_CACHE_DIR.parents) if folder.exists()
    )
    if shutil.disk_usage(existing).free - size_bytes < settings.MIN_FREE_BYTES:
        raise InsufficientStorage()


def reserve_room(size_bytes: int) -> Room:
    """Promise free space to an upload that begins; what others were estimated is not given twice.

    Raises:
        InsufficientStorage
    """
    cache_ = local_cache()
    room = Room(cache_.incoming, cache_.receiver_name(), size_bytes)
    try:
        # With its own promise counted: of two that begin at once, at most both are refused.
        ensure_free_space(reserved_bytes(cache_.incoming) + max(0, size_bytes - AHEAD_BYTES))
    except InsufficientStorage:
        room.release()
        raise
    return room


def keep(file: Incoming, content_type: str) -> Blob:
    """Make a received file a blob. On return it survives `kill -9` and a power cut once the transaction is over."""
    return keep_many([(file, content_type)])[file.sha256]


def stage(files: Iterable[Incoming], file_system: FileSystem | None = None) -> None:
    """Do what waits for the disk before a transaction in which they are kept: while it lasts nobody else can write.

    Args:
        file_system: from `writing_many`, of files that were written inside of it.
    """
    local_cache().stage(files, file_system)


@contextmanager
def writing_many() -> Iterator[FileSystem | None]:
    """What `stage` can wait for in the place of each file that is received inside; None: where that is not possible."""
    incoming = local_cache().incoming
    incoming.mkdir(parents=True, exist_ok=True)
    file_system = FileSystem.of(incoming)
    try:
        yield file_system
    finally:
        if file_system is not None:
            file_system.close()


def stage_path(path: Path) -> Incoming:
    """Copy a file that the studio made, to be kept in a transaction that comes next. `discard` it in the end."""
    with open(path, "rb") as source:
        return _stage_chunks(iter(lambda: source.read(CHUNK_BYTES), b""))


def stage_content(content: bytes) -> Incoming:
    """As `stage_path`, of a file that the studio has in its hands."""
    return _stage_chunks([content])


def _stage_chunks(chunks: Iterable[bytes]) -> Incoming:
    file = receive()
    try:
        for chunk in chunks:
            file.write(chunk)
        stage([file])
    except BaseException:
        file.discard()
        raise
    return file


def keep_many(files: Sequence[tuple[Incoming, str]]) -> dict[str, Blob]:
    """As `keep`, for many files at the cost of few disk waits. Returns blobs by sha256.

    The row comes first and the file gets its name inside the same transaction: the removal of an earlier file with
    the same content is thereby wholly before or wholly after (see `storage.removals`).
    """
    cache_ = local_cache()
    cache_.sync([file for file, _ in files if not file.is_staged])
    stored = _where_the_store_has_it()
    with transaction.atomic():
        blobs = _with_rows(_blobs_of(files, stored))
        wait_for_removals(blobs)
        cache_.place(file for file, _ in files)
        _note_that_they_are_here(blobs.values(), stored)
    return blobs


def keys_of(shas: Iterable[str]) -> list[StoredKey]:
    """Of the blobs that have these contents."""
    return [pk for (pk,) in stored_rows(Blob.objects.filter(Among("sha256", shas)).values_list("pk"))]


def _where_the_store_has_it() -> dict[str, str]:
    """Where the store is the cache's own folder, nothing is left to replicate: what blobs say of that."""
    backend = get_backend()
    if not backend.shares_folder(local_cache().root):
        return {}
    return {"state": BlobState.REPLICATED.value, "backend": backend.name}


def _blobs_of(files: Sequence[tuple[Incoming, str]], stored: Mapping[str, str]) -> dict[str, Blob]:
    """By sha256, without rows."""
    fresh = {}
    for file, content_type in files:
        sha256 = file.sha256
        remote_id = sha256 if stored else ""
        fresh[sha256] = Blob(sha256=sha256, size=file.size, content_type=content_type, remote_id=remote_id, **stored)
    return fresh


def _with_rows(fresh: dict[str, Blob]) -> dict[str, Blob]:
    """These blobs, each with a row: its own, or that of the blob which had this content before."""
    # In one order, so that two transactions do not wait for each other.
    insert_instances([fresh[sha256] for sha256 in sorted(fresh)], USED_AGAIN)
    rows = dict(stored_rows(Blob.objects.filter(Among("sha256", fresh)).values_list("sha256", "pk")))
    keys = stored_keys(blob.pk for blob in fresh.values())
    earlier = [sha256 for sha256, key in zip(fresh, keys, strict=True) if rows[sha256] != key]
    for blob in fresh.values():
        blob._state.adding = False
    return fresh | ({blob.sha256: blob for blob in Blob.objects.filter(Among("sha256", earlier))} if earlier else {})


def _note_that_they_are_here(blobs: Iterable[Blob], stored: Mapping[str, str]) -> None:
    for state in (BlobState.REMOTE, *([BlobState.CACHED] if stored else [])):
        those = [blob for blob in blobs if blob.state == state]
        for blob in those:
            blob.state = BlobState.REPLICATED
            if state == BlobState.CACHED:
                blob.backend, blob.remote_id = stored["backend"], blob.sha256
        if those:
            Blob.objects.bulk_update(those, ["state", "backend", "remote_id"])


def link(objects: dict[str, str], since: datetime) -> None:
    """Note that files which came `since` lie in somebody else's bucket, which keeps them: sha256 → `bucket/key`."""
    for sha256, remote_id in objects.items():
        # What was here before stays ours: its store does not forget it when that bucket does.
        Blob.objects.filter(sha256=sha256, created_at__gte=since).exclude(backend=LINKED).update(
            state=BlobState.REPLICATED, backend=LINKED, remote_id=remote_id
        )


def keep_path(path: Path, content_type: str) -> Blob:
    """Copy a file that the studio made (a model, a report) into a blob."""
    file = stage_path(path)
    try:
        return keep(file, content_type)
    finally:
        file.discard()


def keep_bytes(content: bytes, content_type: str) -> Blob:
    file = receive()
    try:
        file.write(content)
        return keep(file, content_type)
    finally:
        file.discard()


def path_of(blob: Blob) -> Path:
    """The blob's file in the local cache, fetched from the store when it is not there. A file that was not
    used for a while may be dropped at any moment, also before it is opened: take `pinned`, `pin` or `opened`.

    Raises:
        BlobMissing: it is in neither, or the store does not answer.
    """
    touch([blob])
    cache_ = local_cache()
    if not is_here(cache_, blob):
        fetch(blob, cache_)
    return cache_.path(blob.sha256)


def intact_path(blob: Blob) -> Path | None:
    """As `path_of`, compared with its hash; a damaged file is replaced by the store's. None when none is whole."""
    path = path_of(blob)
    if is_intact(path, blob.sha256):
        return path
    log.error("cache_file_damaged", sha256=blob.sha256)
    if not blob.remote_id or backend_named(blob.backend).shares_path(path, blob.remote_id):
        return None
    local_cache().remove(blob.sha256)
    return path_of(blob)


def touch(blobs: Iterable[Blob]) -> None:
    """Note that they are used now, so that they are not dropped; not more often than it matters."""
    if not settings.STORAGE_CACHE_BYTES:
        return
    now = timezone.now()
    stale = now - timedelta(seconds=settings.STORAGE_CACHE_REST_SECONDS / 4)
    pks = [blob.pk for blob in blobs if blob.last_used < stale]
    if pks:
        Blob.objects.filter(pk__in=pks).update(last_used=now)


def pin(blob: Blob, folder: Path) -> Path:
    """A path of the blob's content that stays until `folder` is removed, whatever the cache drops.

    It is a second name of the same file where the file system allows that, and the cache's own file where nothing is
    ever dropped.
    """
    if not settings.STORAGE_CACHE_BYTES:
        return path_of(blob)
    target = folder / blob.sha256
    if not target.exists() or target.stat().st_size != blob.size:
        again_if_dropped(lambda: copy_to(blob, target))
    return target


@contextmanager
def pinned(blob: Blob) -> Iterator[Path]:
    """A path of the blob's content that stays as long as the block, whatever the cache drops: for what opens it later,
    more than once, or in another process.

    Raises:
        BlobMissing
    """
    if not settings.STORAGE_CACHE_BYTES:
        yield path_of(blob)
        return
    target = local_cache().private_path()
    try:
        again_if_dropped(lambda: copy_to(blob, target))
        yield target
    finally:
        target.unlink(missing_ok=True)


@contextmanager
def opened(blob: Blob) -> Iterator:
    with again_if_dropped(lambda: open(path_of(blob), "rb")) as file:
        yield file


def again_if_dropped(read: Callable[[], Read]) -> Read:
    """What `read` returns; it is called again where the cache dropped a file between finding and opening it."""
    for _ in range(READINGS - 1):
        with suppress(FileNotFoundError):
            return read()
    return read()


def is_intact(path: Path, sha256: str) -> bool:
    """Whether a file still has the content its name promises."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def copy_to(blob: Blob, target: Path) -> None:
    """Put the blob's content at `target`: a hard link where the file system allows it, else a copy."""
    source = path_of(blob)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
        sync_folder(target.parent)
