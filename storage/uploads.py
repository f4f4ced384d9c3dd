"""Uploads go straight into the blob cache: never whole in memory, hashed on the way, gone when not kept."""

from __future__ import annotations

from typing import IO, Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, MemoryFileUploadHandler
from django.http import HttpRequest

from storage import services
from storage.cache import Incoming
from storage.errors import FileTooLarge


class StoredUpload(UploadedFile):
    """An uploaded file that lies in the cache's incoming folder. Closing it forgets it unless it was kept."""

    _file: IO[bytes] | None

    def __init__(
        self, incoming: Incoming, name: str, content_type: str | None, charset: str | None, extra: dict | None
    ) -> None:
        incoming.finish()
        self.incoming = incoming
        super().__init__(None, name, content_type, incoming.size, charset, extra)

    @property
    def file(self) -> IO[bytes] | None:
        """Opened when somebody reads: a request may bring more files than a process may have open."""
        if self._file is None and self.incoming.path.exists():
            self._file = open(self.incoming.path, "rb")  # noqa: SIM115 - closed with the upload
        return self._file

    @file.setter
    def file(self, value: IO[bytes] | None) -> None:
        self._file = value

    @property
    def sha256(self) -> str:
        return self.incoming.sha256

    def temporary_file_path(self) -> str:
        return str(self.incoming.path)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        self.incoming.discard()


class BlobUploadHandler(FileUploadHandler):
    """Writes each part to the cache as it arrives."""

    chunk_size = 1 << 20

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._incoming = services.receive()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start + len(raw_data) > settings.MAX_UPLOAD_BYTES:
            self._incoming.discard()
            raise FileTooLarge(f"A file may have at most {settings.MAX_UPLOAD_BYTES:,} bytes.")
        try:
            self._incoming.write(raw_data)
        except OSError:
            self._incoming.discard()
            raise

    def file_complete(self, file_size: int) -> StoredUpload:
        return StoredUpload(
            self._incoming, self.file_name or "", self.content_type, self.charset, self.content_type_extra
        )

    def upload_interrupted(self) -> None:
        incoming = getattr(self, "_incoming", None)
        if incoming is not None:
            incoming.discard()


def memory_first(request: HttpRequest) -> list[FileUploadHandler]:
    """For a view that only looks at what it gets: a small request (FILE_UPLOAD_MAX_MEMORY_SIZE) touches no disk."""
    return [MemoryFileUploadHandler(request), BlobUploadHandler(request)]
