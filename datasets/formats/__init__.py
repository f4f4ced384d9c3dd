"""Annotated images in archives: what other tools write, read and written again. No Django."""

from __future__ import annotations

from collections.abc import Callable

from datasets.formats import coco, csv_pair, folder, voc, yolo
from datasets.formats.base import Contents, FormatError, Parsed, Writer

READERS: dict[str, Callable[[Contents], Parsed]] = {
    "folder": folder.read,
    "coco": coco.read,
    "voc": voc.read,
    "yolo": yolo.read,
    "csv": csv_pair.read,
}
WRITERS: dict[str, type[Writer]] = {
    "folder": folder.FolderWriter,
    "coco": coco.CocoWriter,
    "voc": voc.VocWriter,
    "yolo": yolo.YoloWriter,
    "csv": csv_pair.CsvWriter,
}
# The most telling signs first: a folder of images is what remains.
_RECOGNISE = {"coco": coco.is_it, "yolo": yolo.is_it, "csv": csv_pair.is_it, "voc": voc.is_it}


def recognise(contents: Contents) -> str:
    """The name of the format that an archive has; `folder` when it has no annotation files."""
    return next((name for name, is_it in _RECOGNISE.items() if is_it(contents)), "folder")


def read(contents: Contents, name: str = "auto") -> Parsed:
    """What an archive says about its images.

    Args:
        name: a key of `READERS`, or `auto`.

    Raises:
        FormatError: an annotation file that all others depend on cannot be read.
    """
    if name == "auto":
        name = recognise(contents)
    parsed = READERS[name](contents)
    parsed.format = name
    return parsed


__all__ = ["READERS", "WRITERS", "Contents", "FormatError", "Parsed", "Writer", "read", "recognise"]
