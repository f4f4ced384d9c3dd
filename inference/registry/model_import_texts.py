"""What users say about a model of their own, as other tools write it: its labels and its anchors."""

from __future__ import annotations

import ast
import configparser
import json
from typing import Any

from accounts.names import is_one_line

MAX_LABELS = 10_000
MAX_LABEL_LENGTH = 100
MAX_PRINTED = 200_000


class UploadProblem(ValueError):
    """What was said about the model cannot be understood; the text is for the user."""


def parse_labels(text: str) -> list[str]:
    """Labels in the order of the model's outputs: one a line, a list, or an object `{label: index}`.

    List and object may be JSON or as Python prints them; they are read as data, nothing is evaluated.

    Lines of a keras-retinanet `classes.csv` (`label,index`) are understood too.

    Raises:
        UploadProblem.
    """
    stripped = text.lstrip("\ufeff").strip()
    names = _json_labels(stripped) if stripped[:1] in ("[", "{") else _line_labels(stripped)
    names = [name.strip() for name in names]
    if not names or any(not name or len(name) > MAX_LABEL_LENGTH for name in names):
        raise UploadProblem(f"Every label needs a name of at most {MAX_LABEL_LENGTH} characters.")
    if not all(map(is_one_line, names)):
        raise UploadProblem("Every label is one line of text, without control characters.")
    if len(set(names)) != len(names):
        raise UploadProblem("A label is named twice.")
    if len(names) > MAX_LABELS:
        raise UploadProblem(f"At most {MAX_LABELS} labels.")
    return names


def _json_labels(text: str) -> list[str]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        document = _printed_by_python(text)
        if document is None:
            raise UploadProblem(f"The labels are no valid JSON: {error}.") from error
    if isinstance(document, list) and all(isinstance(name, str) for name in document):
        return document
    if isinstance(document, dict):
        return _in_order(document)
    raise UploadProblem('The labels must be a list of texts, or an object such as {"cat": 0, "dog": 1}.')


def _printed_by_python(text: str) -> Any:
    """A list or object of literals such as `{'cat': 0}`; None when it is none."""
    if len(text) > MAX_PRINTED:
        return None
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None


def _line_labels(text: str) -> list[str]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    pairs = [line.rsplit(",", 1) for line in lines]
    if lines and all(len(pair) == 2 and pair[1].strip().isdecimal() for pair in pairs):
        return _in_order({name: int(index) for name, index in pairs})
    return lines


def _in_order(indices: dict) -> list[str]:
    if any(isinstance(index, bool) or not isinstance(index, int) for index in indices.values()):
        raise UploadProblem("The number of every label must be a whole number.")
    if sorted(indices.values()) != list(range(len(indices))):
        raise UploadProblem(f"The numbers of the labels must be 0 to {len(indices) - 1}, each once.")
    return sorted(indices, key=indices.__getitem__)


def parse_anchor_config(text: str) -> dict[str, list[float]] | None:
    """`[anchor_parameters]` of a keras-retinanet configuration file; None for an empty text.

    Raises:
        UploadProblem.
    """
    if not text.strip():
        return None
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
        section = parser["anchor_parameters"]
        anchors = {
            name: [float(word) for word in section[name].split()] for name in ("sizes", "strides", "ratios", "scales")
        }
    except (configparser.Error, KeyError, ValueError) as error:
        raise UploadProblem(
            "The anchors must be the configuration file of keras-retinanet, with [anchor_parameters] and its sizes, "
            f"strides, ratios and scales as numbers ({error})."
        ) from error
    if not all(anchors.values()) or any(not 0 < value < 1e5 for values in anchors.values() for value in values):
        raise UploadProblem("The anchors must be numbers above 0.")
    return anchors
