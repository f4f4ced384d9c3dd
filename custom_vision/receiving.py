"""Bodies with images as programs send them: parts of a form without a name, the image alone, or JSON with base64.

All of it is taken as it comes from the socket, in constant memory. A JSON batch may have half a gigabyte: the texts
named `contents` are decoded into files on their way, and what is left of it is a small document.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from rest_framework.request import Request

from custom_vision.base64_content import Base64Content
from custom_vision.errors import Refused
from custom_vision.wire import folded, json_of
from storage import services as storage
from storage.cache import Incoming
from storage.errors import FileTooLarge
from storage.receiving import ANY, FORM, BodyReceiver, FileBody, FormReceiver
from storage.uploads import StoredUpload

MOST_IMAGES = 64
READ_BYTES = 256 << 10
QUOTE_OR_ESCAPE = re.compile(rb'["\\]')
LONGEST_NAME = 32
Open = Callable[[HttpRequest, Any, Mapping[str, Any]], BodyReceiver]


class ImageForm(FormReceiver):
    """Every part is a file, whatever it is called."""

    def filename_of(self, options: Mapping[str, str]) -> str | None:
        return options.get("filename") or "image"

    def attach(self, request: HttpRequest) -> None:
        super().attach(request)
        request.received = self.files  # type: ignore[attr-defined]


class ImageAlone:
    """The body is the image."""

    def __init__(self) -> None:
        self._incoming: Incoming | None = None

    def write(self, chunk: bytes) -> None:
        if self._incoming is None:
            self._incoming = storage.receive()
        self._incoming.write(chunk)
        if self._incoming.size > settings.MAX_IMAGE_BYTES:
            raise FileTooLarge(f"An image may have at most {settings.MAX_IMAGE_BYTES:,} bytes.")

    def interrupt(self) -> None:
        self.close()

    def attach(self, request: HttpRequest) -> None:
        incoming = self._incoming
        files = [] if incoming is None else [StoredUpload(incoming, "image", request.content_type, None, {})]
        request.received = files  # type: ignore[attr-defined]
        request._read_started = True  # type: ignore[attr-defined]

    def close(self) -> None:
        if self._incoming is not None:
            self._incoming.discard()


class Batch:
    """A JSON document without its long texts.

    Attributes:
        data: the document with names in lower case.
    """

    def __init__(self, data: Any, contents: Mapping[str, Base64Content]) -> None:
        self.data: dict[str, Any] = data if isinstance(data, dict) else {}
        self._contents = contents

    def content(self, entry: Mapping[str, Any]) -> Base64Content | None:
        """What an entry has as `contents`."""
        return self._contents.get(str(entry.get("contents")))


class BatchReceiver:
    """Takes a JSON document apart while it comes. Each text named `contents` becomes a file, and a word stands for it.

    Raises, from `write` and `attach`: Refused, ParseError.
    """

    def __init__(self) -> None:
        self._document = bytearray()
        self._contents: dict[str, Base64Content] = {}
        self._mark = secrets.token_hex(8)
        self._text = b""  # the last text that was read, as far as it may be a name
        self._content = Base64Content()
        self._step: Callable[[bytes, int], int] = self._outside

    def write(self, chunk: bytes) -> None:
        position = 0
        while position < len(chunk):
            position = self._step(chunk, position)
        if len(self._document) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise Refused("BadRequestExceededBatchSize", "The batch has too much beside its images: send it in parts.")

    def _outside(self, chunk: bytes, position: int) -> int:
        end = chunk.find(b'"', position) + 1
        self._document += chunk[position : end or len(chunk)]
        if not end:
            return len(chunk)
        if self._text == b"contents" and self._document[-64:-1].rstrip().endswith(b":"):
            self._begin_content()
        else:
            self._text, self._step = b"", self._inside
        return end

    def _inside(self, chunk: bytes, position: int) -> int:
        match = QUOTE_OR_ESCAPE.search(chunk, position)
        end = len(chunk) if match is None else match.end()
        self._document += chunk[position:end]
        text_end = end if match is None else match.start()
        self._text += chunk[position : min(text_end, position + LONGEST_NAME)]
        self._text = self._text[:LONGEST_NAME]
        if match is not None and match[0] == b"\\":
            self._step = self._escaped
        elif match is not None:
            self._text, self._step = self._text.lower(), self._outside
        return end

    def _escaped(self, chunk: bytes, position: int) -> int:
        self._document += chunk[position : position + 1]
        self._step = self._inside
        return position + 1

    def _begin_content(self) -> None:
        if len(self._contents) >= MOST_IMAGES:
            raise Refused("BadRequestExceededBatchSize", f"At most {MOST_IMAGES} images are taken at once.")
        self._content = Base64Content()
        name = f"{self._mark}{len(self._contents)}"
        self._contents[name] = self._content
        self._document += name.encode()
        self._text, self._step = b"", self._in_content

    def _in_content(self, chunk: bytes, position: int) -> int:
        end = chunk.find(b'"', position)
        self._content.write(chunk[position : len(chunk) if end < 0 else end])
        if end < 0:
            return len(chunk)
        self._content.finish()
        self._document += b'"'
        self._step = self._outside
        return end + 1

    def interrupt(self) -> None:
        self.close()

    def attach(self, request: HttpRequest) -> None:
        content = bytes(self._document).strip()
        request.received = Batch(folded(json_of(content)) if content else {}, self._contents)  # type: ignore[attr-defined]
        request._read_started = True  # type: ignore[attr-defined]

    def close(self) -> None:
        for content in self._contents.values():
            content.discard()


def open_images(request: HttpRequest, user: User, keywords: Mapping[str, Any]) -> BodyReceiver:
    if request.content_type == FORM:
        return ImageForm(request.META.get("CONTENT_TYPE", ""), request.encoding or settings.DEFAULT_CHARSET)
    return ImageAlone()


def open_batch(request: HttpRequest, user: User, keywords: Mapping[str, Any]) -> BodyReceiver:
    return BatchReceiver()


IMAGES = FileBody(open_images, ANY)
ONE_IMAGE = FileBody(open_images, ANY, limit="MAX_IMAGE_BYTES")
BATCH = FileBody(open_batch, ANY)


@contextmanager
def received(request: Request, body: FileBody) -> Iterator[Any]:
    """What came: files, or a `Batch`. Where no server has received it, the body is read here."""
    raw = request._request
    if hasattr(raw, "received"):
        yield raw.received
        return
    receiver = body.open(raw, request.user, {})
    assert receiver is not None
    try:
        for chunk in iter(lambda: raw.read(READ_BYTES), b""):
            receiver.write(chunk)
        receiver.attach(raw)
        yield raw.received  # type: ignore[attr-defined]
    finally:
        receiver.close()
