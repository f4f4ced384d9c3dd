"""Archives for tests of formats: files by name, read without a database and without a process of its own."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass

from vision.formats import WRITERS, read
from vision.formats.base import Exported, ImportWarning, Record
from vision.formats.texts import ZipTexts

PHOTO = b"\xff\xd8\xff\xe0"  # how a JPEG begins: readers look no further
MAX_BYTES = 1 << 28


@dataclass
class Read:
    """What a reader says of an archive."""

    records: dict[str, Record]
    labels: list[str]
    remarks: list[ImportWarning]
    format: str
    unread: list[str]

    def codes(self) -> set[str]:
        return {remark.code for remark in self.remarks}

    def boxes(self, path: str) -> list[tuple[str, list[float]]]:
        """Label and rounded edges of each box, sorted."""
        marks = self.records[path].marks
        return sorted((mark.label, [round(edge, 3) for edge in mark.box or ()]) for mark in marks)

    def is_open(self, path: str) -> bool:
        """Whether an image waits for annotations: it is no empty one."""
        record = self.records[path]
        return not record.marks and (not record.is_annotated or record.left_out > 0)


def zipped(files: dict[str, bytes | str]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def read_content(content: bytes, format: str = "auto", encoding: str = "") -> Read:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parsed = read(ZipTexts(archive, MAX_BYTES, encoding), format)
        records = {record.path: record for record in parsed.records}
        return Read(records, parsed.labels, list(parsed.remarks), parsed.format, parsed.unread)


def read_files(files: dict[str, bytes | str], format: str = "auto") -> Read:
    """Names whose content is `b""` are images."""
    return read_content(zipped({name: PHOTO if content == b"" else content for name, content in files.items()}), format)


def written(format: str, labels: list[str], images: list[Exported]) -> bytes:
    """An archive as an export writes it."""
    writer = WRITERS[format](labels)
    files: dict[str, bytes] = {}
    for image in images:
        files[writer.image_path(image)] = PHOTO
        files |= dict(writer.add(image))
    return zipped(files | dict(writer.finish()))
