"""From the store into the cache: once, however many ask, and readable while it comes."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from django.utils import timezone

from storage.backends import BackendError, NotInStore, backend_named
from storage.backends.base import CHUNK_BYTES
from storage.cache import LocalCache
from storage.errors import BlobMissing, InsufficientStorage, is_disk_full
from storage.models import Blob, BlobState

log = structlog.get_logger(__name__)

_lock = threading.Lock()
_running: dict[str, Fetch] = {}


class Fetch:
    """One blob on its way into the cache. Made by `fetch`; every reader of the blob waits for or reads the same one.

    Attributes:
        path: the partial file while it comes.
    """

    def __init__(self, blob: Blob, cache: LocalCache) -> None:
        self.blob = blob
        self._cache = cache
        self._changed = threading.Condition()
        self._available = 0
        self._is_done = False
        self._error: Exception | None = None
        self.path: Path | None = None

    def run(self) -> None:
        """Fetch, verify, place. What goes wrong is kept for those who wait."""
        try:
            with self._alone():
                if not is_here(self._cache, self.blob):  # another process may have been faster
                    self._receive()
        except Exception as error:
            self._error = error
        finally:
            with _lock:
                _running.pop(self.blob.sha256, None)
            with self._changed:
                self._is_done = True
                self._changed.notify_all()

    def wait(self) -> None:
        """Until the file is in the cache. Raises what `fetch` raises."""
        with self._changed:
            while not self._is_done:
                self._changed.wait()
        if self._error is not None:
            raise self._error

    def read_growing(self) -> Generator[bytes, None, None]:
        """The content while it comes. The last piece is given only when the whole was verified."""
        position = 0
        file = None
        try:
            while True:
                with self._changed:
                    while not self._is_done and self._available - position <= CHUNK_BYTES:
                        self._changed.wait()
                    # One piece is held back: a reader must not take a damaged file for a whole one.
                    end = self._available - CHUNK_BYTES if not self._is_done else None
                if end is None:
                    break
                if file is None:
                    assert self.path is not None  # something was received
                    file = open(self.path, "rb")  # noqa: SIM115 - closed below; it stays readable when renamed
                while position < end and (chunk := file.read(min(CHUNK_BYTES, end - position))):
                    position += len(chunk)
                    yield chunk
            self.wait()
            if file is None:
                file = open(self._cache.path(self.blob.sha256), "rb")  # noqa: SIM115 - closed below
                file.seek(position)
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
        finally:
            if file is not None:
                file.close()

    def _receive(self) -> None:
        blob = self.blob
        if not blob.remote_id:
            log.error("blob_missing", sha256=blob.sha256)
            raise BlobMissing()
        file = self._cache.receive()
        try:
            for chunk in backend_named(blob.backend).read(blob.remote_id):
                file.write(chunk)
                file.flush()
                with self._changed:
                    self.path, self._available = file.path, file.size
                    self._changed.notify_all()
            if file.sha256 != blob.sha256:
                log.error("blob_damaged_in_store", sha256=blob.sha256, found=file.sha256)
                raise BlobMissing("The store has this file with a damaged content.", code="file_damaged")
            file.sync()
            self._cache.place([file])
        except NotInStore as error:
            log.error("blob_not_in_store", sha256=blob.sha256, error=str(error))
            raise BlobMissing() from error
        except BackendError as error:
            log.error("blob_fetch_failed", sha256=blob.sha256, error=str(error))
            raise BlobMissing(
                "The file is not in the cache, and the store does not answer. Try again in a moment.",
                code="store_unavailable",
            ) from error
        except OSError as error:
            if is_disk_full(error):
                raise InsufficientStorage() from error
            raise
        finally:
            file.discard()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Between processes: one lock file for each of 256 parts of the cache, so that they need no sweeping."""
        folder = self._cache.root / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / self.blob.sha256[:2], "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def is_here(cache: LocalCache, blob: Blob) -> bool:
    """Whether the cache has the file. One that is cut is removed when the store has another copy to fetch."""
    path = cache.path(blob.sha256)
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return False
    if size == blob.size:
        return True
    log.error("cache_file_damaged", sha256=blob.sha256, size=size, expected=blob.size)
    if not blob.remote_id or backend_named(blob.backend).shares_path(path, blob.remote_id):
        return True  # the only copy there is; that it is damaged is said where hashes are compared
    path.unlink(missing_ok=True)
    return False


def start_fetch(blob: Blob, cache: LocalCache) -> Fetch:
    """The fetch of this blob that is under way, or a new one, in a thread of its own."""
    fetch, is_new = _joined(blob, cache)
    if is_new:
        threading.Thread(target=fetch.run, name=f"fetch-{blob.sha256[:8]}", daemon=True).start()
    return fetch


def fetch(blob: Blob, cache: LocalCache) -> None:
    """Bring the blob into the cache.

    Raises:
        BlobMissing: it is in neither, is damaged, or the store does not answer.
    """
    fetch, is_new = _joined(blob, cache)
    if is_new:
        fetch.run()
    fetch.wait()


def _joined(blob: Blob, cache: LocalCache) -> tuple[Fetch, bool]:
    # All that the database may fail at comes first: what is in `_running` is waited for, so somebody must run it. Nor
    # needs the fetching thread a connection then. Should the file not come, the next use fetches again.
    _look_again(blob)
    Blob.objects.filter(pk=blob.pk, state=BlobState.REMOTE).update(state=BlobState.REPLICATED, last_used=timezone.now())
    with _lock:
        running = _running.get(blob.sha256)
        if running is not None:
            return running, False
        fetch = _running[blob.sha256] = Fetch(blob, cache)
    return fetch, True


def _look_again(blob: Blob) -> None:
    """Since the row was read, minutes ago in long work, the file may have gone to the store, or to another one."""
    kept = Blob.objects.filter(pk=blob.pk).values("backend", "remote_id", "size", "state").first()
    for name, value in (kept or {}).items():
        setattr(blob, name, value)
