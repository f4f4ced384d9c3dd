"""Tables that name images and say something else of them than a label or a box."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterable, Sequence

from vision.formats.shapes import number

SPLITS = ("split", "subset", "set", "usage", "data_set")
# Columns that say nothing about what an image shows: with these alone a table leaves no trace, as captions do.
FACTS = {
    "url", "link", "source", "origin", "license", "licence", "author", "credit", "copyright", "md5", "sha1", "sha256",
    "hash", "checksum", "size", "filesize", "file_size", "bytes", "width", "height", "image_width", "image_height",
    "channels", "depth", "format", "date", "time", "datetime", "timestamp", "created", "created_at", "updated_at",
    "caption", "captions", "description", "comment", "comments", "text", "sentence", "title", "prompt", "alt", "lat",
    "lon", "latitude", "longitude", "camera", "device", "index", "unnamed:_0", "",
}  # fmt: skip
# What models say is no label that somebody has given.
PREDICTIONS = {
    "prediction",
    "predictions",
    "predicted",
    "pred",
    "predictionstring",
    "prediction_string",
    "predicted_class",
    "predicted_label",
}
# Parts of the names of columns that only tables of boxes, points and outlines have: `xmin (px)`, `Roi.X1`.
PLACE_PARTS = {"xmin", "ymin", "xmax", "ymax", "x1", "y1", "x2", "y2", "bbox", "bboxes", "polygon", "segmentation",
               "rle", "encodedpixels", "landmark", "landmarks", "keypoints"}  # fmt: skip
# What tables call the number of a class, and no class is called: 0 and 1 there do not say whether an image has it.
ANSWERS = {"target", "targets", "y", "gt", "ground_truth", "answer", "value", "result", "outcome", "class_idx",
           "class_index", "label_id", "label_idx", "label_index", "category_id"}  # fmt: skip
PARTS = re.compile(r"[^a-z0-9]+")
LEAST_REPEATED = 20  # so many rows with a value each that no other has are no labels
MOST_WORDS = 6
LIST = re.compile(r"""^\[\s*(?:["'].*["'])?\s*\]$""", re.DOTALL)
MISSING = {"nan", "<na>", "#n/a", "n/a"}  # as pandas and spreadsheets write that a value is missing
MOST_LIST = 5_000
DIVIDERS = re.compile(r"[\s,;|]+")
SUBMISSION = re.compile(r"submission", re.IGNORECASE)


def is_submission(name: str) -> bool:
    """Whether a file is an example of what a competition wants to have, with the same label for every image."""
    return bool(SUBMISSION.search(name.rpartition("/")[2]))


def has_places(header: Sequence[str]) -> bool:
    """Whether a column is of boxes, points or outlines by a part of its name."""
    return any(not PLACE_PARTS.isdisjoint(PARTS.split(name)) for name in header)


def are_facts(names: Sequence[str]) -> bool:
    """Whether all columns beside that of the image say nothing about what it shows."""
    return all(name in FACTS or name in SPLITS for name in names)


def may_be_labels(name: str, values: Sequence[str], *, is_known: bool = False) -> bool:
    """Whether a column has labels of whole images.

    Args:
        is_known: it is called as columns of labels are.
    """
    filled = [value for value in values if value]
    if name in PREDICTIONS or any(_are_places(value) for value in filled):
        return False
    if is_known:
        return True
    if filled and all(math.isfinite(number(word)) for value in filled for word in value.split()):
        return False  # an age, a price, a class, several: nobody knows
    if any("://" in value or len(value.split()) > MOST_WORDS for value in filled):
        return False
    return len(filled) < LEAST_REPEATED or len(set(filled)) < len(filled)


def _are_places(value: str) -> bool:
    """Four or more numbers, perhaps behind a name: `n01 5 6 25 26`, runs of a mask, `[5, 6, 25, 26]`."""
    if value.startswith(("[{", '{"')):
        return True  # regions as JSON
    words = value.strip("[]()").replace(",", " ").split()
    return len(words) >= 4 and sum(math.isfinite(number(word)) for word in words) >= max(4, len(words) - 2)


def lists_of_labels(values: Iterable[str]) -> set[str]:
    """Values that may be several labels: their parts are values of their own, of those with `;` or `|` at least one."""
    known = set(values)
    parts = {value: set(DIVIDERS.split(value)) for value in known if DIVIDERS.search(value)}
    return {
        value for value, words in parts.items() if words <= known or ((";" in value or "|" in value) and words & known)
    }


def is_missing(value: str) -> bool:
    return value.lower() in MISSING


def labels_of(value: str) -> list[str]:
    """The labels of a cell: one, none, or those of a list such as `['cat', 'dog']`."""
    if is_missing(value):
        return []
    if not LIST.match(value) or len(value) > MOST_LIST:
        return [value]
    try:
        labels = ast.literal_eval(value)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return [value]
    is_of_labels = isinstance(labels, list) and all(isinstance(label, str) for label in labels)
    return labels if is_of_labels else [value]
