"""What every format reads into and writes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Protocol

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".heic", ".heif")
# What annotations are written in; nothing else is read as text.
TEXT_SUFFIXES = (".json", ".xml", ".txt", ".csv", ".yaml", ".yml", ".names", ".labels")
SPLIT_NAMES = {
    "train": "train", "training": "train", "valid": "validation", "validation": "validation", "val": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
# How split folders are called when we write them, as most tools call them.
SPLIT_FOLDERS = {"train": "train", "validation": "valid", "test": "test", None: "unsplit"}


class FormatError(ValueError):
    """An archive that cannot be read in its format at all. `code` is stable, the text says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Remark:
    """Something about a file that its user should know: what was left out or changed, and why."""

    filename: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Mark:
    """One annotation as the archive has it.

    Attributes:
        label: its name.
        box: `(x_min, y_min, x_max, y_max)`, not checked yet; None for a label of the whole image.
        is_relative: whether the box is in fractions of the image's width and height instead of pixels.
    """

    label: str
    box: tuple[float, float, float, float] | None = None
    is_relative: bool = False


@dataclass(slots=True)
class Record:
    """One image of an archive and what the archive says about it.

    Attributes:
        path: name of the image in the archive.
        is_annotated: whether somebody looked at it; without marks it then shows nothing of interest.
        size: `(width, height)` that the annotations claim, or None.
    """

    path: str
    marks: list[Mark] = field(default_factory=list)
    split: str | None = None
    is_annotated: bool = False
    size: tuple[int, int] | None = None


@dataclass
class Parsed:
    """What an archive holds: its images in a fixed order, its labels in their order, and what is wrong with it."""

    records: list[Record]
    labels: list[str] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    format: str = ""


class Contents(Protocol):
    """The files of an archive: names, and the text of annotation files."""

    @property
    def names(self) -> list[str]:
        """Paths of all files, junk left out, in a fixed order."""

    def text(self, name: str) -> str:
        """The content of a text file. Raises `FormatError` when it is damaged."""


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
    marks: list[Mark]
    is_annotated: bool


def is_image(name: str) -> bool:
    return name.lower().endswith(IMAGE_SUFFIXES)


def stem(name: str) -> str:
    return PurePosixPath(name).stem


def folder_of(name: str) -> str:
    return str(PurePosixPath(name).parent)


def split_of_path(name: str) -> str | None:
    """The split that a folder on the way to the file names; the innermost one counts."""
    for part in reversed(PurePosixPath(name).parts[:-1]):
        if part.lower() in SPLIT_NAMES:
            return SPLIT_NAMES[part.lower()]
    return None


class ImageIndex:
    """Finds the image that an annotation file speaks of: by its path, else by its name, near by before far away."""

    def __init__(self, names: list[str]) -> None:
        self.images = [name for name in names if is_image(name)]
        self._by_path = {name.lower(): name for name in self.images}
        self._by_name: dict[str, list[str]] = {}
        self._by_stem: dict[str, list[str]] = {}
        for name in self.images:
            path = PurePosixPath(name)
            self._by_name.setdefault(path.name.lower(), []).append(name)
            self._by_stem.setdefault(path.stem.lower(), []).append(name)

    def by_path(self, folder: str, path: str) -> str | None:
        """The image at `path`, seen from `folder` or from the top, else one of that name."""
        path = path.replace("\\", "/")
        for candidate in (_joined(folder, path), _joined(".", path)):
            if candidate in self._by_path:
                return self._by_path[candidate]
        return _nearest(folder, self._by_name.get(PurePosixPath(path).name.lower(), []))

    def by_stem(self, folder: str, name: str) -> str | None:
        """The image whose name without ending is that of `name`."""
        return _nearest(folder, self._by_stem.get(stem(name).lower(), []))

    def by_exact_name(self, folder: str, name: str) -> str | None:
        return _nearest(folder, self._by_name.get(PurePosixPath(name.replace("\\", "/")).name.lower(), []))


def _joined(folder: str, path: str) -> str:
    parts: list[str] = []
    for part in (*PurePosixPath(folder).parts, *PurePosixPath(path.lstrip("/")).parts):
        if part == ".." and parts:
            parts.pop()
        elif part not in (".", ".."):
            parts.append(part)
    return "/".join(parts).lower()


def _nearest(folder: str, names: list[str]) -> str | None:
    """The one whose folder shares most with `folder`; two equally near ones are ambiguous, the first counts."""
    if not names:
        return None
    own = PurePosixPath(folder).parts

    def shared(name: str) -> int:
        count = 0
        for mine, other in zip(own, PurePosixPath(name).parts[:-1], strict=False):
            if mine != other:
                break
            count += 1
        return count

    return max(names, key=shared)


def take_records(
    index: ImageIndex,
    records: Mapping[str, Record],
    remarks: list[Remark],
    split_of: Callable[[str], str | None] = split_of_path,
) -> list[Record]:
    """Records of all images in the archive's order; those without annotations are said to have none."""
    result = []
    for name in index.images:
        record = records.get(name)
        if record is None:
            record = Record(name, split=split_of(name))
            detail = "No annotation file speaks of this image; it is kept unlabelled."
            remarks.append(Remark(name, "no_annotations", detail))
        result.append(record)
    return result


def number(text: object) -> float:
    """A float from text or a JSON number; NaN for anything else, which the check of boxes then rejects."""
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        return float("nan")
    try:
        return float(text)
    except (ValueError, OverflowError):
        return float("nan")
