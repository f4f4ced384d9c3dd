"""JSON files of any size: small ones are read whole, large ones item by item."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import BinaryIO

import ijson

from vision.formats.base import Contents, FormatError
from vision.formats.encodings import decode

WHOLE_BYTES = 8 << 20
DAMAGED = (ValueError, RecursionError, ijson.JSONError)


class JsonFile:
    """A JSON file whose top is an object or a list.

    Raises:
        FormatError: `damaged_annotations`, also while items are read.
    """

    def __init__(self, contents: Contents, name: str) -> None:
        self.name = name
        self._contents = contents
        self._document: object = None
        self._known: dict[str, bool] = {}
        self._has_mark = False
        self.encoding = ""
        self.is_whole = contents.size(name) <= WHOLE_BYTES
        if self.is_whole:
            text, self.encoding = decode(contents.content(name))
            try:
                self._document = json.loads(text)
            except DAMAGED as error:
                raise self._damaged(error) from error
            self.is_list = isinstance(self._document, list)
            self.is_object = isinstance(self._document, dict)
        else:
            first = contents.head(name).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
            self._has_mark = self._contents.head(name).startswith(codecs.BOM_UTF8)
            self.is_list, self.is_object = first == b"[", first == b"{"

    def first(self) -> object:
        """The first item of a list; None of an empty one."""
        return next(self.items(), None)

    def has(self, key: str) -> bool:
        """Whether an object has `key`; of a large one, whether it has something in a list or object there."""
        if isinstance(self._document, dict):
            return key in self._document
        if self.is_whole:
            return False
        if key not in self._known:
            is_there = any(True for _ in islice(self.items(key), 1)) or any(True for _ in islice(self.pairs(key), 1))
            self._known[key] = is_there
        return self._known[key]

    def has_list(self, key: str) -> bool:
        """Whether an object has a list at `key`."""
        if isinstance(self._document, dict):
            return isinstance(self._document.get(key), list)
        return not self.is_whole and any(True for _ in islice(self.items(key), 1))

    def value(self, key: str) -> object:
        """A small value of an object."""
        if self.is_whole:
            return self._document.get(key) if isinstance(self._document, dict) else None
        with self._stream() as stream:
            return next(iter(ijson.items(stream, key, use_float=True)), None)

    def items(self, key: str = "") -> Iterator[object]:
        """The items of the list at the top, or at `key` of an object."""
        if self.is_whole:
            rows = self._document.get(key) if key and isinstance(self._document, dict) else self._document
            yield from rows if isinstance(rows, list) else ()
            return
        try:
            with self._stream() as stream:
                yield from ijson.items(stream, f"{key}.item" if key else "item", use_float=True)
        except DAMAGED as error:
            raise self._damaged(error) from error

    def pairs(self, key: str = "") -> Iterator[tuple[str, object]]:
        """Keys and values of the object at the top, or at `key`."""
        if self.is_whole:
            rows = self._document.get(key) if key and isinstance(self._document, dict) else self._document
            yield from rows.items() if isinstance(rows, dict) else ()
            return
        try:
            with self._stream() as stream:
                yield from ijson.kvitems(stream, key, use_float=True)
        except DAMAGED as error:
            raise self._damaged(error) from error

    @contextmanager
    def _stream(self) -> Iterator[BinaryIO]:
        with self._contents.opened(self.name) as file:
            if self._has_mark:
                file.read(3)
            yield file

    def _damaged(self, error: Exception) -> FormatError:
        return FormatError("damaged_annotations", f"{self.name} is no JSON that can be read ({str(error)[:200]}).")
