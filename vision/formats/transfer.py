"""What an archive says, as lines of JSON: written in the sandbox, read by who imports it, one record at a time.

What comes from the sandbox is not believed more than the archive itself: every value is checked when it is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple
from itertools import islice
from pathlib import Path
from typing import IO

from vision.formats.base import UNSTORABLE, FormatError, ImportWarning, Parsed, ParsedAnnotation, Record

HEAD, RECORDS, REMARKS = "head.json", "records.jsonl", "remarks.jsonl"
MAX_LINE_BYTES = 64 << 20
MAX_LABELS = 100_000
MAX_UNREAD = 100
Edges = tuple[float, float, float, float]


class BrokenTransfer(Exception):
    """The lines are not what `write` writes."""


def write(parsed: Parsed, folder: Path) -> None:
    """Write three files; the head comes last, so that where it is the others are whole."""
    with open(folder / RECORDS, "w", encoding="utf-8") as file:
        for record in parsed.records:
            sources = list(dict.fromkeys(mark.source for mark in record.marks))
            marks = [
                [mark.label, mark.box, mark.is_relative, sources.index(mark.source), mark.number]
                for mark in record.marks
            ]
            _line(file, [record.path, marks, record.split, record.is_annotated, record.size, record.left_out, sources])
    with open(folder / REMARKS, "w", encoding="utf-8") as file:
        for remark in parsed.remarks:
            _line(file, astuple(remark))
    head = {
        "format": parsed.format,
        "labels": parsed.labels,
        "records": parsed.count,
        "unread": parsed.unread[:MAX_UNREAD],
        "holds": parsed.holds,
    }
    (folder / HEAD).write_text(json.dumps(head))


def write_error(code: str, detail: str, folder: Path) -> None:
    (folder / HEAD).write_text(json.dumps({"error": [code, detail[:2000]]}))


def _line(file: IO[str], value: object) -> None:
    file.write(json.dumps(value) + "\n")


class Transferred:
    """What was written in a folder.

    Raises:
        FormatError: what the reader said is wrong with the archive.
        BrokenTransfer
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with _checked():
            head = json.loads(_read_limited(folder / HEAD))
            if "error" in head:
                code, detail = head["error"]
                raise FormatError(_text(code, 50), _text(detail, 2000))
            self.format = _text(head["format"], 20)
            self.labels = [_text(label) for label in head["labels"]]
            self.count = int(head["records"])
            self.unread = [_text(name) for name in head["unread"]]
            self.holds = {key: int(head["holds"][key]) for key in ("boxes", "whole")}

    def records(self, start: int = 0) -> Iterator[Record]:
        for row in self._rows(RECORDS, start):
            with _checked():
                path, marks, split, is_annotated, size, left_out, sources = row
                sources = [_text(source) for source in sources]
                record = Record(
                    _text(path), [_mark(mark, sources) for mark in marks], _split(split), bool(is_annotated)
                )
                record.left_out = int(left_out)
                record.size = None if size is None else (int(size[0]), int(size[1]))
            yield record

    def remarks(self) -> Iterator[ImportWarning]:
        for row in self._rows(REMARKS, 0):
            with _checked():
                filename, code, detail, source, number = row
                remark = ImportWarning(_text(filename), _text(code, 50), _text(detail), _text(source), int(number))
            yield remark

    def _rows(self, name: str, start: int) -> Iterator[list]:
        with open(self._folder / name, "rb") as file:
            lines = iter(lambda: file.readline(MAX_LINE_BYTES), b"")
            for line in islice(lines, start, None):
                with _checked():
                    row = json.loads(line)
                yield row


@contextmanager
def _checked() -> Iterator[None]:
    """Whatever a wrong value does to the code that takes it apart is one error."""
    try:
        yield
    except FormatError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, RecursionError, OverflowError) as error:
        raise BrokenTransfer(str(error)) from error


def _read_limited(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(MAX_LINE_BYTES)


def _text(value: object, most: int = 100_000) -> str:
    if not isinstance(value, str) or len(value) > most:
        raise TypeError("not a text of a sensible length")
    return UNSTORABLE.sub("\ufffd", value)


def _split(value: object) -> str | None:
    if value not in (None, "train", "validation", "test"):
        raise ValueError(f"{value!r} is no split")
    return value


def _mark(row: list, sources: list[str]) -> ParsedAnnotation:
    label, box, is_relative, source, number = row
    edges: Edges | None = None
    if box is not None:
        x_min, y_min, x_max, y_max = (float(edge) for edge in box)
        edges = (x_min, y_min, x_max, y_max)
    return ParsedAnnotation(_text(label), edges, bool(is_relative), sources[int(source)], int(number))
