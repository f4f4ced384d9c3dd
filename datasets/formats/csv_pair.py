"""The keras-retinanet pair: `annotations.csv` (path,x1,y1,x2,y2,label) and `classes.csv` (label,id)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import PurePosixPath

from datasets.formats.base import (
    SPLIT_FOLDERS,
    SPLIT_NAMES,
    Contents,
    Exported,
    FormatError,
    ImageIndex,
    Mark,
    Parsed,
    Record,
    Remark,
    folder_of,
    number,
    split_of_path,
    take_records,
)  # fmt: skip

CLASSES = "classes.csv"
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def is_it(contents: Contents) -> bool:
    return any(_rows_or_none(contents, name, 6) for name in _tables(contents))


def _tables(contents: Contents) -> list[str]:
    return [
        name
        for name in contents.names
        if name.lower().endswith(".csv") and not PurePosixPath(name).name.lower().endswith(CLASSES)
    ]


def _rows_or_none(contents: Contents, name: str, columns: int) -> bool:
    try:
        first = next(csv.reader(io.StringIO(contents.text(name))), [])
    except (FormatError, csv.Error):
        return False
    return len(first) == columns


def read(contents: Contents) -> Parsed:
    index = ImageIndex(contents.names)
    tables = _tables(contents)
    if not tables:
        raise FormatError("no_annotations", "The archive has no annotations.csv.")
    remarks: list[Remark] = []
    names = _labels(contents, remarks)
    found: dict[str, None] = {}
    records: dict[str, Record] = {}
    for table in tables:
        _read_table(contents, table, index, records, remarks, names, found)
    labels = names if names is not None else list(found)
    return Parsed(take_records(index, records, remarks), labels, remarks)


def _labels(contents: Contents, remarks: list[Remark]) -> list[str] | None:
    for name in contents.names:
        if PurePosixPath(name).name.lower() == CLASSES:
            rows = []
            for position, row in enumerate(csv.reader(io.StringIO(contents.text(name))), start=1):
                if len(row) == 2 and row[0] and number(row[1]) >= 0:
                    rows.append((number(row[1]), meant(row[0])))
                elif row:
                    detail = f"Line {position} should be label,id; it is left out."
                    remarks.append(Remark(name, "incomplete_annotation", detail))
            return [label for _, label in sorted(rows, key=lambda row: row[0])]
    return None


def _read_table(contents, table, index: ImageIndex, records, remarks: list[Remark], names, found) -> None:
    missing: set[str] = set()
    split = SPLIT_NAMES.get(PurePosixPath(table).stem.lower().removeprefix("annotations").strip("-_"))
    try:
        rows = list(csv.reader(io.StringIO(contents.text(table))))
    except (csv.Error, FormatError) as error:
        raise FormatError("damaged_annotations", f"{table} cannot be read ({error}).") from error
    for position, row in enumerate(rows, start=1):
        if not row:
            continue
        if len(row) != 6:
            detail = f"Line {position} has {len(row)} fields; path,x1,y1,x2,y2,label are expected."
            remarks.append(Remark(table, "incomplete_annotation", detail))
            continue
        path = index.by_path(folder_of(table), row[0])
        if path is None:
            if row[0] not in missing:
                missing.add(row[0])
                remarks.append(Remark(table, "missing_image", f"The archive has no image {row[0]!r}."))
            continue
        record = records.setdefault(path, Record(path, [], split_of_path(path) or split, True))
        if row[1:] == [""] * 5:
            continue  # looked at, nothing there
        label = meant(row[5])
        if names is not None and label not in names:
            remarks.append(Remark(path, "unknown_label", f"{table}, line {position}: {label!r} is not in classes.csv."))
            continue
        if not label:
            remarks.append(Remark(path, "incomplete_annotation", f"{table}, line {position} has no label."))
            continue
        found[label] = None
        x_min, y_min, x_max, y_max = map(number, row[1:5])
        record.marks.append(Mark(label, (x_min, y_min, x_max, y_max)))


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
        csv.writer(classes, lineterminator="\n").writerows((plain(label), n) for n, label in enumerate(self._labels))
        yield CLASSES, classes.getvalue().encode()


def plain(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: with an apostrophe before what begins one, or looks like this."""
    return f"'{text}" if text.lstrip("'").startswith(FORMULA) else text


def meant(cell: str) -> str:
    """What `plain` was given."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(FORMULA) else cell


def _shortest(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
