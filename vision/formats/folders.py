"""A folder on a disk, read as an archive is."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from vision.formats.base import FormatError


class FolderContents:
    """The files below a folder, without hidden ones, as `Contents`. Links are not followed out of it."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self.ambiguous: set[str] = set()
        self._names = sorted(
            name
            for path in self._root.rglob("*")
            if path.is_file() and path.resolve().is_relative_to(self._root)
            if not (name := path.relative_to(self._root).as_posix()).startswith((".", "__MACOSX/")) and "/." not in name
        )

    @property
    def names(self) -> list[str]:
        return self._names

    def path(self, name: str) -> Path:
        return self._root / name

    def content(self, name: str) -> bytes:
        try:
            return self.path(name).read_bytes()
        except OSError as error:
            raise FormatError("unreadable_file", f"{name} cannot be read ({error.strerror}).") from error

    def opened(self, name: str) -> AbstractContextManager[BinaryIO]:
        return open(self.path(name), "rb")

    def size(self, name: str) -> int:
        return self.path(name).stat().st_size

    def head(self, name: str, count: int = 64) -> bytes:
        with self.opened(name) as file:
            return file.read(count)
