"""A folder a label: for classification, and for images without annotations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from datasets.formats.base import SPLIT_FOLDERS, SPLIT_NAMES, Contents, Exported, Mark, Parsed, Record

MAX_LABEL = 100


def read(contents: Contents) -> Parsed:
    """The last folder is the label; one folder around everything is looked through; train, valid and test are splits.

    Every file gets a record, so that what is no image is rejected with a reason.
    """
    names = contents.names
    folders = [PurePosixPath(name).parts[:-1] for name in names if ".." not in name.split("/")]
    skip = _common_depth(folders)
    below = [parts[skip:] for parts in folders if len(parts) > skip]
    are_splits = bool(below) and all(_is_split(parts[0]) for parts in below)
    records = []
    labels: dict[str, None] = {}
    for name in names:
        parts = PurePosixPath(name).parts[:-1][skip:]
        split = None
        if are_splits and parts and _is_split(parts[0]):
            split = SPLIT_NAMES.get(parts[0].lower())
            parts = parts[1:]
        label = parts[-1].strip()[:MAX_LABEL] if parts else ""
        if label:
            labels[label] = None
        records.append(Record(name, [Mark(label)] if label else [], split, is_annotated=bool(label)))
    return Parsed(records, list(labels))


def _is_split(part: str) -> bool:
    return part.lower() in SPLIT_NAMES or part == SPLIT_FOLDERS[None]


def _common_depth(folders: list[tuple[str, ...]]) -> int:
    """How many folders lie around all labels. A single class folder is a label, not a wrapper."""
    depth = 0
    while folders and all(len(parts) > depth for parts in folders):
        if len({parts[depth] for parts in folders}) != 1 or not any(len(parts) > depth + 1 for parts in folders):
            break
        depth += 1
    return depth


class FolderWriter:
    """`split/label/name`; images without a label lie in their split."""

    def __init__(self, labels: list[str]) -> None:
        self._folders = _folder_names(labels)

    def add(self, exported: Exported) -> Iterator[tuple[str, bytes]]:
        return iter(())

    def image_path(self, exported: Exported) -> str:
        label = self._folders[exported.marks[0].label] + "/" if exported.marks else ""
        return f"{SPLIT_FOLDERS[exported.split]}/{label}{exported.filename}"

    def finish(self) -> Iterator[tuple[str, bytes]]:
        return iter(())


def _folder_names(labels: list[str]) -> dict[str, str]:
    """Labels as folder names: separators replaced, no two the same."""
    taken: set[str] = set()
    names: dict[str, str] = {}
    for label in labels:
        base = label.replace("/", "_").replace("\\", "_").replace("\x00", "_").lstrip(".") or "_"
        name, count = base, 2
        while name.lower() in taken:
            name, count = f"{base} ({count})", count + 1
        taken.add(name.lower())
        names[label] = name
    return names
