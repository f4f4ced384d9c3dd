"""A folder of a bucket as the format readers see it; each image is read when its turn comes."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

from django.conf import settings

from datasets.examining import too_large
from storage.backends import BackendError, NotInStore
from storage.sources import Source, bucket_of, list_folder
from vision.formats import FormatError
from vision.formats.texts import is_junk, too_many
from vision.imaging.preprocessing import ImageError


class BucketContents:
    """The objects below a prefix: names relative to its folder, without junk, in the order of their keys.

    The list is kept in a file, so that a job that is taken up again sees the same one.

    Raises:
        SourceRefused, NotInStore, BackendError.
    """

    repeated: list[str] = []
    guessed_encoding = ""

    def __init__(self, source: Source, listing: Path) -> None:
        self._bucket = bucket_of(source)
        self._source = source
        if not listing.exists():
            listing.parent.mkdir(parents=True, exist_ok=True)
            unfinished = listing.with_name(f"{listing.name}.{uuid.uuid4().hex}")
            unfinished.write_text(json.dumps(list_folder(source)))
            unfinished.replace(listing)
        base = source.folder
        rows = [(key.removeprefix(base), size) for key, size in json.loads(listing.read_text())]
        self.entries: dict[str, int] = {name: size for name, size in rows if name and not is_junk(name)}

    @property
    def names(self) -> list[str]:
        return list(self.entries)

    def remote_id(self, name: str) -> str:
        """Where the object is, as the `linked` store names it."""
        return f"{self._source.bucket}/{self._source.folder}{name}"

    def content(self, name: str) -> bytes:
        """An annotation file. Raises `FormatError`, `TooManyAnnotations`."""
        return self._annotations(name, settings.MAX_ANNOTATION_BYTES)

    def head(self, name: str, count: int = 64) -> bytes:
        """The first bytes of an object."""
        try:
            return next(iter(self._bucket.read(self._source.folder + name)), b"")[:count]
        except BackendError:
            return b""

    def size(self, name: str) -> int:
        return self.entries[name]

    def _annotations(self, name: str, limit: int) -> bytes:
        try:
            return self._read(name, limit)
        except ImageError as error:  # it has grown since it was listed
            raise too_many(settings.MAX_ANNOTATION_BYTES) from error
        except BackendError as error:
            raise FormatError("damaged_annotations", f"{name} cannot be read from the bucket ({error}).") from error

    def refusal(self, name: str) -> tuple[str, str] | None:
        if self.entries[name] > settings.MAX_IMAGE_BYTES:
            return too_large().code, str(too_large())
        return None

    def read(self, name: str) -> bytes:
        """An image.

        Raises:
            ImageError: the object is gone, or has grown too large; `BackendError` when the store does not answer.
        """
        try:
            return self._read(name, settings.MAX_IMAGE_BYTES)
        except NotInStore as error:
            raise ImageError("missing_object", "The object has left the bucket meanwhile.") from error

    def _read(self, name: str, limit: int) -> bytes:
        content = bytearray()
        for chunk in self._bucket.read(self._source.folder + name):
            content += chunk
            if len(content) > limit:
                raise too_large()
        return bytes(content)
