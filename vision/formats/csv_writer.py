"""Annotations as a table: a line for each label or box."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from vision.formats.base import (
    SPLIT_FOLDERS,
    Exported,
)

FORMULA = ("=", "+", "-", "@", "\t", "\r")


class CsvWriter:
    """`annotations.csv`, `classes.csv`, and the images in a folder a split."""

    def __init__(self, labels: list[str]) -> None:
        self._labels = labels
        self._text = io.StringIO()
        self._rows = csv.writer(self._text, lineterminator="\n")

    def image_path(self, exported: Exported) -> str:
        return f"{SPLIT_FOLDERS[exported.split]}/{exported.filename}"

    def add(self, exported: Exported) -> Iterator[tuple[str, bytes]]:
        path = self.image_path(exported)
        for mark in exported.marks:
            self._rows.writerow([path, *map(_shortest, mark.box or ()), plain(mark.label)])
        if exported.is_annotated and not exported.marks:
            self._rows.writerow([path, "", "", "", "", ""])
        return iter(())

    def finish(self) -> Iterator[tuple[str, bytes]]:
        yield "annotations.csv", self._text.getvalue().encode()
        classes = io.StringIO()
        rows = ((plain(label), identifier) for identifier, label in enumerate(self._labels))
        csv.writer(classes, lineterminator="\n").writerows(rows)
        yield CLASSES, classes.getvalue().encode()


class OneHotCsvWriter:
    """`labels.csv`: a line for each image that was looked at, a column for each label, 1 where the image has it."""

    def __init__(self, labels: list[str]) -> None:
        self._labels = labels
        self._text = io.StringIO()
        self._rows = csv.writer(self._text, lineterminator="\n")
        self._rows.writerow(["filename", *map(plain, labels)])

    def image_path(self, exported: Exported) -> str:
        return f"{SPLIT_FOLDERS[exported.split]}/{exported.filename}"

    def add(self, exported: Exported) -> Iterator[tuple[str, bytes]]:
        own = {mark.label for mark in exported.marks}
        if exported.is_annotated:
            self._rows.writerow([self.image_path(exported), *(int(label in own) for label in self._labels)])
        return iter(())

    def finish(self) -> Iterator[tuple[str, bytes]]:
        yield "labels.csv", self._text.getvalue().encode()


def plain(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: with an apostrophe before what begins one, or looks like this."""
    return f"'{text}" if text.lstrip("'").startswith(FORMULA) else text


def meant(cell: str) -> str:
    """What `plain` was given."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(FORMULA) else cell


def _shortest(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))


CLASSES = "classes.csv"
