"""`label_map.pbtxt` of TensorFlow's Object Detection API: the numbers of classes, from 1, and their names.

Its tables have names; some have the numbers of the map instead. It is a protocol buffer as text:
`item { id: 1 name: "bolt" }`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from vision.formats.base import folder_of, folders_around
from vision.formats.shapes import number

ENDING = ".pbtxt"
MOST_CHARACTERS = 1 << 20
_QUOTED = r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'"
ITEM = re.compile(rf"\bitem\s*:?\s*\{{((?:{_QUOTED}|\{{[^{{}}]*\}}|[^{{}}\"'])*)\}}")
FIELD = re.compile(rf"\b(id|name|display_name)\s*:\s*({_QUOTED}|\d+)")
ESCAPE = re.compile(rb"\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|.)", re.DOTALL)
SIMPLE = {b"n": b"\n", b"t": b"\t", b"r": b"\r"}


@dataclass
class ClassNames:
    """What the numbers of classes are called.

    Attributes:
        source: the first file that says so.
    """

    source: str
    names: dict[int, set[str]] = field(default_factory=dict)

    @classmethod
    def joined(cls, sources: Iterable[ClassNames]) -> ClassNames | None:
        result = None
        for class_names in sources:
            result = result or cls(class_names.source)
            for key, names in class_names.names.items():
                result.names.setdefault(key, set()).update(names)
        return result

    @cached_property
    def known(self) -> set[str]:
        return set().union(*self.names.values())

    @cached_property
    def numbers(self) -> range | None:
        """The numbers, where none between them is left out."""
        first, last = min(self.names, default=0), max(self.names, default=0)
        return range(first, last + 1) if self.names and len(self.names) == last + 1 - first else None

    def meaning(self, label: str) -> tuple[str, str]:
        """The name that a label of a table means, and else why nobody knows which."""
        value = number(label)
        if not (math.isfinite(value) and value.is_integer()):
            return label, ""
        names = self.names.get(int(value), set())
        is_name = label in self.known
        if is_name and names <= {label}:
            return label, ""
        if is_name:
            return "", f"{label!r} is a name and a number of {self.source}, and nobody knows which is meant"
        if len(names) != 1:
            what = "several files name it differently" if names else f"{self.source} has no such number"
            return "", f"the class {label!r} has no certain name: {what}"
        return next(iter(names)), ""


class LabelMaps:
    """The label maps of an archive, and other lists of class names, which count where there is no label map."""

    def __init__(self) -> None:
        self._maps: list[ClassNames] = []
        self._lists: list[ClassNames] = []
        self._of_folder: dict[tuple[str, bool], ClassNames | None] = {}

    @property
    def source(self) -> str:
        """The first label map; empty where there is none."""
        return self._maps[0].source if self._maps else ""

    def add(self, source: str, text: str) -> None:
        label_map = ClassNames(source)
        for item in [] if len(text) > MOST_CHARACTERS else ITEM.findall(text):
            fields = {key: _value(value) for key, value in FIELD.findall(item)}
            name = fields.get("name", "")
            if name.startswith("/") or not name:  # a code, such as /m/01g317
                name = fields.get("display_name") or name
            if name and fields.get("id", "").isdecimal():
                label_map.names.setdefault(int(fields["id"]), set()).add(name)
        if label_map.names:
            self._maps.append(label_map)

    def add_list(self, source: str, names: dict[int, str]) -> None:
        """A list of class names, such as `classes.txt`."""
        self._lists.append(ClassNames(source, {key: {name} for key, name in names.items()}))

    def of(self, source: str, *, with_lists: bool) -> ClassNames | None:
        """The names for the numbers in a table: of all label maps, else of the lists in its folder or above."""
        key = folder_of(source), with_lists
        if key not in self._of_folder:
            beside = [names for names in self._lists if folder_of(names.source) in folders_around(source)]
            self._of_folder[key] = ClassNames.joined(self._maps or (beside if with_lists else []))
        return self._of_folder[key]


def _value(text: str) -> str:
    if text[0] not in "\"'":
        return text
    raw = ESCAPE.sub(_unescaped, text[1:-1].encode())
    return raw.decode("utf-8", "replace").strip()


def _unescaped(match: re.Match[bytes]) -> bytes:
    said = match.group(1)
    if said[:1].isdigit():
        return bytes([int(said, 8) & 0xFF])
    return bytes([int(said[1:], 16)]) if said[:1] == b"x" and len(said) > 1 else SIMPLE.get(said, said)
