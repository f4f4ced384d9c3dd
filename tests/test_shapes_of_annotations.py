"""Numbers, outlines and names of folders as annotation files write them, beside pycocotools and OpenCV."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from vision.formats.base import (
    begins_an_image,
    ending_by_content,
    ending_of,
    folders_around,
    split_of_filename,
    split_of_path,
    split_of_word,
    splits_of_paths,
)
from vision.formats.shapes import (
    around,
    around_mask,
    around_pairs,
    number,
    points_of,
    size_of,
    turned,
    turned_as_said,
)

finite = st.floats(-1000, 1000)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        (" 1e3 ", 1000),
        ("12,5", 12.5),
        ("-0,25", -0.25),
        ("12,3456", 12.3456),
        (7, 7),
        (2.5, 2.5),
        (10**300, 1e300),
    ],
)
def test_a_number_is_read_as_half_of_the_world_writes_it(text, value):
    assert number(text) == value


@pytest.mark.parametrize(
    "text",
    ["", "bolt", "1,234", "1,2,3", "1.2.3", True, False, None, [], {}, 10**400, "0x10", "1_0" + "_", b"12"],
)
def test_what_is_no_certain_number_is_none(text):
    assert math.isnan(number(text))


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [
        (640, 480, (640, 480)),
        ("640", "480.0", (640, 480)),
        (0, 480, None),
        (640, -1, None),
        (None, 480, None),
        ("wide", "high", None),
        (1e9, 480, None),
        (float("nan"), 480, None),
        (float("inf"), 480, None),
    ],
)
def test_a_size_has_two_sides_of_a_possible_length(width, height, size):
    assert size_of(width, height) == size


@given(st.lists(st.tuples(st.integers(-500, 500), st.integers(-500, 500)), min_size=2, max_size=12))
def test_the_box_around_points_is_that_of_opencv(points):
    x, y, width, height = cv2.boundingRect(np.array(points, np.int32))
    # OpenCV counts the last pixel in.
    assert around(points) == (x, y, x + width - 1, y + height - 1)
    flat = [value for point in points for value in point]
    assert around_pairs(flat) == around(points) == around(points_of([list(point) for point in points]))


@pytest.mark.parametrize(
    "points", [[], [[1, 2]], [[1, 2], [3]], [[1, 2], "ab"], [[1, 2], [None, 3]], [[1, 2], ["x", 3]], [[1, 2], 5]]
)
def test_an_outline_with_a_point_that_is_none_has_no_box(points):
    assert around(points_of(points)) is None


@pytest.mark.parametrize("values", [None, "1 2 3 4", [], [1, 2], [1, 2, 3], [1, 2, 3, 4, 5], [1, 2, 3, "x"], {"x": 1}])
def test_pairs_that_are_none_have_no_box(values):
    assert around_pairs(values) is None


@given(st.integers(1, 300), st.integers(1, 300), st.floats(-720, 720))
def test_the_box_around_a_turned_one_is_that_of_opencv(width, height, degrees):
    corners = cv2.boxPoints(((500.0, 400.0), (float(width), float(height)), degrees))
    expected = (*corners.min(axis=0), *corners.max(axis=0))
    box = (500 - width / 2, 400 - height / 2, 500 + width / 2, 400 + height / 2)
    assert turned(box, degrees) == pytest.approx(expected, abs=0.02)


@given(finite, finite, st.floats(1, 500), st.floats(1, 500), st.floats(-360, 360))
def test_turning_there_keeps_the_middle_and_never_makes_a_box_smaller_than_its_shorter_side(x, y, width, height, angle):
    x_min, y_min, x_max, y_max = turned((x, y, x + width, y + height), angle)
    assert (x_min + x_max) / 2 == pytest.approx(x + width / 2, abs=1e-6)
    assert (y_min + y_max) / 2 == pytest.approx(y + height / 2, abs=1e-6)
    assert min(x_max - x_min, y_max - y_min) >= min(width, height) - 1e-6


def test_a_quarter_turn_about_a_corner_by_hand():
    assert turned((10, 10, 30, 20), 90, (10, 10)) == pytest.approx((0, 10, 10, 30))
    assert turned((10, 10, 30, 20), 90) == pytest.approx((15, 5, 25, 25))


@pytest.mark.parametrize("degrees", [0, float("nan"), float("inf")])
def test_no_angle_turns_nothing(degrees):
    assert turned((1, 2, 3, 4), degrees) == (1, 2, 3, 4)


@pytest.mark.parametrize(
    ("attributes", "is_another"),
    [
        ({"rotation": 90}, True),
        ({"rotation": "45"}, True),
        ({"rotation": 180}, False),
        ({"rotation": -360}, False),
        ({"rotation": "left"}, False),
        ({"rotation": None}, False),
        ({}, False),
        (None, False),
        ("rotation", False),
    ],
)
def test_an_attribute_turns_a_box_only_by_a_number(attributes, is_another):
    box, is_turned = turned_as_said((0.0, 0.0, 20.0, 10.0), attributes)
    assert is_turned == is_another and (box != (0, 0, 20, 10)) == is_another


@st.composite
def masks(draw) -> np.ndarray:
    """Some rectangles, whose runs are long, and single pixels between."""
    height, width = draw(st.integers(1, 70)), draw(st.integers(1, 40))
    mask = np.zeros((height, width), np.uint8)
    for _ in range(draw(st.integers(0, 3))):
        top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
        mask[top : top + draw(st.integers(1, height)), left : left + draw(st.integers(1, width))] = 1
    for _ in range(draw(st.integers(0, 3))):
        mask[draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))] ^= 1
    return mask


@given(masks())
def test_the_box_of_a_mask_is_that_of_pycocotools(mask):
    packed = coco_mask.encode(np.asfortranarray(mask))
    said = {"size": packed["size"], "counts": packed["counts"].decode()}
    if not mask.any():
        assert around_mask(said) is None
        return
    x, y, width, height = coco_mask.toBbox(packed)
    expected = around_mask(said)
    # pycocotools takes whole columns where a run goes on into the next.
    assert expected is not None and expected[0] == x and expected[2] == x + width
    assert expected[1] == y and expected[3] == y + height
    flat = mask.ravel(order="F")
    changes = np.flatnonzero(np.diff(np.r_[0, flat]))
    plain = np.diff(np.r_[0, changes, flat.size]).tolist()
    assert around_mask({"size": packed["size"], "counts": plain}) == expected


@pytest.mark.parametrize(
    "mask",
    [
        None,
        "x",
        {},
        {"size": [4, 4]},
        {"size": [4], "counts": [0, 16]},
        {"size": [0, 4], "counts": [0, 16]},
        {"size": ["x", 4], "counts": [0, 16]},
        {"size": [4, 4], "counts": [0, -1]},
        {"size": [4, 4], "counts": ["x"]},
        {"size": [4, 4], "counts": 16},
        {"size": [4, 4], "counts": "\x00"},
        {"size": [4, 4], "counts": "o"},  # ends in the middle of a number
        {"size": [4, 4], "counts": [16]},  # background alone
        {"size": [4, 4], "counts": []},
    ],
)
def test_a_mask_that_is_none_has_no_box(mask):
    assert around_mask(mask) is None


@pytest.mark.parametrize(
    ("word", "split"),
    [
        ("train", "train"),
        ("Training", "train"),
        ("train2017", "train"),
        ("train_images", "train"),
        ("training-set", "train"),
        ("val", "validation"),
        ("VALID", "validation"),
        ("dev", "validation"),
        ("test_1", "test"),
        ("Test Data", "test"),
        ("trainval", None),
        ("train_test", None),
        ("testament", None),
        ("images", None),
        ("2017", None),
        ("", None),
    ],
)
def test_the_split_that_a_word_means(word, split):
    assert split_of_word(word) == split


def test_the_innermost_folder_and_then_the_name_of_the_file_say_the_split():
    assert split_of_path("train/valid/a.jpg") == "validation" and split_of_path("train.jpg") is None
    assert split_of_filename("instances_val2017.json") == "validation"
    assert split_of_filename("train/instances.json") == "train"
    assert split_of_filename("test/train_or_val.json") == "test"  # its own name says two


def test_a_folder_that_is_called_as_a_split_beside_others_is_a_label():
    assert splits_of_paths(["train/1.jpg", "bus/2.jpg"]) == {}
    assert splits_of_paths(["train/1.jpg", "test/2.jpg"]) == {"train/1.jpg": "train", "test/2.jpg": "test"}
    beside = ["train/1.jpg", "images/2.jpg", "unlabeled/3.jpg"]
    assert splits_of_paths(beside) == {"train/1.jpg": "train"}


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("a.jpg", ".jpg"),
        ("a/b.c/d.JPEG", ".JPEG"),
        ("a.tar.gz", ".gz"),
        ("photo.2024", ""),
        ("photo.rf.0a1b2c3d", ""),
        (".hidden", ""),
        ("a.", ""),
        ("a.b c", ""),
        ("no", ""),
        ("a.toolong", ""),
        ("a.sixsix", ".sixsix"),
    ],
)
def test_what_is_the_ending_of_a_name(name, ending):
    assert ending_of(name) == ending


@pytest.mark.parametrize(
    ("head", "is_one"),
    [
        (b"\xff\xd8\xff\xe1", True),
        (b"\x89PNG\r\n\x1a\n", True),
        (b"\x00\x00\x00\x18ftypheic", True),
        (b"RIFF\x00\x00\x00\x00WEBP", True),
        (b"RIFF\x00\x00\x00\x00WAVE", False),
        (b"GIF88a", False),
        (b"{}", False),
        (b"", False),
    ],
)
def test_files_begin_as_images_do_or_not(head, is_one):
    assert begins_an_image(head) == is_one


@pytest.mark.parametrize(
    ("name", "head", "ending"),
    [
        ("a", b"<?xml version='1.0'?>", ".xml"),
        ("a", b"\xef\xbb\xbf\r\n<annotation>", ".xml"),
        ("a", b' {"shapes": []}', ".json"),
        ("a", b"[{", ".json"),
        ("config", b"[core]\n", ""),
        ("a.txt", b"{}", ""),
        ("a", b"<html>", ""),
    ],
)
def test_a_file_without_an_ending_is_known_by_how_it_begins(name, head, ending):
    assert ending_by_content(name, head) == ending


def test_the_folders_around_a_file_begin_with_the_innermost():
    assert list(folders_around("a/b/c.txt")) == ["a/b", "a", "."]
    assert list(folders_around("c.txt")) == ["."]
