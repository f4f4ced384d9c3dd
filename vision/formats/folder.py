"""A folder a label: for classification, and for images without annotations."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from vision.formats.base import (
    SPLIT_FOLDERS,
    Exported,
    ImportWarning,
    Parsed,
    ParsedAnnotation,
    Record,
    folder_of,
    split_of_path,
    split_of_word,
)
from vision.formats.boxes import clean_label
from vision.formats.names import IMAGE_FOLDERS
from vision.formats.remarks import about_splits

# What is written beside folders whose names are not those of their labels.
LABELS_FILE = "labels.json"
WRAPPERS = {name.lower() for name in IMAGE_FOLDERS} | {
    "data",
    "dataset",
    "labels",
    "annotations",
    "masks",
    "jpg",
    "jpeg",
    "png",
}
SHOWN_FOLDERS = 20
# What tools call the folder of images that have no label.
NO_LABELS = {"unlabeled", "unlabelled", "no_label", "no label", "nolabel"}


@dataclass(frozen=True)
class Written:
    """What our own `labels.json` says: where it lies, and the label of each folder."""

    base: str
    folders: dict[str, str]


def read(names: Sequence[str], written: Written | None = None) -> Parsed:
    """The last folder is the label; one folder around everything is looked through; train, valid and test are splits,
    around the labels or inside of them.

    Every file gets a record, so that what is no image is rejected with a reason.

    Args:
        written: the archive is one that `FolderWriter` has written.
    """
    if written is not None:
        return _parsed([_as_written(name, written) for name in names], list(written.folders.values()))
    parents = {name: name.split("/")[:-1] for name in names}
    inside = [parts for name, parts in parents.items() if ".." not in name.split("/")]
    skip = _common_depth(inside)
    below = [parts[skip:] for parts in inside if len(parts) > skip]
    at = _place_of_splits(below)
    around = split_of_path("/".join([*inside[0][:skip], ""])) if inside else None  # one split around all labels
    has_wrappers = _have_wrappers(below, at)
    records: list[Record] = []
    labels: dict[str, set[str]] = {}  # and the folders that give them
    places: list[str] = []
    for name in names:
        parts = parents[name][skip:]
        split = around
        if at is not None and len(parts) > at:
            split = split_of_word(parts[at])
            parts = _without(parts, at)
        if has_wrappers and parts and parts[-1].lower() in WRAPPERS:
            parts = parts[:-1]
        label = parts[-1].strip() if parts else ""
        label = "" if label.lower() in NO_LABELS else label
        if label:
            labels.setdefault(label, set()).add("/".join(parts))
        records.append(Record(name, [ParsedAnnotation(label)] if label else [], split, is_annotated=bool(label)))
        places.append("/".join(parts) if label else "")
    inner = _inside_of_others(places)
    for record, place in zip(records, places, strict=True):
        if place in inner:
            record.marks, record.is_annotated = [], False
    used = {label: folders - inner.keys() for label, folders in labels.items() if folders - inner.keys()}
    return _parsed(records, list(used), [*_about_inner(inner), *_about_joined(used)])


def _inside_of_others(places: Iterable[str]) -> dict[str, str]:
    """Folders of images inside of folders that have images, too, and these: `cat/black` in `cat`."""
    folders = set(filter(None, places))
    outer_of = {}
    for folder in folders:
        parts = folder.split("/")
        around = ("/".join(parts[:count]) for count in range(1, len(parts)))
        if (outer := next((path for path in around if path in folders), None)) is not None:
            outer_of[folder] = outer
    return outer_of


def _about_inner(inner: dict[str, str]) -> Iterator[ImportWarning]:
    for place, outer in islice(sorted(inner.items()), SHOWN_FOLDERS):
        detail = (
            f"The folder {place!r} lies in {outer!r}, which has images of its own: nobody knows which of both is the "
            "label, so its images stay unlabelled. Move the folder, or its images."
        )
        yield ImportWarning(place, "folder_in_folder", detail)


def _about_joined(labels: dict[str, set[str]]) -> Iterator[ImportWarning]:
    """That folders of one name became one label: `apple/good` and `pear/good` may be two."""
    for label, folders in islice(
        ((label, folders) for label, folders in labels.items() if len(folders) > 1), SHOWN_FOLDERS
    ):
        first, second = sorted(folders)[:2]
        detail = (
            f"{len(folders):,} folders are called {label!r}, such as {first!r} and {second!r}: their images have the "
            "same label. Rename the folders if they mean different things."
        )
        yield ImportWarning(first, "folders_joined", detail)


def _as_written(name: str, written: Written) -> Record:
    """`split/label/name`, exactly."""
    parts = name.removeprefix(f"{written.base}/").split("/")[:-1]
    split = split_of_word(parts[0]) if parts else None
    label = written.folders.get(parts[1]) if len(parts) > 1 else None
    return Record(name, [ParsedAnnotation(label)] if label else [], split, is_annotated=bool(label))


def _parsed(records: list[Record], labels: list[str], joined: Sequence[ImportWarning] = ()) -> Parsed:
    about = about_splits((record.split for record in records if record.split), len(records))
    remarks = [*joined, *([] if about is None else [ImportWarning("", "splits_incomplete", about)])]
    holds = {"boxes": 0, "whole": sum(len(record.marks) for record in records)}
    names = [label for label in labels if clean_label(label)]
    return Parsed(records, len(records), names, remarks, "folder", holds=holds)


def _place_of_splits(below: list[list[str]]) -> int | None:
    """How deep the folders lie that are called as splits are; None when there are none.

    All of that depth are, or two splits with folders inside of them: `extra` beside these is no label.
    """
    depth = min(map(len, below), default=0)
    at = next((at for at in range(depth) if all(_is_split(parts[at]) for parts in below)), None)
    if at is None and depth:
        splits = [parts for parts in below if split_of_word(parts[0]) is not None]
        has_two = len({split_of_word(parts[0]) for parts in splits}) > 1
        at = 0 if has_two and all(len(parts) > 1 for parts in splits) else None
    return at


def _without(parts: list[str], at: int | None) -> list[str]:
    return parts if at is None else [*parts[:at], *parts[at + 1 :]]


def _have_wrappers(below: list[list[str]], at: int | None) -> bool:
    """Whether all images lie in folders such as `images` inside of their labels, or in one such folder alone."""
    rests = [_without(parts, at) for parts in below]
    rests = [parts for parts in rests if parts]
    return bool(rests) and all(parts[-1].lower() in WRAPPERS for parts in rests)


def read_written(name: str, text: str) -> Written | None:
    """What our own `labels.json` says; None when it is another file."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    folders = document.get("folders") if isinstance(document, dict) else None
    if not isinstance(folders, dict) or not all(isinstance(name, str) for name in folders.values()):
        return None
    return Written(folder_of(name), folders)


def _is_split(part: str) -> bool:
    return split_of_word(part) is not None or part == SPLIT_FOLDERS[None]


def _common_depth(folders: list[list[str]]) -> int:
    """How many folders lie around all labels. A single class folder is a label, not a wrapper."""
    depth = 0
    while folders and all(len(parts) > depth for parts in folders):
        if len({parts[depth] for parts in folders}) != 1 or not any(len(parts) > depth + 1 for parts in folders):
            break
        depth += 1
    return depth


class FolderWriter:
    """`split/label/name`; images without a label lie in their split. `labels.json` has the labels as they are."""

    def __init__(self, labels: list[str]) -> None:
        self._folders = _folder_names(labels)

    def add(self, exported: Exported) -> Iterator[tuple[str, bytes]]:
        return iter(())

    def image_path(self, exported: Exported) -> str:
        label = self._folders[exported.marks[0].label] + "/" if exported.marks else ""
        return f"{SPLIT_FOLDERS[exported.split]}/{label}{exported.filename}"

    def finish(self) -> Iterator[tuple[str, bytes]]:
        folders = {folder: label for label, folder in self._folders.items()}
        document = {"labels": list(self._folders), "folders": folders}
        yield LABELS_FILE, json.dumps(document, ensure_ascii=False, indent=1).encode()


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
