"""Annotated images in archives: what other tools write, read and written again. No Django."""

from __future__ import annotations

from datasets.formats.base import Contents, FormatError, Parsed, Writer
from datasets.formats.coco import CocoWriter
from datasets.formats.createml import CreateMlWriter
from datasets.formats.datumaro import DatumaroWriter
from datasets.formats.folder import FolderWriter
from datasets.formats.label_studio import LabelStudioWriter
from datasets.formats.reading import FORMATS, read
from datasets.formats.tables import CsvWriter
from datasets.formats.voc import VocWriter
from datasets.formats.yolo import YoloWriter

WRITERS: dict[str, type[Writer]] = {
    "folder": FolderWriter,
    "coco": CocoWriter,
    "voc": VocWriter,
    "yolo": YoloWriter,
    "csv": CsvWriter,
    "createml": CreateMlWriter,
    "label_studio": LabelStudioWriter,
    "datumaro": DatumaroWriter,
}

__all__ = ["FORMATS", "WRITERS", "Contents", "FormatError", "Parsed", "Writer", "read"]
