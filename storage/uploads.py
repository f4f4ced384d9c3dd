"""Uploads go straight into the blob cache: never whole in memory, hashed on the way, gone when not kept."""

from __future__ import annotations

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, MemoryFileUploadHandler

from storage import services
from storage.cache import Incoming
from storage.errors import FileTooLarge


class StoredUpload(UploadedFile):
    """An uploaded file that lies in the cache's incoming folder. Closing it forgets it unless it was kept."""

    def __init__(self, incoming: Incoming, name: str, content_type: str | None, charset, extra) -> None:
        incoming.flush()
        super().__init__(open(incoming.path, "rb"), name, content_type, incoming.size, charset, extra)  # noqa: SIM115
        self.incoming = incoming

    @property
    def sha256(self) -> str:
        return self.incoming.sha256

    def temporary_file_path(self) -> str:
        return str(self.incoming.path)

    def close(self) -> None:
        super().close()
        self.incoming.discard()


class BlobUploadHandler(FileUploadHandler):
    """Writes each part to the cache as it arrives."""

    chunk_size = 1 << 20

    def new_file(self, *args, **kwargs) -> None:
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


def memory_first(request) -> list[FileUploadHandler]:
    """For a view that only looks at what it gets: a small request (FILE_UPLOAD_MAX_MEMORY_SIZE) touches no disk."""
    return [MemoryFileUploadHandler(request), BlobUploadHandler(request)]
