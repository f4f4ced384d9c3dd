"""What a reader of annotations writes in the sandbox is read outside as the same, or refused: it is not believed."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.archives import read_content, written
from vision.formats.base import Exported, FormatError, ImportWarning, Parsed, ParsedAnnotation, Record
from vision.formats.csv_writer import CsvWriter, meant, plain
from vision.formats.folders import FolderContents
from vision.formats.transfer import BrokenTransfer, Transferred, write, write_error

texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20)
edges = st.floats(-1e6, 1e6)
marks = st.builds(
    ParsedAnnotation,
    label=texts,
    box=st.one_of(st.none(), st.tuples(edges, edges, edges, edges)),
    is_relative=st.booleans(),
    source=texts,
    number=st.integers(0, 10**6),
)
records = st.builds(
    Record,
    path=texts,
    marks=st.lists(marks, max_size=4),
    split=st.sampled_from(["train", "validation", "test", None]),
    is_annotated=st.booleans(),
    size=st.one_of(st.none(), st.tuples(st.integers(1, 9999), st.integers(1, 9999))),
    left_out=st.integers(0, 5),
)
remarks = st.builds(ImportWarning, filename=texts, code=texts, detail=texts, source=texts, line=st.integers(0, 10**6))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(records, max_size=4), st.lists(remarks, max_size=3), st.lists(texts, max_size=3), st.integers(0, 3))
def test_records_remarks_and_labels_come_out_as_they_went_in(tmp_path, rows, said, labels, start):
    parsed = Parsed(rows, len(rows), labels, said, "coco", ["x.json"], {"boxes": 3, "whole": 1})
    write(parsed, tmp_path)
    found = Transferred(tmp_path)
    assert (found.format, found.labels, found.count, found.unread) == ("coco", labels, len(rows), ["x.json"])
    assert found.holds == {"boxes": 3, "whole": 1}
    assert list(found.records(start)) == rows[start:] and list(found.remarks()) == said


def test_what_is_wrong_with_an_archive_is_an_error_of_its_format(tmp_path):
    write_error("unknown_format", "x" * 5000, tmp_path)
    with pytest.raises(FormatError) as error:
        Transferred(tmp_path)
    assert error.value.code == "unknown_format" and len(str(error.value)) == 2000


GOOD = {"format": "coco", "labels": ["a"], "records": 1, "unread": [], "holds": {"boxes": 1, "whole": 0}}


@pytest.mark.parametrize(
    "head",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        {**GOOD, "labels": None},
        {**GOOD, "labels": [7]},
        {**GOOD, "labels": ["x" * 100_001]},
        {**GOOD, "format": "x" * 21},
        {**GOOD, "format": 7},
        {**GOOD, "records": "many"},
        {**GOOD, "records": 1e400},
        {**GOOD, "holds": {"boxes": 1}},
        {**GOOD, "holds": [1]},
        {key: value for key, value in GOOD.items() if key != "unread"},
        {"error": "no pair"},
        {"error": ["a code", 7]},
        {"error": ["c" * 51, "detail"]},
    ],
)
def test_a_head_that_the_reader_does_not_write_is_refused(tmp_path, head):
    (tmp_path / "head.json").write_text(head if isinstance(head, str) else json.dumps(head))
    with pytest.raises(BrokenTransfer):
        Transferred(tmp_path)


def transfer(folder: Path, records: str = "", remarks: str = "") -> Transferred:
    (folder / "head.json").write_text(json.dumps(GOOD))
    (folder / "records.jsonl").write_text(records)
    (folder / "remarks.jsonl").write_text(remarks)
    return Transferred(folder)


MARK = ["bolt", [1, 2, 3, 4], False, 0, 1]
ROW = ["a.jpg", [MARK], "train", True, [60, 40], 0, ["a.json"]]


def changed(at: int, value: object) -> list:
    return [value if place == at else part for place, part in enumerate(ROW)]


@pytest.mark.parametrize(
    "row",
    [
        "no list",
        {},
        ROW[:-1],
        [*ROW, "more"],
        changed(0, None),
        changed(0, "x" * 100_001),
        changed(1, 7),
        changed(1, [MARK[:-1]]),
        changed(1, [["bolt", [1, 2, 3], False, 0, 1]]),
        changed(1, [["bolt", ["a", 2, 3, 4], False, 0, 1]]),
        changed(1, [["bolt", [1, 2, 3, 4], False, 1, 1]]),  # a source that is not in its list
        changed(1, [[None, [1, 2, 3, 4], False, 0, 1]]),
        changed(2, "holdout"),
        changed(2, ["train"]),
        changed(4, [60]),
        changed(4, ["wide", 40]),
        changed(5, "some"),
        changed(6, [7]),
        changed(6, None),
    ],
)
def test_a_record_that_the_reader_does_not_write_is_refused(tmp_path, row):
    assert next(transfer(tmp_path, json.dumps(ROW)).records()).marks[0].label == "bolt"
    with pytest.raises(BrokenTransfer):
        list(transfer(tmp_path, json.dumps(row)).records())


@pytest.mark.parametrize("line", ["{", '["a", "b", "c", "d"]', '["a", "b", "c", "d", "e"]', '[1, "b", "c", "d", 5]'])
def test_a_remark_that_the_reader_does_not_write_is_refused(tmp_path, line):
    with pytest.raises(BrokenTransfer):
        list(transfer(tmp_path, remarks=line).remarks())


def test_what_no_database_takes_is_replaced_on_the_way(tmp_path):
    found = transfer(tmp_path, json.dumps(["a\0\ud800.jpg", [], None, False, None, 0, []]))
    assert next(found.records()).path == "a\ufffd\ufffd.jpg"


def test_records_before_a_broken_one_are_read(tmp_path):
    rows = transfer(tmp_path, json.dumps(ROW) + "\n{").records()
    assert next(rows).path == "a.jpg"
    with pytest.raises(BrokenTransfer):
        next(rows)


# Cells of a table


@given(st.text(max_size=12))
def test_a_cell_comes_back_and_no_spreadsheet_takes_it_for_a_formula(text):
    cell = plain(text)
    assert meant(cell) == text and not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "'=1", "''=1"])
def test_what_a_spreadsheet_would_compute_has_an_apostrophe_before_it(text):
    assert plain(text) == f"'{text}"


@pytest.mark.parametrize("text", ["bolt", "a=b", "'quoted'", "it's", "", "1-2", " =1"])
def test_other_cells_are_written_as_they_are(text):
    assert plain(text) == text and meant(text) == text


def exported(name: str, *found: ParsedAnnotation, split: str | None = "train", is_annotated: bool = True) -> Exported:
    return Exported(name, 60, 40, split, list(found), is_annotated)


def rows_of(writer: CsvWriter) -> dict[str, list[list[str]]]:
    return {name: list(csv.reader(io.StringIO(content.decode(), newline=""))) for name, content in writer.finish()}


def test_a_table_has_a_line_for_each_box_label_and_empty_image():
    writer = CsvWriter(["bolt", "=nut"])
    for image in (
        exported("a.jpg", ParsedAnnotation("bolt", (1, 2.5, 3, 4)), ParsedAnnotation("=nut", (0, 0, 60, 40))),
        exported("b, c.jpg", ParsedAnnotation("bolt"), split="validation"),
        exported("d.jpg", split=None),
        exported("e.jpg", is_annotated=False),
    ):
        assert list(writer.add(image)) == []
    tables = rows_of(writer)
    assert tables["annotations.csv"] == [
        ["train/a.jpg", "1", "2.5", "3", "4", "bolt"],
        ["train/a.jpg", "0", "0", "60", "40", "'=nut"],
        ["valid/b, c.jpg", "bolt"],
        ["unsplit/d.jpg", "", "", "", "", ""],
    ]
    assert tables["classes.csv"] == [["bolt", "0"], ["'=nut", "1"]]


def test_labels_that_begin_like_a_formula_come_back_from_an_export(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["=1+1", "-5", "'=x", "@home"]
    image = exported("a.jpg", *(ParsedAnnotation(name, (1, 2, 30, 40)) for name in names))
    found = read_content(written("csv", names, [image]))
    assert [label for label, _ in found.boxes("train/a.jpg")] == sorted(names)
    assert found.codes() <= {"splits_incomplete"}


# A folder as an archive


def test_a_folder_has_no_hidden_files_and_none_behind_a_link_that_leads_out(tmp_path):
    inside, outside = tmp_path / "data", tmp_path / "outside"
    for path in (inside / "b.txt", inside / "a" / "c.txt", inside / ".git" / "d.txt", outside / "secret.txt"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    (inside / ".hidden").write_text("x")
    (inside / "a" / ".hidden").write_text("x")
    (inside / "link.txt").symlink_to(outside / "secret.txt")
    (inside / "own.txt").symlink_to(inside / "b.txt")
    (inside / "folder").symlink_to(outside, target_is_directory=True)
    contents = FolderContents(inside)
    assert contents.names == ["a/c.txt", "b.txt", "own.txt"]
    assert (contents.size("b.txt"), contents.head("b.txt", 9), contents.content("own.txt")) == (1, b"x", b"x")


def test_a_file_that_cannot_be_read_any_more_has_its_code(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    contents = FolderContents(tmp_path)
    (tmp_path / "a.txt").unlink()
    with pytest.raises(FormatError, match=r"a\.txt cannot be read") as error:
        contents.content("a.txt")
    assert error.value.code == "unreadable_file"
