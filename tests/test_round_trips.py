"""What an export writes is read again as the same: every writer, and names that make trouble."""

from __future__ import annotations

import os
import unicodedata
from pathlib import PurePosixPath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.filenames import portable_filename
from tests.archives import read_content, written
from vision.formats import WRITERS
from vision.formats.base import Exported, ParsedAnnotation
from vision.formats.boxes import clean_label, on_grid, to_pixel_boxes

THOROUGH = bool(os.environ.get("MLSTUDIO_TEST_THOROUGH"))
HOLDS_BOXES = [name for name in WRITERS if name not in ("folder", "csv_one_hot")]
HOLDS_LABELS = ["folder", "csv", "label_studio", "datumaro"]
ODD = ["a/b", "..", ".", "classes.png", "yes", "no", "null", "010", "1.10", '"q"', "it's", "images", "train", "a,b",
       "=1+1", "~", "- x", "a: b", "[x]", "<x>&", "%41", "C:\\x", "#", "a;b"]  # fmt: skip
texts = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn", "Co")), min_size=1, max_size=12)
names = texts.map(lambda text: unicodedata.normalize("NFC", text).strip()).filter(clean_label)
labels = st.lists(st.one_of(names, st.sampled_from(ODD)), min_size=1, max_size=4, unique=True)
fractions = st.floats(0, 1, width=32)


@pytest.fixture(autouse=True)
def work_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def free_name(name: str, taken: set[str]) -> str:
    """As an export makes file names: portable, and no two with the same name before the ending."""
    path = PurePosixPath("_" + name[1:] if name.startswith(".") else name)
    free, count = str(path), 2
    while PurePosixPath(free).stem.casefold() in taken:
        free, count = f"{path.stem} ({count}){path.suffix}", count + 1
    taken.add(PurePosixPath(free).stem.casefold())
    return free


@st.composite
def datasets(draw, has_boxes: bool):
    label_names, taken, images = draw(labels), set(), []
    for number in range(draw(st.integers(1, 4))):
        width, height = 48 + 7 * number, 32
        marks = draw(boxes(label_names, width, height)) if has_boxes else draw(whole(label_names))
        filename = free_name(portable_filename(draw(names) + ".jpg"), taken)
        split = draw(st.sampled_from(["train", "validation", "test", None]))
        is_annotated = bool(marks) or (has_boxes and draw(st.booleans()))
        images.append(Exported(filename, width, height, split, marks, is_annotated))
    return label_names, images


@st.composite
def boxes(draw, label_names, width, height):
    edges = st.tuples(st.sampled_from(label_names), fractions, fractions, fractions, fractions)
    return [
        ParsedAnnotation(label, on_grid((min(a, b) * width, min(c, d) * height, max(a, b) * width, max(c, d) * height)))
        for label, a, b, c, d in draw(st.lists(edges, max_size=4))
        if abs(a - b) * width > 1.1 and abs(c - d) * height > 1.1
    ]


def whole(label_names):
    return st.lists(st.sampled_from(label_names).map(ParsedAnnotation), max_size=1)


def same(format: str, label_names: list[str], images: list[Exported]) -> None:
    result = read_content(written(format, label_names, images))
    paths = {unicodedata.normalize("NFC", WRITERS[format](label_names).image_path(image)): image for image in images}
    for path, record in result.records.items():
        image = paths.pop(path)
        placed = to_pixel_boxes(record, image.width, image.height)
        assert not placed.remarks and not placed.left_out
        found = sorted((mark.label, mark.box) for mark in placed.marks)
        assert found == sorted((mark.label, mark.box) for mark in image.marks)
        assert (record.split, record.is_annotated) == (image.split, image.is_annotated)
    assert not paths
    assert result.codes() <= {"no_annotations", "splits_incomplete"}


def tried(examples: int):
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("format", HOLDS_BOXES)
def test_boxes(format):
    @tried(2000 if THOROUGH else 60)
    @given(datasets(has_boxes=True))
    def check(dataset):
        same(format, *dataset)

    check()


@pytest.mark.parametrize("format", HOLDS_LABELS)
def test_labels_of_images(format):
    @tried(2000 if THOROUGH else 60)
    @given(datasets(has_boxes=False))
    def check(dataset):
        same(format, *dataset)

    check()


@pytest.mark.parametrize("name", [";;.jpg", "a|b|c|d.jpg", "a;b,c;d;e.jpg"])
def test_names_with_the_signs_that_divide_columns(name):
    image = Exported(
        filename=name, width=48, height=32, split="train", marks=[ParsedAnnotation("0")], is_annotated=True
    )
    same("csv", ["0"], [image])
