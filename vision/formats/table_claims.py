"""What a line of a table says of an image, as every table says it."""

from __future__ import annotations

from vision.formats.base import (
    ending_of,
    folder_of,
    split_of_filename,
)
from vision.formats.claims import Claim
from vision.formats.collection import Collection
from vision.formats.table_rows import Row
from vision.words import counted

MOST_SWAPPED = 3


def say_broken(collection: Collection, source: str, row: Row, claims: dict[str, Claim]) -> None:
    said = row.cells[0]
    detail = (
        f"Line {row.line} has {counted(len(row.cells), 'field')}; path,x1,y1,x2,y2,label are expected, with numbers."
    )
    if len(row.cells) >= 2 and (ending_of(said) or said in claims or is_image_here(collection, source, said)):
        claim = claims.get(said) or claim_of(collection, source, said, row.line)
        claims[said] = claim
        collection.leave_out(claim, "incomplete_annotation", detail, row.line)
    else:
        collection.say("incomplete_annotation", detail, source, row.line)


def is_here(collection: Collection, source: str, row: Row) -> bool:
    return is_image_here(collection, source, row.cells[0])


def claim_of(
    collection: Collection,
    source: str,
    said: str,
    line: int,
    split: str | None = None,
    size: tuple[int, int] | None = None,
) -> Claim:
    split = split or split_of_filename(source)
    return collection.claim(GROUP, source, said, number=line, split=split, size=size)


GROUP = "csv"


def is_image_here(collection: Collection, source: str, name: str) -> bool:
    return collection.index.by_path(name, folder_of(source)).image is not None
