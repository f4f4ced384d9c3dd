"""The lines of a table, with their numbers, whatever divides their cells."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from vision.formats.base import (
    FormatError,
    ending_of,
)

DECLARED = re.compile(r"\ufeff?\s*sep=(.)\s*?\r?\n", re.IGNORECASE)


@dataclass(frozen=True)
class Row:
    """The cells of a line without the spaces around them; `line` counts from 1, as an editor does."""

    cells: list[str]
    line: int


def all_rows(text: str) -> Iterator[Row]:
    return some_rows(text, None)


def some_rows(text: str, most: int | None, delimiter: str | None = None) -> Iterator[Row]:
    """The lines that have something in them."""
    csv.field_size_limit(1 << 24)
    before = 0
    if declared := DECLARED.match(text):  # the first line of Excel's, which is no row
        text, before = text[declared.end() :], 1
    delimiter = declared.group(1) if declared else delimiter or _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    count, above = 0, before
    while most is None or count < most:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise FormatError("damaged_annotations", f"Line {before + 1} cannot be read ({error}).") from error
        line, before = before + 1, reader.line_num + above
        if before > line:
            _check_quotes(cells, line, before, delimiter)
        cells = [cell.strip() for cell in cells]
        if any(cells):
            count += 1
            yield Row(cells, line)


def _check_quotes(cells: list[str], line: int, end: int, delimiter: str) -> None:
    """A name may have line ends; but one with whole lines of the table in it has a quote that nobody closed.

    Raises:
        FormatError
    """
    inside = [part for cell in cells for part in cell.splitlines()[1:]]
    if any(part.count(delimiter) >= max(1, len(cells) - 2) for part in inside):
        detail = f"A quote opens in line {line} and goes on to line {end}: which line says what cannot be told apart."
        raise FormatError("damaged_annotations", detail)


def _delimiter(text: str) -> str:
    """The sign that stands in each of the first lines and leaves names of images before it; of several, the one that
    stands there most often. Names may have some of these signs in them."""
    lines = [line for line in text[:20_000].splitlines() if line.strip()][:20]
    if not lines:
        return ","

    def score(sign: str) -> tuple[bool, int, int, bool]:
        counts = [line.count(sign) for line in lines]
        images = sum(bool(ending_of(_first_cell(line, sign))) for line in lines)
        return min(counts) > 0, images, min(counts), sign == ","

    return max((",", ";", "\t", "|"), key=score)


def _first_cell(line: str, delimiter: str) -> str:
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [""])[0].strip()
    except csv.Error:
        return ""
