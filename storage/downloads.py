"""Answering with a blob: ETag, conditional and ranged requests (RFC 9110), constant memory."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from django.core.handlers.asgi import ASGIRequest
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.http import content_disposition_header

from storage.backends.base import CHUNK_BYTES
from storage.fetching import is_here, start_fetch
from storage.models import Blob
from storage.services import again_if_dropped, local_cache, path_of, touch

RANGE = re.compile(r"^bytes=([0-9]{0,18})-([0-9]{0,18})\Z")
ASK_SECONDS = 3.0
INLINE_TYPES = (
    "image/jpeg",
    "image/png",
    "image/webp",
    "image/gif",
    "image/bmp",
    "text/plain",
    "application/json",
    "video/mp4",
    "video/webm",
    "video/quicktime",
)


def blob_response(request: HttpRequest, blob: Blob, filename: str, *, private: bool = True) -> HttpResponseBase:
    """The blob's bytes as `filename`. Only types a browser shows without executing anything are inline."""
    cache = local_cache()
    touch([blob])
    if is_here(cache, blob):
        with suppress(FileNotFoundError):  # dropped at this moment
            return file_response(request, cache.path(blob.sha256), blob.sha256, blob.content_type, filename)
    if request.method == "GET" and "Range" not in request.headers and "If-None-Match" not in request.headers:
        return _while_it_comes(request, blob, filename)
    return again_if_dropped(lambda: file_response(request, path_of(blob), blob.sha256, blob.content_type, filename))


def _while_it_comes(request: HttpRequest, blob: Blob, filename: str) -> HttpResponseBase:
    """A file that only the store has: its first bytes leave before its last have come.

    Raises:
        BlobMissing: nothing of it comes.
    """
    chunks = start_fetch(blob, local_cache()).read_growing()
    first = next(chunks, b"")
    whole = _while_valid(request, itertools.chain([first], chunks))
    response = StreamingHttpResponse(_as_async(whole) if _is_async(request) else whole)
    response["Content-Length"] = str(blob.size)
    return _described(response, f'"{blob.sha256}"', blob.content_type, filename)


def file_response(request: HttpRequest, path: Path, tag: str, content_type: str, filename: str) -> HttpResponseBase:
    etag = f'"{tag}"'
    if _matches(request.headers.get("If-None-Match", ""), etag):
        return _with_headers(HttpResponse(status=304), etag)
    size = path.stat().st_size
    asked = _range(request, etag, size)
    if asked == ():
        response: HttpResponseBase = HttpResponse(status=416)
        response["Content-Range"] = f"bytes */{size}"
        return _with_headers(response, etag)
    start, end = asked or (0, size - 1)
    length = end - start + 1
    if request.method == "HEAD":
        response = HttpResponse(status=206 if asked else 200)
    else:
        response = StreamingHttpResponse(_stream(request, path, start, length), status=206 if asked else 200)
    if asked:
        response["Content-Range"] = f"bytes {start}-{end}/{size}"
    response["Content-Length"] = str(length)
    return _described(response, etag, content_type, filename)


def _described(response: HttpResponseBase, etag: str, content_type: str, filename: str) -> HttpResponseBase:
    response["Content-Type"] = content_type
    disposition = content_disposition_header(content_type not in INLINE_TYPES, _safe(filename))
    response["Content-Disposition"] = disposition or "attachment"
    return _with_headers(response, etag)


def _with_headers(response: HttpResponseBase, etag: str) -> HttpResponseBase:
    response["ETag"] = etag
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, max-age=3600"
    # Who logs in at the same browser later is asked about again, and not shown what it has kept of somebody else.
    patch_vary_headers(response, ["Cookie", "Authorization"])
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _matches(header: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return etag in tags or "*" in tags


def _range(request: HttpRequest, etag: str, size: int) -> tuple[int, int] | tuple[()] | None:
    """`(first, last)`; `()` when it cannot be satisfied; None for the whole file (also for several ranges)."""
    header = request.headers.get("Range")
    if not header or request.headers.get("If-Range", etag) != etag:
        return None
    match = RANGE.match(header.strip())
    if not match or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        wanted = int(last)
        return (max(0, size - wanted), size - 1) if wanted and size else ()
    start = int(first)
    end = min(int(last), size - 1) if last else size - 1
    if start >= size:
        return ()
    return (start, end) if start <= end else None


def _stream(request: HttpRequest, path: Path, start: int, length: int) -> Iterator[bytes] | AsyncIterator[bytes]:
    chunks = _while_valid(request, _read(open(path, "rb"), start, length))  # noqa: SIM115 - closed by what reads it
    return _as_async(chunks) if _is_async(request) else chunks


def _is_async(request: HttpRequest) -> bool:
    # Django reads a plain iterator to its end into memory under ASGI, and an async one under WSGI.
    return isinstance(request, ASGIRequest) or isinstance(getattr(request, "_request", None), ASGIRequest)


def _read(opened: BinaryIO, start: int, length: int) -> Generator[bytes, None, None]:
    with opened as file:
        file.seek(start)
        while length > 0 and (chunk := file.read(min(CHUNK_BYTES, length))):
            length -= len(chunk)
            yield chunk


def _while_valid(request: HttpRequest, chunks: Iterable[bytes]) -> Generator[bytes, None, None]:
    """The chunks, as long as the way in that was used is open: a token that is revoked ends a long download too.

    What is broken off is shorter than its announced length, so nobody takes it for the whole.
    """
    stands = getattr(getattr(request, "_request", request), "is_still_valid", None)
    asked_at = time.monotonic()
    try:
        for chunk in chunks:
            if stands is not None and time.monotonic() - asked_at > ASK_SECONDS:
                if not _ask(stands):
                    return
                asked_at = time.monotonic()
            yield chunk
    finally:
        if isinstance(chunks, Generator):
            chunks.close()


def _ask(stands: Callable[[], bool]) -> bool:
    try:
        return stands()
    finally:
        if not connection.in_atomic_block:
            connection.close()  # this thread is anybody's


async def _as_async(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    try:
        while chunk := await asyncio.to_thread(next, chunks, b""):
            yield chunk
    finally:
        if isinstance(chunks, Generator):
            chunks.close()


def _safe(filename: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f/\\]", "_", filename)[:200] or "file"
