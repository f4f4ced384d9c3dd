"""Pixels and fractions of the image side by side: distinguished by the file, else left out and said."""

from __future__ import annotations

import pytest

from tests.archives import Read, read_files
from vision.formats.boxes import to_pixel_boxes

HEAD = "filename,xmin,ymin,xmax,ymax,class\n"
PIXELS = "a.png,5,6,25,26,bolt\nb.png,15,16,35,36,bolt\n"
FRACTIONS = "c.png,.25,.25,.5,.5,nut\nd.png,0,0,1,1,nut\n"


@pytest.fixture(autouse=True)
def work_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def read(**tables: str) -> Read:
    return read_files(
        dict.fromkeys(("a.png", "b.png", "c.png", "d.png"), b"") | {f"{n}.csv": t for n, t in tables.items()}
    )


def placed(result: Read, path: str) -> list[list[float]]:
    return [list(mark.box or ()) for mark in to_pixel_boxes(result.records[path], 64, 48).marks]


def test_a_table_in_each_of_both():
    result = read(one=HEAD + PIXELS, two=HEAD + FRACTIONS)
    assert placed(result, "a.png") == [[5, 6, 25, 26]] and placed(result, "c.png") == [[16, 12, 32, 24]]
    assert placed(result, "d.png") == [[0, 0, 64, 48]] and result.codes() == {"fractions"}


@pytest.mark.parametrize("head", [HEAD, ""])
def test_both_in_one_table(head):
    result = read(one=head + PIXELS + FRACTIONS + "a.png,.1,.1,.4,1.02,nut\n")
    assert result.is_open("c.png") and result.is_open("d.png") and result.codes() == {"mixed_units"}
    assert placed(result, "b.png") == [[15, 16, 35, 36]] and not result.records["b.png"].left_out
    assert placed(result, "a.png") == [[5, 6, 25, 26]] and result.records["a.png"].left_out == 1
    lines = sorted(remark.line for remark in result.remarks)
    assert lines == [line + bool(head) for line in (3, 4, 5)]


@pytest.mark.parametrize("row", ["c.png,0,0,1,1,nut\n", "c.png,30,30,30.5,40,nut\n", "c.png,0,0,0,0,nut\n"])
def test_small_boxes_beside_others_are_in_pixels(row):
    result = read(one=HEAD + PIXELS + row)
    assert len(result.records["c.png"].marks) == 1 and "mixed_units" not in result.codes()
