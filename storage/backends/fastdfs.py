"""FastDFS as store: ids are the file ids that the storages give, `group1/M00/…`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastdfs import Client, ConnectionFailed, FastDFSError, FileId, FileNotInStore, NoActiveStorage, signed_url
from storage.backends.base import (
    BackendConfigurationError,
    BackendError,
    BackendUnavailable,
    NotInStore,
)


class FastDFSBackend:
    """Args:
    group: where new files go; None leaves the choice to the tracker.
    http_url, secret: of the nginx module, for `url`.
    """

    name = "fastdfs"

    def __init__(self, client: Client, *, group: str | None = None, http_url: str = "", secret: str = "") -> None:
        self._client = client
        self._group = group
        self._http_url, self._secret = http_url, secret

    def put(self, path: Path, sha256: str) -> str:
        with _translated():
            return str(self._client.upload(path, group=self._group))

    def read(self, remote_id: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        with _translated():
            yield from self._client.download(FileId.parse(remote_id), offset, length)

    def size(self, remote_id: str) -> int:
        with _translated():
            return self._client.info(FileId.parse(remote_id)).size

    def delete(self, remote_id: str) -> None:
        try:
            with _translated():
                self._client.delete(FileId.parse(remote_id))
        except NotInStore:
            return

    def shares_path(self, path: Path, remote_id: str) -> bool:
        return False

    def shares_folder(self, root: Path) -> bool:
        return False

    def url(self, remote_id: str, seconds: int) -> str | None:
        return signed_url(self._http_url, FileId.parse(remote_id), self._secret) if self._http_url else None

    def check(self) -> str:
        with _translated():
            groups = self._client.groups()
            parts = [
                f"{group.name}: {group.active_count} of {group.storage_count} storages, "
                f"{(group.free_mb << 20) / 1e9:.0f} GB free"
                for group in groups
            ]
            if not any(group.active_count for group in groups):
                raise BackendUnavailable("the trackers know no active storage")
        return "; ".join(parts)


@contextmanager
def _translated() -> Iterator[None]:
    """The client's errors as the storage's."""
    try:
        yield
    except FileNotInStore as error:
        raise NotInStore(str(error)) from error
    except (ConnectionFailed, NoActiveStorage) as error:
        raise BackendUnavailable(str(error)) from error
    except FastDFSError as error:
        raise BackendError(str(error)) from error


def from_settings(settings: Any) -> FastDFSBackend:
    trackers = [tracker.strip() for tracker in settings.FASTDFS_TRACKERS.split(",") if tracker.strip()]
    if not trackers:
        raise BackendConfigurationError("Set FASTDFS_TRACKERS to host:port of your trackers, with commas.")
    try:
        address_map = dict(pair.strip().split("=", 1) for pair in settings.FASTDFS_ADDRESS_MAP.split(",") if pair)
        client = Client(
            trackers,
            connect_timeout=settings.FASTDFS_CONNECT_SECONDS,
            timeout=settings.FASTDFS_TIMEOUT_SECONDS,
            address_map=address_map,
        )
    except ValueError as error:
        raise BackendConfigurationError(
            f"FASTDFS_TRACKERS must be host:port with commas, FASTDFS_ADDRESS_MAP storage=reached with commas: {error}"
        ) from error
    return FastDFSBackend(
        client,
        group=settings.FASTDFS_GROUP or None,
        http_url=settings.FASTDFS_HTTP_URL,
        secret=settings.FASTDFS_HTTP_SECRET,
    )
