"""Annotated images in archives: what other tools write, read and written again. No Django."""

from __future__ import annotations

from vision.formats.base import Contents, FormatError, Parsed, Writer
from vision.formats.coco import CocoWriter
from vision.formats.createml import CreateMlWriter
from vision.formats.csv_writer import CsvWriter, OneHotCsvWriter
from vision.formats.datumaro import DatumaroWriter
from vision.formats.folder import FolderWriter
from vision.formats.label_studio import LabelStudioWriter
from vision.formats.reading import FORMATS, read
from vision.formats.voc import VocWriter
from vision.formats.yolo import YoloWriter

WRITERS: dict[str, type[Writer]] = {
    "folder": FolderWriter,
    "coco": CocoWriter,
    "voc": VocWriter,
    "yolo": YoloWriter,
    "csv": CsvWriter,
    "csv_one_hot": OneHotCsvWriter,
    "createml": CreateMlWriter,
    "label_studio": LabelStudioWriter,
    "datumaro": DatumaroWriter,
}

__all__ = ["FORMATS", "WRITERS", "Contents", "FormatError", "Parsed", "Writer", "read"]
