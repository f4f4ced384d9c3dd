"""YOLO: a text file an image, a line a box: `class x_center y_center width height`, in fractions of the image.

Also outlines, turned boxes and poses of the same family, Darknet's and CVAT's lists.
Source: docs.ultralytics.com, "Ultralytics YOLO format".
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import yaml

from vision.formats.base import SPLIT_FOLDERS, Exported, FormatError, ParsedAnnotation, folder_of, split_of_word, stem
from vision.formats.claims import FRACTIONS, Claim
from vision.formats.collection import Collection
from vision.formats.corners import Reach, from_middle
from vision.formats.encodings import lines_of
from vision.formats.fractions import MOST_FRACTION
from vision.formats.names import clean_path
from vision.formats.shapes import around, number
from vision.words import counted

GROUP = "yolo"
# A list of names has some kilobytes, and an archive one or a few: the parser takes seconds for a megabyte.
MAX_YAML_CHARACTERS = 1 << 20
MAX_YAML_FILES = 20
EXAMPLE = "predefined_classes.txt"  # which labelImg comes with
NAME_FILES = ("classes.txt", "obj.names", "_darknet.labels", EXAMPLE)
NAME_ENDINGS = (".names", ".labels")
SPACES = " \t\r,;"
SEPARATORS = re.compile(r"[\s,;]+")
NUMBERED = re.compile(r"(\d{1,6})[\s:.,;)=-]+(.*\S)")
MOST_OF_BOX = 6  # a class, a box and its score
VISIBILITIES = {0.0, 1.0, 2.0}
# How far boxes that are right reach beyond the image, as a fraction of it.
CARELESS = 0.05


class PlainLoader(yaml.BaseLoader):
    """Values as they are written: `yes`, `010` and `null` are names like others.

    References to other values are refused: a kilobyte of them can stand for gigabytes.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        """Without keys that stand there more than once, 0 and 00 too: nobody can know which of the values is meant."""
        document = super().construct_mapping(node, deep=deep)
        keys = Counter(_meaning(key.value) for key, _ in node.value)
        return {key: value for key, value in document.items() if keys[_meaning(key)] == 1}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("references (*name) are not read")
        return super().compose_node(parent, index)


def _meaning(key: object) -> object:
    text = key.strip() if isinstance(key, str) else key
    return int(text) if isinstance(text, str) and text.isdecimal() else text


@dataclass
class Names:
    """Class names by number, and what else a file of settings says.

    Attributes:
        keypoints: `(count, values each)` of a pose dataset.
        splits: split → paths of folders and lists.
    """

    source: str
    names: dict[int, str] = field(default_factory=dict)
    keypoints: tuple[int, int] | None = None
    splits: dict[str, list[str]] = field(default_factory=dict)

    @cached_property
    def numbers(self) -> range | None:
        """The classes' numbers where none between them is left out."""
        first, last = min(self.names, default=0), max(self.names, default=0)
        return range(first, last + 1) if len(self.names) == last + 1 - first else None

    @property
    def is_yaml(self) -> bool:
        return self.source.lower().endswith((".yaml", ".yml"))


def is_names_file(name: str) -> bool:
    base = name.rpartition("/")[2].lower()
    return base in NAME_FILES or base.endswith((".yaml", ".yml", *NAME_ENDINGS))


def read_names(source: str, text: str) -> Names | None:
    """What a file of class names says; None when it is something else.

    Raises:
        FormatError: it is no YAML.
    """
    if not source.lower().endswith((".yaml", ".yml")):
        # The class is the number of the line, and an empty line is one, too.
        lines = [line.strip() for line in lines_of(text)]
        first = _first_number(lines)
        return Names(source, {class_number: name for class_number, name in enumerate(lines, start=first) if name})
    if len(text) > MAX_YAML_CHARACTERS:
        return None
    try:
        document = yaml.load(text, Loader=PlainLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error)
        place = f"line {mark.line + 1}: " if mark is not None else ""
        raise FormatError("damaged_annotations", f"{place}{reason[:200]}.") from error
    names = document.get("names") if isinstance(document, dict) else None
    if isinstance(names, list):
        names = {str(class_number): name for class_number, name in enumerate(names)}
    if not isinstance(names, dict) or not all(str(key).strip().isdecimal() for key in names):
        return None
    if not all(isinstance(name, str) for name in names.values()):
        return None
    splits = {
        "train": _paths(document.get("train")),
        "validation": _paths(document.get("val")) or _paths(document.get("valid")),
        "test": _paths(document.get("test")),
    }
    return Names(
        source,
        {int(key): name.strip() for key, name in names.items() if name.strip()},
        _keypoints(document.get("kpt_shape")),
        {split: paths for split, paths in splits.items() if paths},
    )


def _first_number(lines: Sequence[str]) -> int:
    """The class of the first line: 1 where lines have the numbers from 1 on and a name behind them (`1 bolt`)."""
    parts = [NUMBERED.match(line) for line in lines if line]
    numbers = [int(part.group(1)) for part in parts if part is not None]
    names = {part.group(2) for part in parts if part is not None}
    is_numbered = len(parts) > 1 and numbers == list(range(1, len(parts) + 1))  # `1 euro`, `2 euro` are names
    return int(is_numbered and len(names) == len(parts) and bool(lines[0]))


def read_data_file(source: str, text: str) -> Names:
    """Darknet's `obj.data`: `train = data/train.txt`."""
    pairs = [line.partition("=") for line in text.splitlines()]
    said = {key.strip().lower(): value.strip() for key, _, value in pairs}
    return Names(source, {}, None, {split_of_word(key) or "": [said[key]] for key in said if split_of_word(key)})


def _paths(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [path for path in values if isinstance(path, str) and path.strip()]


def _keypoints(value: object) -> tuple[int, int] | None:
    if isinstance(value, list) and len(value) == 2 and all(str(part).strip().isdecimal() for part in value):
        return int(value[0]), int(value[1])
    return None


class YoloFiles:
    """The files of class names of an archive, and which of them each label file goes by."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._files: list[Names] = []
        self._nearest: dict[str, Names | None] = {}
        self._said: set[tuple[str, str]] = set()
        self._lacking: list[str] = []
        self._reach = Reach()
        self.damaged: dict[str, str] = {}  # files of settings that cannot be read, and why

    def add(self, names: Names) -> None:
        self._files.append(names)

    @property
    def has_names(self) -> bool:
        return any(names.names for names in self._files)

    def declare(self) -> None:
        """Labels in the order of the files."""
        for names in self._files:
            if names.names and names in self._nearest.values():
                self._collection.declare(names.names[key] for key in sorted(names.names))

    def lists(self) -> dict[str, str]:
        """Path of a list of images → the split that a file of settings gives it."""
        return {
            clean_path(path).rpartition("/")[2].lower(): split
            for names in self._files
            for split, paths in names.splits.items()
            for path in paths
            if path.lower().endswith(".txt")
        }

    def put_folders_in_splits(self) -> None:
        """Folders that settings name for one split alone."""
        for names in self._files:
            base = folder_of(names.source)
            folders = [
                (clean_path(path), split)
                for split, paths in names.splits.items()
                for path in paths
                if not path.lower().endswith(".txt")
            ]
            for folder, split in folders:
                if folder and [other for other, _ in folders].count(folder) == 1:
                    self._put_folder(base, folder, split, names.source)

    def _put_folder(self, base: str, folder: str, split: str, source: str) -> None:
        beside = folder if base == "." else f"{base}/{folder}"
        for image in self._collection.index.images:
            place = folder_of(image) + "/"
            if place.startswith((f"{beside}/", f"{folder}/")) or f"/{folder}/" in f"/{place}":
                self._collection.put_in_split("-", image, split)

    def names_for(self, source: str) -> Names | None:
        """The nearest file of names around `source`; at equal distance a `data.yaml` before a list."""
        folder = folder_of(source)
        if folder not in self._nearest:
            self._nearest[folder] = self._choose(folder)
        return self._nearest[folder]

    def _choose(self, folder: str) -> Names | None:
        files = [names for names in self._files if names.names]
        if not files:
            return None
        own = [] if folder == "." else folder.split("/")

        def order(names: Names) -> tuple:
            theirs = [] if folder_of(names.source) == "." else folder_of(names.source).split("/")
            shared = 0
            for folder, other_folder in zip(own, theirs, strict=False):
                if folder != other_folder:
                    break
                shared += 1
            # A file in a folder beside is further away than one in a folder around.
            return len(theirs) - shared, -shared, not names.is_yaml

        best = min(files, key=order)
        for other in files:
            if _disagree(best, other) and (best.source, other.source) not in self._said:
                self._said.add((best.source, other.source))
                detail = (
                    f"{best.source} and {other.source} name the classes differently; {best.source} was taken, which is "
                    "nearer to the label files."
                )
                self._collection.say("names_disagree", detail, other.source)
        return best

    def read(self, source: str, lines: Sequence[str]) -> None:
        """One label file."""
        names = self.names_for(source)
        claim = self._collection.claim(GROUP, source)
        if names is None:
            claim.left_out += 1
            self._lacking.append(source)
            return
        for position, line in enumerate(lines, start=1):
            if text := line.strip(SPACES):
                self._line(claim, names, position, SEPARATORS.split(text))

    def _line(self, claim: Claim, names: Names, position: int, words: list[str]) -> None:
        values = [number(word) for word in words]
        identifier = values[0]
        is_whole = math.isfinite(identifier) and identifier.is_integer()
        label = names.names.get(int(identifier)) if is_whole else None
        if is_whole and (numbers := names.numbers):
            self._collection.class_numbers.use(names.source, names.source, numbers, int(identifier), claim)
        if not label:
            known = counted(len(names.names), "name")
            detail = f"Line {position}: class {words[0]} is not among the {known} of {names.source}."
            self._collection.leave_out(claim, "unknown_label", detail, position)
            return
        box, is_outline = _box(values[1:], names.keypoints)
        if box is None:
            detail = f"Line {position} has {counted(len(values), 'value')}; 5 are expected, or an outline."
            self._collection.leave_out(claim, "incomplete_annotation", detail, position)
        elif not all(math.isfinite(edge) for edge in box):
            detail = f"Line {position} has a value that is no number; it is left out."
            self._collection.leave_out(claim, "box_not_finite", detail, position)
        elif max(map(abs, box)) > MOST_FRACTION:
            detail = f"Line {position} is not in fractions of the image, which lie between 0 and 1; it is left out."
            self._collection.leave_out(claim, "not_fractions", detail, position)
        else:
            if is_outline:
                self._collection.say_outline(claim, f"Line {position} has an outline", position)
            if is_outline or len(values) > MOST_OF_BOX:
                self._reach.are_corners = False
            else:
                self._reach.add_fractions((box[0], box[1], box[2], box[3]))
            self._collection.add(claim, label, box, position, FRACTIONS)

    def settle_corners(self) -> None:
        """Boxes of two corners in all label files, where a middle and a size are expected."""
        claims = self._collection.claims_of(GROUP)
        self._reach.settle(self._collection, claims[0].source if claims else "", claims, from_middle)

    def say_lacking(self) -> None:
        """That there were label files and no names for their classes."""
        if self._lacking:
            count = "1 label file" if len(self._lacking) == 1 else f"{len(self._lacking):,} label files"
            detail = (
                f"The archive has no data.yaml with names and no classes.txt, so the class numbers of {count} mean "
                "nothing: the images were kept unlabelled. Add one and import the archive again."
            )
            if known := self._collection.label_maps.source:
                detail += f" {known} is of TensorFlow, which numbers classes from 1, and YOLO from 0: it was not used."
            for source, reason in list(self.damaged.items())[:1]:
                detail += f" {source} cannot be read: {reason}"
            self._collection.say("no_class_names", detail, self._lacking[0])


def is_label_file(lines: Sequence[str]) -> bool:
    """Whether lines are numbers, at least five of them, a whole one first."""
    rows = [SEPARATORS.split(line.strip(SPACES)) for line in lines[:50] if line.strip(SPACES)]
    return bool(rows) and any(
        len(row) >= 5 and math.isfinite(number(row[0])) and sum(math.isfinite(number(word)) for word in row) >= 4
        for row in rows[:20]
    )


def _disagree(first: Names, second: Names) -> bool:
    return any(first.names[key] != second.names[key] for key in first.names.keys() & second.names.keys())


def _box(values: list[float], keypoints: tuple[int, int] | None) -> tuple[tuple[float, ...] | None, bool]:
    """The box of a line's values behind the class, and whether it is the one around an outline."""
    count = len(values)
    if count in (4, 5):  # the fifth is a score
        return _from_middle(values), False
    if keypoints is not None and count in (4 + keypoints[0] * keypoints[1], 5 + keypoints[0] * keypoints[1]):
        return _from_middle(values), False
    if count < 6 or _may_be_tracked(values):
        return None, False
    if _is_pose(values):
        return _from_middle(values), False
    if count % 2 == 0:
        outline = around(zip(values[0::2], values[1::2], strict=True))
        return outline, True
    return None, False


def _may_be_tracked(values: list[float]) -> bool:
    """Whether a box, its score and the number of its track may stand here, as trackers write them, or three points."""
    if len(values) != 6 or not (values[5] >= 1 and values[5].is_integer() and 0 <= values[4] <= 1):
        return False
    return all(-CARELESS <= edge <= 1 + CARELESS for edge in _from_middle(values))


def _is_pose(values: list[float]) -> bool:
    """Whether a box and keypoints `x y visibility` stand here: an odd number of values is no outline, and visibilities
    are all 0, 1 or 2."""
    rest = values[4:]
    return len(rest) % 3 == 0 and set(rest[2::3]) <= VISIBILITIES and (len(values) % 2 == 1 or len(rest) >= 9)


def _from_middle(values: list[float]) -> tuple[float, float, float, float]:
    x, y, width, height = values[:4]
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


class YoloWriter:
    """`split/images`, `split/labels` and `data.yaml`."""

    def __init__(self, labels: list[str]) -> None:
        self._ids = {label: identifier for identifier, label in enumerate(labels)}
        self._splits: set[str | None] = set()

    def image_path(self, exported: Exported) -> str:
        return f"{SPLIT_FOLDERS[exported.split]}/images/{exported.filename}"

    def add(self, exported: Exported) -> Iterator[tuple[str, bytes]]:
        self._splits.add(exported.split)
        if exported.is_annotated:
            lines = [self._line(mark, exported) for mark in exported.marks]
            path = f"{SPLIT_FOLDERS[exported.split]}/labels/{stem(exported.filename)}.txt"
            yield path, "".join(lines).encode()

    def _line(self, mark: ParsedAnnotation, exported: Exported) -> str:
        assert mark.box is not None
        x_min, y_min, x_max, y_max = mark.box
        width, height = exported.width, exported.height
        values = (
            (x_min + x_max) / 2 / width,
            (y_min + y_max) / 2 / height,
            (x_max - x_min) / width,
            (y_max - y_min) / height,
        )
        return f"{self._ids[mark.label]} " + " ".join(f"{value:.12g}" for value in values) + "\n"

    def finish(self) -> Iterator[tuple[str, bytes]]:
        document: dict = {"names": list(self._ids), "nc": len(self._ids)}
        for key, split in (("train", "train"), ("val", "validation"), ("test", "test")):
            if split in self._splits:
                document[key] = f"{SPLIT_FOLDERS[split]}/images"
        yield "data.yaml", yaml.safe_dump(document, allow_unicode=True, sort_keys=False).encode()
