"""The report of a job, page by page: lines of JSON in a file, from where the last page ended."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from io import SEEK_END
from typing import BinaryIO

from common.errors import NotFound

# A page ends here also when few lines fit: the next one goes on from there.
MOST_LINES_READ = 200_000
MAX_LINE_BYTES = 1 << 20
FIELDS = {"outcome": "", "filename": "", "code": "", "detail": "", "source": "", "line": 0, "image": None}


@dataclass(frozen=True)
class ReportPage:
    """Some lines, and where the next ones begin: None at the end."""

    lines: list[dict]
    next: int | None


def read_page(file: BinaryIO, start: int, size: int, wanted: dict[str, str]) -> ReportPage:
    """Up to `size` lines from byte `start` on whose fields are those that are `wanted`.

    Raises:
        NotFound: nothing begins there.
    """
    if start > file.seek(0, SEEK_END):
        raise NotFound("Invalid cursor.")
    file.seek(start)
    lines: list[dict] = []
    for _ in range(MOST_LINES_READ):
        line = file.readline(MAX_LINE_BYTES)
        if not line:
            return ReportPage(lines, None)
        row = _parsed(line)
        if row is not None and all(row[name] == value for name, value in wanted.items()):
            lines.append(row)
        if len(lines) == size:
            break
    position = file.tell()
    return ReportPage(lines, position if file.read(1) else None)


def _parsed(line: bytes) -> dict | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return {name: row.get(name, otherwise) for name, otherwise in FIELDS.items()} if isinstance(row, dict) else None


def encode_cursor(position: int) -> str:
    return base64.urlsafe_b64encode(str(position).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None) -> int:
    """Where a page begins. Raises `NotFound`."""
    if not cursor:
        return 0
    try:
        text = base64.urlsafe_b64decode(cursor[:40] + "=" * (-len(cursor[:40]) % 4)).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise NotFound("Invalid cursor.") from error
    if not (text.isdigit() and len(text) < 16):
        raise NotFound("Invalid cursor.")
    return int(text)
