"""Remarks on an archive: each kind once, with a count and examples."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import astuple

from vision.formats.base import (
    ImportWarning,
)

INCOMPLETE = (
    "The archive has images for {present}, and none for {absent}: these are drawn from train when a snapshot is taken. "
    "Choose the images' splits yourself if you want others."
)


def no_annotations(image: str) -> ImportWarning:
    return ImportWarning(image, "no_annotations", "No annotation file speaks of this image; it is kept unlabelled.")


def about_splits(splits: Iterable[str], count: int) -> str | None:
    """A sentence when all images have splits and one of the three has none of them."""
    named = list(splits)
    present = [split for split in ("train", "validation", "test") if split in named]
    absent = [split for split in ("train", "validation", "test") if split not in named]
    if not named or not absent or len(named) < count:
        return None
    return INCOMPLETE.format(present=" and ".join(present), absent=" and ".join(absent))


class RemarkLog:
    """Remarks in a file of their own, so that a million of them take no memory."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8", dir=".")  # noqa: SIM115 - as long as this

    def add(self, remark: ImportWarning) -> None:
        self._file.write(json.dumps(astuple(remark)) + "\n")

    def __iter__(self) -> Iterator[ImportWarning]:
        self._file.seek(0)
        for line in self._file:
            yield ImportWarning(*json.loads(line))
        self._file.seek(0, 2)
