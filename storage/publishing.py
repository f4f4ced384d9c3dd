"""Files for others to fetch from the store: put there at once, and where they are."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from storage.backends import BackendError, backend_named
from storage.errors import BlobMissing
from storage.models import Blob, BlobState
from storage.replication import replicate_one


@dataclass(frozen=True)
class Location:
    """Where a file is in the store.

    Attributes:
        backend: the kind of store.
        remote_id: the store's name of the file, for example `group1/M00/00/00/…` of FastDFS.
        url: where it can be fetched by HTTP for the time that was asked for; "" where the store has no HTTP.
        trackers: `host:port` of FastDFS trackers that know it.
    """

    backend: str
    remote_id: str
    url: str
    trackers: tuple[str, ...]


def push(blob: Blob) -> Blob:
    """The blob, which is in the store when this returns.

    Raises:
        BlobMissing: `store_unavailable`, the store does not take it now; it stays in the cache and goes there later.
    """
    blob.refresh_from_db()  # since it was read it may have gone to the store, and left the cache
    if blob.state == BlobState.CACHED:
        try:
            replicate_one(blob)
        except (BackendError, OSError) as error:
            raise BlobMissing(
                f"The store does not take the file now: {error}. It is safe in the cache; try again later.",
                code="store_unavailable",
            ) from error
        blob.refresh_from_db()
    return blob


def locate(blob: Blob, seconds: int) -> Location | None:
    """Where a stored blob is, with an address for at least `seconds`; None while only the cache has it."""
    if not blob.remote_id:
        return None
    url = backend_named(blob.backend).url(blob.remote_id, seconds) or ""
    trackers: tuple[str, ...] = ()
    if blob.backend == "fastdfs":
        trackers = tuple(tracker.strip() for tracker in settings.FASTDFS_PUBLIC_TRACKERS.split(",") if tracker.strip())
    return Location(blob.backend, blob.remote_id, url, trackers)
