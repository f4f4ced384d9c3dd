"""Objects that belong to somebody else's bucket: read when needed, never written, never deleted.

Ids are `bucket/key`. A blob gets here by an import with `link`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from storage.backends.base import BackendError
from storage.backends.s3 import S3Backend, make_client


class LinkedBackend:
    name = "linked"

    def __init__(self, client: Any) -> None:
        self._client = client

    def _object(self, remote_id: str) -> tuple[S3Backend, str]:
        bucket, _, key = remote_id.partition("/")
        return S3Backend(self._client, bucket), key

    def put(self, path: Path, sha256: str) -> str:
        raise BackendError("linked objects are not ours to write")

    def read(self, remote_id: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        backend, key = self._object(remote_id)
        return backend.read(key, offset, length)

    def size(self, remote_id: str) -> int:
        backend, key = self._object(remote_id)
        return backend.size(key)

    def delete(self, remote_id: str) -> None:
        """They are not ours."""

    def shares_path(self, path: Path, remote_id: str) -> bool:
        return False

    def shares_folder(self, root: Path) -> bool:
        return False

    def url(self, remote_id: str, seconds: int) -> str | None:
        backend, key = self._object(remote_id)
        return backend.url(key, seconds)

    def check(self) -> str:
        return "linked buckets"


def from_settings(settings: Any) -> LinkedBackend:
    return LinkedBackend(make_client(settings))
