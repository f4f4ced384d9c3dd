"""Annotation files that are not read: which they are, why, and whether they speak of images that are here."""

from __future__ import annotations

import math
from collections.abc import Sequence

from vision.formats import not_read, yolo
from vision.formats.base import TEXT_SUFFIXES, UNKNOWN_BYTES, Contents, folder_of, folders_around
from vision.formats.collection import Collection
from vision.formats.encodings import decode, lines_of
from vision.formats.files import PACKED_ENDINGS, Files
from vision.formats.mentions import is_named_after_image, mentioned, names_most
from vision.formats.shapes import number
from vision.words import counted

READ = (
    "Read are COCO, Pascal VOC, YOLO, CSV (keras-retinanet, TensorFlow, Open Images, labels of whole images), "
    "CreateML, Label Studio, LabelMe, VIA, CVAT for images and Datumaro."
)
SHOWN_UNREAD = 100
SAMPLE_BYTES = 100_000


class UnreadFiles:
    """Gathers them, and says at the end which they were.

    Attributes:
        about_images: those that speak of images that are here, as far as anybody asks.
    """

    def __init__(self, contents: Contents, files: Files, collection: Collection) -> None:
        self._contents = contents
        self._files = files
        self._collection = collection
        self.about_images: list[str] = []
        self._numbered: dict[str, str] = {}  # folder → the list in it that gives images numbers
        self._reasons: dict[str, str] = {}  # why a file is not read, where that is known

    def add(self, path: str, *, is_about_images: bool = False, reason: str = "") -> None:
        """A file that is not read. Whether it speaks of images is looked up where it is not said."""
        self._collection.unread.append(path)
        if reason:
            self._reasons[path] = reason
        if is_about_images or (not self.about_images and self.may_be_about_images(path)):
            self.about_images.append(path)

    def find_numbers(self, path: str, rows: Sequence[str]) -> None:
        """Note a list that gives images numbers."""
        if not_read.is_list_by_number(self._collection.index, rows):
            self._numbered[folder_of(path)] = path

    def reason(self, path: str, rows: Sequence[str], has_image: bool) -> str:
        """What a text is, where its format is known and not read."""
        numbers = next((self._numbered[folder] for folder in folders_around(path) if folder in self._numbered), "")
        if numbers and path != numbers and not has_image and not_read.begin_with_numbers(rows):
            return not_read.BY_NUMBER.format(list=numbers)
        return not_read.reason(rows)

    def speaks_of_images(self, path: str, rows: Sequence[str]) -> bool:
        """Whether a text is named after an image, names images in its lines, or is a table of numbers."""
        sample = rows[:20]
        named = sum(
            self._collection.index.has_stem(row.rpartition(" ")[0].replace('"', "")) for row in sample if " " in row
        )
        index = self._collection.index
        mentions = sum(mentioned(index, row) for row in sample)
        return (
            is_named_after_image(index, path)
            or max(named, mentions) * 2 > len(sample)
            or (mentions > 1 and mentions * 2 == len(sample))  # below a line or two that say what stands there
            or (mentions > 0 and yolo.is_label_file(rows))  # names of images, and boxes below each
            or all(map(_is_numbers, sample))
        )

    def is_text_about_images(self, path: str) -> bool:
        """Whether a file of an unknown ending is a text that speaks of images, as JSON by lines in `.odgt` does."""
        head = self._contents.head(path, UNKNOWN_BYTES)
        if not head or b"\0" in head:
            return False
        text = decode(head)[0]
        rows = [row for row in lines_of(text) if row.strip()]
        return self.speaks_of_images("", rows) or names_most(self._collection.index, text)

    def may_be_about_images(self, path: str) -> bool:
        """Whether a file that was not read speaks of images that are here; of one without content nobody knows."""
        if not (path in self._files.endings or path.lower().endswith(TEXT_SUFFIXES)):
            return False
        index = self._collection.index
        head = self._contents.head(path, SAMPLE_BYTES)
        return not head or is_named_after_image(index, path) or mentioned(index, decode(head)[0])

    def say(self) -> None:
        unread = self._collection.unread
        for path in unread[:SHOWN_UNREAD]:
            detail = f"This annotation file is in a format that is not read. {READ}"
            if path in self._reasons:
                detail = self._reasons[path]
            elif path.lower().endswith(PACKED_ENDINGS):
                detail = (
                    "This file is packed in a way that is not read inside of an archive. Unpack it and import again."
                )
            self._collection.say("unknown_annotations", detail, path)
        if len(unread) > SHOWN_UNREAD:
            more = ("more file is in a format that is", "more files are in formats that are")
            detail = f"{counted(len(unread) - SHOWN_UNREAD, *more)} not read."
            self._collection.say("unknown_annotations", detail, unread[SHOWN_UNREAD])


def _is_numbers(row: str) -> bool:
    """Five or more numbers, and nothing else."""
    values = row.replace(",", " ").split()
    return len(values) >= 5 and all(math.isfinite(number(value)) for value in values)
