"""What every large-file store can do. FastDFS and S3 implement the same protocol as the local folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

CHUNK_BYTES = 1 << 20


class BackendError(Exception):
    """The store did not do what was asked; trying again may help."""


class BackendUnavailable(BackendError):
    """The store does not answer at all: whatever else is waiting need not be tried now."""


class NotInStore(BackendError):
    """The store has no file under this id."""


class BackendConfigurationError(BackendError):
    """A setting of the store is missing or wrong; the text says which."""


class Backend(Protocol):
    """A store of immutable files.

    Attributes:
        name: stable, kept with each blob.
    """

    name: str

    def put(self, path: Path, sha256: str) -> str:
        """Store the file durably and return its id. The same file may be put twice."""

    def read(self, remote_id: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Stream `length` bytes (to the end when None) from `offset`. Raises `NotInStore`, at the latest when read."""

    def size(self, remote_id: str) -> int:
        """Size in bytes. Raises `NotInStore`."""

    def delete(self, remote_id: str) -> None:
        """Remove the file; an unknown id is no error."""

    def shares_path(self, path: Path, remote_id: str) -> bool:
        """Whether this path in the local cache is the stored file itself."""

    def shares_folder(self, root: Path) -> bool:
        """Whether this folder of the local cache is the store itself, so that both have the same files."""

    def url(self, remote_id: str, seconds: int) -> str | None:
        """Where others can fetch the file by HTTP, for at least `seconds`; None where the store has no HTTP."""

    def check(self) -> str:
        """One line about the store as it answers now. Raises `BackendError` when it does not."""
