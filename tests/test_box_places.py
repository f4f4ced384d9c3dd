"""Where a box of an archive lies on the image that is kept: turned, scaled, clipped, or left out with a reason."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from vision.formats.base import ParsedAnnotation, Record
from vision.formats.boxes import MAX_BOXES, MAX_LABEL, clean_label, is_same_place, on_grid, to_pixel_boxes
from vision.imaging.orientation import stored_orientation
from vision.imaging.preprocessing import open_image

WIDTH, HEIGHT = 60, 40


def record(*boxes, size=None, relative=False, source="a.xml") -> Record:
    marks = [ParsedAnnotation("bolt", box, relative, source, number) for number, box in enumerate(boxes, start=1)]
    return Record("a.jpg", marks, is_annotated=True, size=size)


def codes(placed) -> list[str]:
    return [remark.code for remark in placed.remarks]


def edges(placed) -> list[tuple[float, ...]]:
    return [mark.box for mark in placed.marks]


def stored_with_a_mark(orientation: int, box: tuple[int, int, int, int]) -> bytes:
    """A PNG of 60 x 40 stored pixels, white where the box is, whose EXIF says how it is to be turned."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[box[1] : box[3], box[0] : box[2]] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "PNG", exif=exif)
    return target.getvalue()


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
@pytest.mark.parametrize("box", [(3, 5, 20, 12), (0, 0, 1, 1), (40, 30, 60, 40)])
def test_a_box_on_stored_pixels_lies_where_pillow_turns_them(orientation, box):
    content = stored_with_a_mark(orientation, box)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    rows, columns = np.nonzero(np.asarray(upright)[..., 0])
    with open_image(content) as image:
        said = stored_orientation(image)
    placed = to_pixel_boxes(record(box, size=(WIDTH, HEIGHT)), *upright.size, said)
    expected = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    assert edges(placed) == [expected] and codes(placed) == ["boxes_turned"] and not placed.left_out


@pytest.mark.parametrize("orientation", [1, 2, 3, 4])
def test_a_size_with_its_sides_exchanged_is_another_image_unless_exif_exchanges_them(orientation):
    placed = to_pixel_boxes(record((0, 0, 50, 39), size=(WIDTH, HEIGHT)), HEIGHT, WIDTH, orientation)
    assert codes(placed) == ["wrong_size"] and placed.left_out == 1 and not placed.marks


def test_boxes_in_the_pixels_of_the_upright_image_are_not_turned_again():
    placed = to_pixel_boxes(record((3, 5, 20, 12), size=(HEIGHT, WIDTH)), HEIGHT, WIDTH, 6)
    assert edges(placed) == [(3, 5, 20, 12)] and not codes(placed)


@pytest.mark.parametrize(
    ("said", "code", "expected"),
    [
        ((60, 40), None, (6, 4, 30, 20)),
        ((61, 39), None, (6, 4, 30, 20)),  # a pixel of rounding
        ((120, 80), "boxes_scaled", (3, 2, 15, 10)),
        ((30, 20), "boxes_scaled", (12, 8, 60, 40)),
        ((121, 80), "boxes_scaled", (round(6 * 60 / 121, 4), 2, round(30 * 60 / 121, 4), 10)),
        ((120, 90), "wrong_size", (6, 4, 30, 20)),  # another ratio, but they fit
    ],
)
def test_the_size_that_annotations_claim_decides_how_boxes_are_read(said, code, expected):
    placed = to_pixel_boxes(record((6, 4, 30, 20), size=said), WIDTH, HEIGHT)
    assert edges(placed) == [expected] and codes(placed) == ([code] if code else [])


def test_boxes_of_another_size_that_do_not_fit_are_left_out_together():
    placed = to_pixel_boxes(record((6, 4, 30, 20), (6, 4, 30, 42), size=(120, 90)), WIDTH, HEIGHT)
    assert placed.left_out == 2 and not placed.marks and codes(placed) == ["wrong_size"]


def test_fractions_do_not_depend_on_the_size_that_is_claimed():
    placed = to_pixel_boxes(record((0.1, 0.1, 0.5, 0.5), size=(120, 90), relative=True), WIDTH, HEIGHT)
    assert edges(placed) == [(6, 4, 30, 20)] and not placed.left_out


@pytest.mark.parametrize(
    ("box", "code", "kept"),
    [
        ((0, 0, 60, 40), None, (0, 0, 60, 40)),
        ((-0.01, 0, 60.01, 40), None, (0, 0, 60, 40)),  # rounding is not worth a word
        ((-0.02, 0, 60, 40), "box_clipped", (0, 0, 60, 40)),
        ((10, 10, 10, 20), "box_without_area", None),
        ((20, 10, 10, 20), "box_without_area", None),
        ((10, 10, 10.00004, 20), "box_without_area", None),  # below the grid
        ((60, 0, 70, 10), "box_outside", None),
        ((-10, -10, 0, 0), "box_outside", None),
        ((59.5, 0, 70, 10), "box_below_pixel", None),
        ((10, 10, 10.98, 20), "box_below_pixel", None),
        ((10, 10, 10.99, 20), None, (10, 10, 10.99, 20)),
        ((float("nan"), 0, 10, 10), "box_not_finite", None),
        ((0, 0, float("inf"), 10), "box_not_finite", None),
    ],
)
def test_a_box_is_kept_clipped_or_left_out_with_its_code(box, code, kept):
    placed = to_pixel_boxes(record(box), WIDTH, HEIGHT)
    assert edges(placed) == ([kept] if kept else []) and codes(placed) == ([code] if code else [])


@pytest.mark.parametrize(
    ("box", "left_out", "ignored"),
    [
        ((10, 10, 10, 20), 0, 1),
        ((10, 10, 10.5, 20), 0, 1),
        ((60, 0, 70, 10), 1, 0),
        ((float("nan"), 0, 1, 1), 1, 0),
    ],
)
def test_a_box_of_nothing_leaves_its_image_whole_and_one_that_is_not_understood_does_not(box, left_out, ignored):
    placed = to_pixel_boxes(record(box, (1, 1, 9, 9)), WIDTH, HEIGHT)
    assert (placed.left_out, placed.ignored, len(placed.marks)) == (left_out, ignored, 1)


def test_remarks_name_the_file_and_the_line():
    placed = to_pixel_boxes(record((1, 1, 9, 9), (60, 0, 70, 10), source="b.xml"), WIDTH, HEIGHT)
    (remark,) = placed.remarks
    assert (remark.filename, remark.source, remark.line) == ("a.jpg", "b.xml", 2) and "60 x 40" in remark.detail


@pytest.mark.parametrize(("count", "kept"), [(MAX_BOXES, MAX_BOXES), (MAX_BOXES + 1, MAX_BOXES)])
def test_an_image_has_so_many_boxes_and_no_more(count, kept):
    boxes = [(n % 50, n // 500, n % 50 + 2, n // 500 + 2) for n in range(count)]
    placed = to_pixel_boxes(record(*boxes), WIDTH, HEIGHT)
    assert len(placed.marks) == kept
    assert codes(placed) == (["too_many_boxes"] if count > MAX_BOXES else [])
    if count > MAX_BOXES:
        assert "the last 1 were left out" in placed.remarks[0].detail


@given(st.lists(st.floats(-200, 200), min_size=4, max_size=4), st.integers(2, 300), st.integers(2, 300))
def test_whatever_is_kept_lies_inside_of_the_image_on_the_grid_and_stays_when_it_is_placed_again(box, width, height):
    placed = to_pixel_boxes(record(tuple(box)), width, height)
    assert len(placed.marks) + placed.left_out + placed.ignored == 1
    for x_min, y_min, x_max, y_max in edges(placed):
        assert 0 <= x_min < x_max <= width and 0 <= y_min < y_max <= height
        assert (x_min, y_min, x_max, y_max) == on_grid((x_min, y_min, x_max, y_max))
        again = to_pixel_boxes(record((x_min, y_min, x_max, y_max)), width, height)
        assert edges(again) == edges(placed) and not again.remarks


def same_label(*marks: tuple[str, tuple, str]) -> Record:
    return Record("a.jpg", [ParsedAnnotation(label, box, source=source) for label, box, source in marks])


@pytest.mark.parametrize(
    ("second", "count"),
    [
        (("bolt", (10, 10, 30, 30), "b.json"), 1),
        (("bolt", (10, 10, 30, 29), "b.json"), 1),  # 0.95 of what both cover
        (("bolt", (10, 10, 30, 28), "b.json"), 1),  # exactly nine tenths
        (("bolt", (10, 10, 30, 27.9), "b.json"), 2),
        (("nut", (10, 10, 30, 30), "b.json"), 2),
        (("bolt", (10, 10, 30, 30), "a.xml"), 2),  # one file may say it twice
        (("bolt", None, "b.json"), 2),
    ],
)
def test_a_box_that_two_files_have_counts_once(second, count):
    placed = to_pixel_boxes(same_label(("bolt", (10, 10, 30, 30), "a.xml"), second), WIDTH, HEIGHT)
    assert len(placed.marks) == count


def test_a_label_of_the_whole_image_that_two_files_have_counts_once():
    marks = [("bolt", None, "a.xml"), ("bolt", None, "b.json"), ("nut", None, "b.json")]
    assert [mark.label for mark in to_pixel_boxes(same_label(*marks), WIDTH, HEIGHT).marks] == ["bolt", "nut"]


@given(
    st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(5, 25), st.integers(5, 25)),
    st.lists(st.integers(-2, 2), min_size=4, max_size=4),
)
def test_two_boxes_are_in_one_place_when_they_share_nine_tenths_of_their_pixels(place, moved):
    x, y, width, height = place
    one = (x + 2, y + 2, x + 2 + width, y + 2 + height)
    other = tuple(edge + by for edge, by in zip(one, moved, strict=True))
    grid = np.zeros((2, 41, 41), bool)
    for layer, box in zip(grid, (one, other), strict=True):
        layer[box[1] : box[3], box[0] : box[2]] = True
    shared, together = int((grid[0] & grid[1]).sum()), int((grid[0] | grid[1]).sum())
    assert is_same_place(one, other) == is_same_place(other, one) == (10 * shared >= 9 * together)
    assert is_same_place(one, one)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("bolt", "bolt"),
        ("  bolt\t", "bolt"),
        ("e\u0301", "\u00e9"),
        ("bo\x00lt\x1b", "bolt"),
        ("\u202etlob\u202c", "tlob"),
        ("a" * MAX_LABEL, "a" * MAX_LABEL),
        ("a" * (MAX_LABEL + 1), None),
        ("", None),
        (" \t\n", None),
        ("\u200b\u200d", None),  # nothing that can be seen
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
    ],
)
def test_a_label_is_kept_as_people_can_read_it(name, kept):
    assert clean_label(name) == kept


@given(st.text(max_size=130))
def test_a_label_that_was_cleaned_stays_as_it_is(name):
    kept = clean_label(name)
    assert kept is None or clean_label(kept) == kept


@pytest.mark.parametrize("label", ["", " ", "x" * 101, "\u200b"])
def test_a_mark_without_a_name_leaves_its_image_open(label):
    placed = to_pixel_boxes(Record("a.jpg", [ParsedAnnotation(label, (1, 1, 9, 9))]), WIDTH, HEIGHT)
    assert placed.left_out == 1 and codes(placed) == ["bad_label"] and not placed.marks
