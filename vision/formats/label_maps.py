"""`label_map.pbtxt` of TensorFlow's Object Detection API: the numbers of classes, from 1, and their names.

Its tables have names; some have the numbers of the map instead. It is a protocol buffer as text:
`item { id: 1 name: "bolt" }`.
"""

from __future__ import annotations

import math
import re

from vision.formats.shapes import number

ENDING = ".pbtxt"
MOST_CHARACTERS = 1 << 20
_QUOTED = r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'"
ITEM = re.compile(rf"\bitem\s*:?\s*\{{((?:{_QUOTED}|\{{[^{{}}]*\}}|[^{{}}\"'])*)\}}")
FIELD = re.compile(rf"\b(id|name|display_name)\s*:\s*({_QUOTED}|\d+)")
ESCAPE = re.compile(rb"\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|.)", re.DOTALL)
SIMPLE = {b"n": b"\n", b"t": b"\t", b"r": b"\r"}


class LabelMap:
    """The label maps of an archive.

    Attributes:
        source: the first of them; empty when there is none.
    """

    def __init__(self) -> None:
        self.source = ""
        self._names: dict[int, set[str]] = {}
        self._known: set[str] = set()

    def add(self, source: str, text: str) -> None:
        items = [] if len(text) > MOST_CHARACTERS else ITEM.findall(text)
        for item in items:
            fields = {key: _value(value) for key, value in FIELD.findall(item)}
            name = fields.get("name", "")
            if name.startswith("/") or not name:  # a code, such as /m/01g317
                name = fields.get("display_name") or name
            if name and fields.get("id", "").isdecimal():
                self.source = self.source or source
                self._names.setdefault(int(fields["id"]), set()).add(name)
                self._known.add(name)

    def meaning(self, label: str) -> tuple[str, str]:
        """The name that a label of a table means, and else why nobody knows which."""
        value = number(label)
        if not (math.isfinite(value) and value.is_integer()):
            return label, ""
        names = self._names.get(int(value), set())
        is_name = label in self._known
        if is_name and names <= {label}:
            return label, ""
        if is_name:
            return "", f"{label!r} is a name and a number of {self.source}, and nobody knows which is meant"
        if len(names) != 1:
            what = "the label maps call it differently" if names else f"{self.source} has no such number"
            return "", f"the class {label!r} has no certain name: {what}"
        return next(iter(names)), ""

    def numbers(self) -> range | None:
        """The numbers where none between them is left out."""
        first, last = min(self._names, default=0), max(self._names, default=0)
        return range(first, last + 1) if self._names and len(self._names) == last + 1 - first else None


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
