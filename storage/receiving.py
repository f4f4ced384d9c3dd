"""Bodies that bring files, taken as they come from the socket: each byte is written once, where it belongs."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Protocol

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import InMemoryUploadedFile, UploadedFile
from django.http import HttpRequest, QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.http import parse_header_parameters
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser
from rest_framework.exceptions import ParseError

from storage import services
from storage.cache import Incoming
from storage.errors import FileTooLarge
from storage.uploads import StoredUpload

FORM = "multipart/form-data"
# Bodies of every type.
ANY = ""
# A form's fields and boundaries, beside its files.
FORM_BYTES = 4 << 20


class BodyReceiver(Protocol):
    """Takes a body piece by piece, in one thread at a time. `interrupt` or `attach` ends it, `close` always follows."""

    def write(self, chunk: bytes) -> None: ...

    def interrupt(self) -> None:
        """The rest does not come."""

    def attach(self, request: HttpRequest) -> None:
        """The whole has come: give it to the request that a view will see."""

    def close(self) -> None:
        """Forget what nobody took. May be called twice."""


@dataclass(frozen=True)
class FileBody:
    """Says of an action of a view that its body brings files, and may therefore be larger than others.

    Views list theirs by action in `file_bodies`.

    Attributes:
        open: `(request, user, keywords of the URL)` → who takes the body; None when the view refuses the request
            without it. Called for authenticated callers only.
        media_type: of such bodies, or `ANY`; any other body of the view is a small one.
        limit: the setting with the most bytes of all files together.
    """

    open: Callable[[HttpRequest, Any, Mapping[str, Any]], BodyReceiver | None]
    media_type: str = FORM
    limit: str = "MAX_UPLOAD_BYTES"

    @property
    def limit_bytes(self) -> int:
        return getattr(settings, self.limit) + FORM_BYTES


def open_form(request: HttpRequest, user: User, keywords: Mapping[str, Any]) -> FormReceiver:
    return FormReceiver(request.META.get("CONTENT_TYPE", ""), request.encoding or settings.DEFAULT_CHARSET)


def open_form_in_memory(request: HttpRequest, user: User, keywords: Mapping[str, Any]) -> FormReceiver:
    """For a view that only looks at what it gets: a small request touches no disk."""
    announced = request.META.get("CONTENT_LENGTH", "")
    is_small = announced.isdigit() and int(announced[:20]) <= settings.FILE_UPLOAD_MAX_MEMORY_SIZE
    form = open_form(request, user, keywords)
    form.in_memory = is_small
    return form


@dataclass
class Part:
    """One part of a form while it comes."""

    name: str
    filename: str | None
    content_type: str
    charset: str | None
    incoming: Incoming | None = None
    content: BytesIO | None = None
    size: int = 0


class FormReceiver:
    """A multipart form: files go to the cache's incoming folder and are hashed on the way, fields stay in memory.

    Raises, from `write` and `attach`: ParseError, FileTooLarge, InsufficientStorage.
    """

    def __init__(self, content_type: str, encoding: str) -> None:
        _, options = _parameters(content_type)
        boundary = options.get("boundary", "")
        if not boundary:
            raise ParseError("Multipart form parse error - Invalid boundary in multipart: None")
        self.in_memory = False
        self._encoding = encoding
        try:
            self._parser = MultipartParser(
                boundary.encode("ascii"),
                callbacks={
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._header_name,
                    "on_header_value": self._header_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._open_part,
                    "on_part_data": self._part_data,
                    "on_part_end": self._end_part,
                    "on_end": self._end,
                },
            )
        except (FormParserError, UnicodeEncodeError) as error:
            raise ParseError(f"Multipart form parse error - {error}") from error
        self._is_whole = False
        self._name, self._value = bytearray(), bytearray()
        self._headers: dict[str, str] = {}
        self._part: Part | None = None
        self._fields: list[tuple[str, str]] = []
        self._field_bytes = 0
        self._files: list[tuple[str, UploadedFile]] = []
        self._noted: list[tuple[str, str, str]] = []
        self._received = 0

    def write(self, chunk: bytes) -> None:
        self._received += len(chunk)
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise ParseError(f"Multipart form parse error - {error}") from error

    def interrupt(self) -> None:
        self.close()

    def attach(self, request: HttpRequest) -> None:
        if not self._is_whole and self._received:
            raise ParseError("Multipart form parse error - the last boundary is missing.")
        post = QueryDict(mutable=True, encoding=self._encoding)
        files: MultiValueDict[str, UploadedFile] = MultiValueDict()
        for name, value in self._fields:
            post.appendlist(name, value)
        for name, file in self._files:
            files.appendlist(name, file)
        post._mutable = False
        request._read_started = True  # type: ignore[attr-defined]
        request._post, request._files = post, files  # type: ignore[attr-defined]
        request.META["CONTENT_LENGTH"] = str(self._received)
        request.content_digest = _digest_of(self._noted)  # type: ignore[attr-defined]  # see content_digest

    def close(self) -> None:
        if self._part is not None and self._part.incoming is not None:
            self._part.incoming.discard()
        for _, file in self._files:
            file.close()

    # What the parser calls

    def _begin_part(self) -> None:
        self._headers = {}

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value.decode("utf-8", "replace").strip()
        self._name, self._value = bytearray(), bytearray()

    def _open_part(self) -> None:
        _, options = _parameters(self._headers.get("content-disposition", ""))
        if "name" not in options:
            raise ParseError("Multipart form parse error - a part has no name.")
        kind, parameters = _parameters(self._headers.get("content-type", ""))
        if self._headers.get("content-transfer-encoding", "binary").lower() not in ("binary", "8bit", "7bit"):
            raise ParseError("Multipart form parse error - send parts as they are, without a transfer encoding.")
        filename = self.filename_of(options)
        part = Part(options["name"], filename, kind, parameters.get("charset"))
        self._count(part)
        if filename is None or (self.in_memory and _base_name(filename)):
            part.content = BytesIO()
        elif _base_name(filename):  # a file input that was left empty is dropped
            part.incoming = services.receive()
        self._part = part

    def filename_of(self, options: Mapping[str, str]) -> str | None:
        """The file that a part brings, by what its Content-Disposition says; None: it is a field."""
        return options.get("filename")

    @property
    def files(self) -> list[UploadedFile]:
        return [file for _, file in self._files]

    def _count(self, part: Part) -> None:
        if part.filename is None and len(self._fields) >= settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:
            raise ParseError("The request has too many fields or too large ones.", code="request_too_large")
        if part.filename is not None and len(self._files) >= settings.DATA_UPLOAD_MAX_NUMBER_FILES:
            raise ParseError("Too many files in one request: send at most 1,000 at once.", code="too_many_files")

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        part, piece = self._part, data[start:end]
        assert part is not None  # its headers have been read
        part.size += len(piece)
        if part.filename is None:
            self._field_bytes += len(piece)
            if self._field_bytes > FORM_BYTES:
                raise ParseError("The request has too many fields or too large ones.", code="request_too_large")
        elif part.size > settings.MAX_UPLOAD_BYTES:
            raise FileTooLarge(f"A file may have at most {settings.MAX_UPLOAD_BYTES:,} bytes.")
        if part.incoming is not None:
            part.incoming.write(piece)
        elif part.content is not None:
            part.content.write(piece)

    def _end_part(self) -> None:
        part, self._part = self._part, None
        if part is None:
            return
        if part.filename is None:
            self._end_field(part)
        elif name := _base_name(part.filename):
            self._end_file(part, name)

    def _end_field(self, part: Part) -> None:
        assert part.content is not None
        content = part.content.getvalue()
        self._fields.append((part.name, content.decode(self._encoding, "replace")))
        self._note(part.name, "", hashlib.sha256(content).hexdigest())

    def _end_file(self, part: Part, name: str) -> None:
        file: UploadedFile
        if part.incoming is not None:
            file = StoredUpload(part.incoming, name, part.content_type, part.charset, {})
            sha256 = part.incoming.sha256
        else:
            assert part.content is not None
            sha256 = hashlib.sha256(part.content.getvalue()).hexdigest()
            part.content.seek(0)
            file = InMemoryUploadedFile(part.content, part.name, name, part.content_type, part.size, part.charset)
        self._files.append((part.name, file))
        self._note(part.name, name, sha256)

    def _note(self, name: str, filename: str, sha256: str) -> None:
        self._noted.append((name, filename, sha256))

    def _end(self) -> None:
        self._is_whole = True


def _parameters(header: str) -> tuple[str, dict]:
    try:
        return parse_header_parameters(header)
    except (LookupError, ValueError) as error:  # a parameter in an encoding that is none
        raise ParseError("Multipart form parse error - a header cannot be read.") from error


def content_digest(request: HttpRequest) -> str:
    """What makes two forms the same: names, values and the content of files, however their boundaries are written."""
    digest = getattr(request, "content_digest", None)
    if digest is not None:
        return digest
    parts = [
        (name, "", hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest())
        for name, values in request.POST.lists()
        for value in values
    ]
    for name, files in request.FILES.lists():
        for file in files:
            parts.append((name, file.name or "", getattr(file, "sha256", None) or _read_digest(file)))
    return _digest_of(parts)


def _read_digest(file: UploadedFile) -> str:
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    return digest


def _digest_of(parts: list[tuple[str, str, str]]) -> str:
    digest = hashlib.sha256()
    for word in (word for part in sorted(parts) for word in part):
        content = word.encode("utf-8", "surrogatepass")
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()


def _base_name(filename: str) -> str:
    """As Django cleans it: no folders, nothing that does not print."""
    name = html.unescape(filename).rsplit("/", 1)[-1].rsplit("\\", 1)[-1]
    name = "".join(char for char in name if char.isprintable())
    return "" if name in ("", ".", "..") else name
