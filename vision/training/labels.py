"""The list of labels beside a network's files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def write_labels(path: Path, class_names: Sequence[str]) -> None:
    """One name a line, in the order of the outputs. A line end inside of a name becomes a space: a list of labels that
    programs read line by line must not be longer than the outputs are many."""
    path.write_text("".join(" ".join(name.splitlines()) + "\n" for name in class_names), encoding="utf-8")
