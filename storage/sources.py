"""Files that lie in a store already, as input: an archive, or everything under a prefix.

Only what configuration allows can be reached; nothing else is opened, no file, no HTTP address.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings

from common.errors import StudioError
from fastdfs import FileId, InvalidFileId
from storage.backends import BackendError, NotInStore, backend_named
from storage.cache import Incoming

if TYPE_CHECKING:
    from storage.backends.s3 import S3Backend

S3_URL = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<key>[^\x00-\x1f]{0,1000})\Z")
Progress = Callable[[int, int], None]


class SourceRefused(StudioError):
    """A source that is not understood or not allowed; `code` says which."""


@dataclass(frozen=True)
class Source:
    """A checked address. `is_folder` of a prefix in S3, whose objects are imported one by one."""

    url: str
    bucket: str = ""
    key: str = ""
    file_id: FileId | None = None

    @property
    def is_folder(self) -> bool:
        return bool(self.bucket) and not self.key.lower().endswith(".zip")

    @property
    def folder(self) -> str:
        """The part of the key up to its last slash: names of files begin behind it."""
        return self.key[: self.key.rfind("/") + 1]


def parse_source(url: str) -> Source:
    """`s3://bucket/prefix`, `s3://bucket/file.zip` or `fastdfs://group1/M00/…`, when configuration allows it.

    Raises:
        SourceRefused: `bad_source`, `source_not_allowed`.
    """
    if match := S3_URL.match(url):
        bucket, key = match["bucket"], match["key"]
        if not any(_covers(allowed, f"{bucket}/{key}") for allowed in _listed(settings.IMPORT_BUCKETS)):
            raise SourceRefused(
                f"The bucket {bucket} is not open for imports (MLSTUDIO_IMPORT_BUCKETS).",
                code="source_not_allowed",
            )
        return Source(url, bucket=bucket, key=key)
    if url.startswith("fastdfs://"):
        try:
            file_id = FileId.parse(url.removeprefix("fastdfs://"))
        except InvalidFileId as error:
            raise SourceRefused(f"This is no file id: {error}.", code="bad_source") from error
        if file_id.group not in _listed(settings.IMPORT_GROUPS):
            raise SourceRefused(
                f"The group {file_id.group} is not open for imports (MLSTUDIO_IMPORT_GROUPS).",
                code="source_not_allowed",
            )
        return Source(url, file_id=file_id)
    raise SourceRefused(
        "A source is s3://bucket/prefix, s3://bucket/file.zip or fastdfs://group1/M00/….", code="bad_source"
    )


def _listed(text: str) -> list[str]:
    return [part.strip().strip("/") for part in text.split(",") if part.strip()]


def _covers(allowed: str, path: str) -> bool:
    """`bucket` allows all of it, `bucket/a` what lies below a/."""
    return (path.rstrip("/") + "/").startswith(allowed + "/")


def receive_source(source: Source, target: Incoming, on_progress: Progress) -> None:
    """Write an archive to `target`.

    Raises:
        NotInStore, BackendError, SourceRefused: nothing there; the store's trouble; too much.
    """
    if source.file_id is not None:
        chunks = backend_named("fastdfs").read(str(source.file_id))
        _copy(chunks, target, source.file_id.size or 0, on_progress)
        return
    backend = bucket_of(source)
    size = backend.size(source.key)
    if size > settings.MAX_UPLOAD_BYTES:
        raise SourceRefused(f"The archive has more than {settings.MAX_UPLOAD_BYTES:,} bytes.", code="file_too_large")
    _copy(backend.read(source.key), target, size, on_progress)


def _copy(chunks: Iterable[bytes], target: Incoming, size: int, on_progress: Progress) -> None:
    for chunk in chunks:
        target.write(chunk)
        if target.size > settings.MAX_UPLOAD_BYTES:
            raise SourceRefused(f"The file has more than {settings.MAX_UPLOAD_BYTES:,} bytes.", code="file_too_large")
        on_progress(target.size, max(size, target.size))


def list_folder(source: Source) -> list[tuple[str, int]]:
    """Keys and sizes of all objects below a prefix, in the order of the keys.

    Raises:
        NotInStore, BackendError, SourceRefused: nothing there; the store's trouble; too many.
    """
    objects = bucket_of(source).listed(source.key, limit=settings.MAX_ARCHIVE_ENTRIES + 1)
    if not objects:
        raise NotInStore(f"there is nothing under {source.url}")
    if len(objects) > settings.MAX_ARCHIVE_ENTRIES or sum(size for _, size in objects) > settings.MAX_ARCHIVE_BYTES:
        raise SourceRefused(
            f"There are more than {settings.MAX_ARCHIVE_ENTRIES:,} files or {settings.MAX_ARCHIVE_BYTES:,} bytes under "
            "this prefix. Import its parts.",
            code="source_too_large",
        )
    return objects


def bucket_of(source: Source) -> S3Backend:
    """The bucket of an `s3://` source, on the server that the S3 settings name."""
    try:
        from storage.backends.s3 import S3Backend, make_client
    except ImportError as error:
        raise BackendError("boto3 is not installed") from error
    return S3Backend(make_client(settings), source.bucket)
