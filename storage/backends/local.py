"""A folder as store: by default the cache's own folder, so that nothing is kept twice; or another disk."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from storage.backends.base import CHUNK_BYTES, NotInStore
from storage.cache import blob_path
from storage.durability import sync_folder


class LocalBackend:
    name = "local"

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, path: Path, sha256: str) -> str:
        target = self._path(sha256)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = target.with_name(f".{sha256}.{uuid.uuid4().hex}")
            try:
                with open(path, "rb") as source, open(temporary, "xb") as copy:
                    shutil.copyfileobj(source, copy, CHUNK_BYTES)
                    copy.flush()
                    os.fsync(copy.fileno())
                os.replace(temporary, target)
            finally:
                temporary.unlink(missing_ok=True)
            sync_folder(target.parent)
        return sha256

    def read(self, remote_id: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        try:
            file = open(self._path(remote_id), "rb")  # noqa: SIM115 - closed when the stream ends
        except FileNotFoundError as error:
            raise NotInStore(f"{remote_id} is not in {self._root}") from error
        return _chunks(file, offset, length)

    def size(self, remote_id: str) -> int:
        try:
            return self._path(remote_id).stat().st_size
        except FileNotFoundError as error:
            raise NotInStore(f"{remote_id} is not in {self._root}") from error

    def delete(self, remote_id: str) -> None:
        self._path(remote_id).unlink(missing_ok=True)

    def shares_path(self, path: Path, remote_id: str) -> bool:
        try:
            return path.samefile(self._path(remote_id))
        except FileNotFoundError:
            return False

    def shares_folder(self, root: Path) -> bool:
        return root.resolve() == self._root.resolve() or (
            root.exists() and self._root.exists() and root.samefile(self._root)
        )

    def url(self, remote_id: str, seconds: int) -> str | None:
        return None

    def check(self) -> str:
        free = shutil.disk_usage(next(parent for parent in (self._root, *self._root.parents) if parent.exists())).free
        return f"folder {self._root}, {free / 1e9:.1f} GB free"

    def _path(self, sha256: str) -> Path:
        return blob_path(self._root, sha256)


def _chunks(file: BinaryIO, offset: int, length: int | None) -> Iterator[bytes]:
    with file:
        file.seek(offset)
        left = length
        while left is None or left > 0:
            chunk = file.read(CHUNK_BYTES if left is None else min(CHUNK_BYTES, left))
            if not chunk:
                return
            if left is not None:
                left -= len(chunk)
            yield chunk


def from_settings(settings: Any) -> LocalBackend:
    return LocalBackend(settings.STORAGE_LOCAL_DIR)
