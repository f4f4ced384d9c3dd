"""What every format reads into and writes from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePosixPath
from typing import BinaryIO, Protocol

SEPARATORS = re.compile(r"[^a-z0-9]+")
WORDS = re.compile(r"[-_ ]+")

IMAGE_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".pjpeg", ".pjp", ".png", ".apng", ".webp", ".bmp", ".dib", ".gif", ".tif",
    ".tiff", ".heic", ".heif", ".hif", ".avif",
)  # fmt: skip
# What annotations are written in; nothing else is read as text.
TEXT_SUFFIXES = (
    ".json",
    ".xml",
    ".txt",
    ".csv",
    ".tsv",
    ".yaml",
    ".yml",
    ".names",
    ".labels",
    ".data",
    ".jsonl",
    ".ndjson",
    ".manifest",
)
JSON_START = re.compile(rb"[{[]\s*[\"{\[\]}]")  # `[core]` begins settings of another kind
UNKNOWN_BYTES = 4096  # of a file of an unknown kind
# How files begin that are images, whatever they are called.
IMAGE_HEADS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"BM", b"II*\x00", b"MM\x00*")
SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "trainset": "train",
    "valid": "validation",
    "validation": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
    "testset": "test",
}
# What folders and lists of splits have in their names beside the split: `training_set`, `val_images`.
SPLIT_FILLERS = {"set", "data", "dataset", "images", "image", "imgs", "img", "split", "folder"}
# How split folders are called when we write them, as most tools call them.
SPLIT_FOLDERS = {"train": "train", "validation": "valid", "test": "test", None: "unsplit"}
# What lies beside split folders: images that are in none, and folders that say something else.
NO_SPLIT_FOLDERS = {
    "unsplit",
    "default",
    "unlabeled",
    "unlabelled",
    "images",
    "labels",
    "annotations",
    "jpegimages",
    "imagesets",
    "background",
    "trainval",
    "all",
    "data",
}
LONGEST_ENDING = 6
# Halves of characters, which no file takes, and NUL, which PostgreSQL does not.
UNSTORABLE = re.compile("[\ud800-\udfff\x00]")


class FormatError(ValueError):
    """An archive that cannot be read in its format at all. `code` is stable, the text says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class ImportWarning:
    """Something that its user should know: what was left out or changed, and why.

    Attributes:
        filename: the image, or the annotation file when it is about no image in particular.
        source: the annotation file.
        line: of the annotation file, from 1; 0 when it has no lines or is about all of them.
    """

    filename: str
    code: str
    detail: str
    source: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class ParsedAnnotation:
    """One annotation as the archive has it.

    Attributes:
        label: its name.
        box: `(x_min, y_min, x_max, y_max)`, not checked yet; None for a label of the whole image.
        is_relative: whether the box is in fractions of the image's width and height instead of pixels.
        source: the annotation file.
        number: its line, or its position among the file's annotations, from 1.
    """

    label: str
    box: tuple[float, float, float, float] | None = None
    is_relative: bool = False
    source: str = ""
    number: int = 0


@dataclass(slots=True)
class Record:
    """One image of an archive and what the archive says about it.

    Attributes:
        path: name of the image in the archive.
        is_annotated: whether somebody looked at it; without marks it then shows nothing of interest.
        left_out: how many of its annotations could not be understood; it is then not annotated, whatever it has.
        size: `(width, height)` that the annotations claim, or None.
    """

    path: str
    marks: list[ParsedAnnotation] = field(default_factory=list)
    split: str | None = None
    is_annotated: bool = False
    size: tuple[int, int] | None = None
    left_out: int = 0


@dataclass
class Parsed:
    """What an archive holds: its images in a fixed order, its labels in their order, and what is wrong with it.

    Attributes:
        format: the format of most annotations; `folder` when there are no annotation files.
        unread: annotation files in formats that are not read.
        holds: how many `boxes` and labels of `whole` images there are.
    """

    records: Iterable[Record]
    count: int
    labels: list[str] = field(default_factory=list)
    remarks: Iterable[ImportWarning] = ()
    format: str = ""
    unread: list[str] = field(default_factory=list)
    holds: dict[str, int] = field(default_factory=lambda: {"boxes": 0, "whole": 0})


class Contents(Protocol):
    """The files of an archive: names, and the content of annotation files.

    Attributes:
        ambiguous: names of files whose path others have too, with different content.
    """

    ambiguous: set[str]

    @property
    def names(self) -> list[str]:
        """Paths of all files, junk left out, in a fixed order."""

    def content(self, name: str) -> bytes:
        """A whole file. Raises `FormatError` when it is damaged."""

    def opened(self, name: str) -> AbstractContextManager[BinaryIO]:
        """A file to be read part by part."""

    def size(self, name: str) -> int:
        """In bytes, as the archive says."""

    def head(self, name: str, count: int = 64) -> bytes:
        """The first bytes of any file."""


class Writer(Protocol):
    """Writes a dataset image by image; everything it keeps in memory is small."""

    def __init__(self, labels: list[str]) -> None: ...

    def add(self, exported: Exported) -> Iterator[tuple[str, bytes]]:
        """Annotation files of this image, if the format has one an image."""

    def image_path(self, exported: Exported) -> str:
        """Where the image goes in the archive."""

    def finish(self) -> Iterator[tuple[str, bytes]]:
        """The files that speak of all images."""


@dataclass(frozen=True)
class Exported:
    """An image on its way out. `filename` is unique in its dataset; `marks` have boxes in pixels."""

    filename: str
    width: int
    height: int
    split: str | None
    marks: list[ParsedAnnotation]
    is_annotated: bool


def is_image(name: str) -> bool:
    return name.lower().endswith(IMAGE_SUFFIXES)


def is_text(name: str) -> bool:
    return name.lower().endswith(TEXT_SUFFIXES)


def begins_an_image(head: bytes) -> bool:
    """Whether a file begins as images do, whatever it is called."""
    return head.startswith(IMAGE_HEADS) or head[4:8] == b"ftyp" or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def ending_by_content(name: str, head: bytes) -> str:
    """`.xml` or `.json` of a file without an ending that begins as these do; else nothing."""
    if ending_of(name):
        return ""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith((b"<?xml", b"<annotation")):
        return ".xml"
    return ".json" if JSON_START.match(start) else ""


def ending_of(path: str) -> str:
    """The ending of a file name with its dot, or an empty string; `.rf.0a1b2c…` and `.2024` are no endings."""
    name = path.rpartition("/")[2]
    stem, dot, ending = name.rpartition(".")
    is_ending = bool(stem) and 0 < len(ending) <= LONGEST_ENDING and ending.isalnum() and not ending.isdigit()
    return dot + ending if is_ending else ""


def stem(name: str) -> str:
    return PurePosixPath(name).stem


def folder_of(name: str) -> str:
    return name.rpartition("/")[0] or "."


def folders_around(name: str) -> Iterator[str]:
    """The folders around a file, the innermost first."""
    while name != ".":
        name = folder_of(name)
        yield name


def split_of_path(name: str) -> str | None:
    """The split that a folder on the way to the file names; the innermost one counts."""
    for part in reversed(name.split("/")[:-1]):
        if split := split_of_word(part):
            return split
    return None


def splits_of_paths(names: Iterable[str]) -> dict[str, str]:
    """Name → split, where folders say it. A folder `train` beside `bus` and `car` is a class, not a split."""
    splits: dict[str, tuple[str, str]] = {}
    beside: dict[str, set[str]] = {}
    for name in names:
        parts = name.split("/")[:-1]
        for position, part in enumerate(parts):
            beside.setdefault("/".join(parts[:position]), set()).add(part)
            if split := split_of_word(part):
                splits[name] = split, "/".join(parts[:position])
    return {name: split for name, (split, around) in splits.items() if all(map(_may_be_split, beside[around]))}


def _may_be_split(part: str) -> bool:
    return split_of_word(part) is not None or part.lower() in NO_SPLIT_FOLDERS


@lru_cache(maxsize=4096)
def split_of_word(word: str) -> str | None:
    """`train`, `Valid`, `val2017`, `test_set`, `train_images`…"""
    word = word.lower()
    if known := SPLIT_NAMES.get(word) or SPLIT_NAMES.get(word.rstrip("0123456789").strip("-_ ")):
        return known
    rest = [part for part in WORDS.split(word) if part not in SPLIT_FILLERS and not part.isdigit()]
    return SPLIT_NAMES.get(rest[0]) if len(rest) == 1 else None


def split_of_filename(name: str) -> str | None:
    """The split that the name of an annotation file has, such as `instances_train2017.json`; else its folder's."""
    words = SEPARATORS.split(stem(name).lower())
    splits = {split_of_word(word) for word in words} - {None}
    return (splits.pop() if len(splits) == 1 else None) or split_of_path(name)
