"""Label Studio: tasks with annotations in JSON, whole or JSON-MIN (labelstud.io, "Export formats").

Boxes are in percent of the image. Of several annotations of a task the one that is marked as ground truth counts, else
the newest; predictions are no annotations.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from vision.formats.base import (
    SPLIT_FOLDERS,
    Exported,
    ParsedAnnotation,
    ending_of,
    is_image,
    split_of_filename,
    split_of_word,
)
from vision.formats.claims import FRACTIONS, Claim
from vision.formats.collection import Collection
from vision.formats.documents import JsonFile
from vision.formats.shapes import Box, around, around_ellipse, number, points_of, size_of, turned
from vision.words import counted

GROUP = "label_studio"
IMAGE_KEYS = ("image", "img", "url", "photo", "picture", "ocr", "file", "path")
SPLIT_KEYS = ("split", "subset")
ANNOTATIONS = ("annotations", "completions")
WITHOUT_LABELS = ("relation", "textarea", "number", "rating", "datetime", "taxonomy", "pairwise", "ranker")
SHAPE_KINDS = ("rectangle", "polygon", "ellipse", "brush", "keypoint")
PLACE_KEYS = ("x", "y", "width", "height", "points", "radiusX", "radiusY")
SHAPES = ("rectanglelabels", "polygonlabels", "ellipselabels", "labels", "choices", "hypertextlabels")


def is_it(file: JsonFile) -> bool:
    first = file.first() if file.is_list else None
    if not isinstance(first, dict):
        return False
    if isinstance(first.get("data"), dict) and any(key in first for key in (*ANNOTATIONS, "predictions", "id")):
        return True
    return _is_min(first)


def _is_min(row: dict) -> bool:
    lists = [value for value in row.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
    has_result = any("original_width" in value[0] or "rectanglelabels" in value[0] for value in lists)
    return has_result or ("annotation_id" in row and "annotator" in row)


def read(collection: Collection, file: JsonFile) -> None:
    for position, task in enumerate(file.items(), start=1):
        if isinstance(task, dict):
            _task(collection, file.name, position, task)


def is_table(header: Sequence[str]) -> bool:
    """Whether a table is an export as CSV or TSV: JSON-MIN with a line a task."""
    return {"annotation_id", "annotator"} <= set(header)


def read_table(
    collection: Collection, source: str, header: Sequence[str], rows: Iterable[tuple[int, list[str]]]
) -> None:
    """Rows are `(line, cells)`, without the first."""
    for line, cells in rows:
        _task(collection, source, line, {name: _cell(cell) for name, cell in zip(header, cells, strict=False) if cell})


def _cell(text: str) -> object:
    if not text.startswith(("[", "{")):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _task(collection: Collection, source: str, position: int, task: dict) -> None:
    data: dict = task["data"] if isinstance(task.get("data"), dict) else task
    said = _image_of(data)
    if not said:
        detail = f"Task {position} names no image; it is left out."
        collection.say("incomplete_annotation", detail, source, position)
        return
    own = next((split_of_word(str(data[key])) for key in SPLIT_KEYS if isinstance(data.get(key), str)), None)
    split = own or split_of_filename(source)
    is_whole = data is not task
    results = _results(collection, source, position, task) if is_whole else _min_results(task)
    claim = collection.claim(
        GROUP,
        source,
        *_names(said),
        number=position,
        split=split,
        size=_size(results or ()),
        is_annotated=results is not None,
    )
    if results is None and is_whole:
        _say_open(collection, claim, position, task)
    if results and len(_images_of(data)) > 1:
        results = _of_image(collection, claim, results, _key_of(data))
    labelled = {result.get("id") for result in results or () if isinstance(result, dict) and _labels(result)}
    named = {_place(result) for result in results or () if isinstance(result, dict) and _is_named_shape(result)}
    for position, result in enumerate(results or (), start=1):
        if not _is_choice_of_region(collection, claim, result, position, named):
            _result(collection, claim, result, position, labelled - {None})


def _is_choice_of_region(collection: Collection, claim: Claim, result: object, position: int, named: set) -> bool:
    """A choice about one region is no label of the image; of a region that has no other, nobody knows what it is."""
    if not isinstance(result, dict) or "choices" not in _value(result) or not _place(result):
        return False
    if _place(result) not in named:
        detail = f"Region {position} has choices and no label of its own; it is left out."
        collection.leave_out(claim, "incomplete_annotation", detail, position)
    return True


def _is_named_shape(result: dict) -> bool:
    return _labels(result) is not None and "choices" not in _value(result)


def _place(result: dict) -> str:
    """Where a region lies, which all results of it repeat; nothing of a result about the whole image."""
    value = _value(result)
    return str([value[key] for key in PLACE_KEYS if key in value] or "")


def _split_url(text: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError:  # brackets that are no address
        return SplitResult("", "", text, "", "")


def _images_of(data: dict) -> set[str]:
    return {value for value in data.values() if isinstance(value, str) and is_image(_split_url(value).path)}


def _of_image(collection: Collection, claim: Claim, results: Sequence, key: str) -> list:
    """What was drawn on the image at `key`, of a task that has several."""
    own = [result for result in results if isinstance(result, dict) and result.get("to_name") == key]
    if len(own) < len(results):
        others = counted(len(results) - len(own), "region is", "regions are")
        detail = f"The task has several images, and {others} not of {key!r}."
        collection.leave_out(claim, "several_images", detail)
    return own


def _key_of(data: dict) -> str:
    return next((key for key in IMAGE_KEYS if isinstance(data.get(key), str)), "")


def _image_of(data: dict) -> str:
    if key := _key_of(data):
        return data[key]
    texts = [value for value in data.values() if isinstance(value, str)]
    return next((text for text in texts if "/" in text or ending_of(text)), "")


def _names(said: str) -> Sequence[str]:
    """The names that an image may have: of a path, of a URL, of an upload, of a file in a served folder."""
    parts = _split_url(said)
    path = parse_qs(parts.query).get("d", [""])[0] or (unquote(parts.path) if parts.scheme else said.partition("?")[0])
    names = [path, unquote(path)]
    base = unquote(path).rpartition("/")[2]
    if "/data/upload/" in path or parts.scheme or path.startswith("/data/"):
        names.append(base)
    return tuple(dict.fromkeys(name for name in names if name))


def _results(collection: Collection, source: str, position: int, task: dict) -> list | None:
    """What was drawn on a task; None when nobody has annotated it."""
    done = [row for row in _annotations(task) if not row.get("was_cancelled") and isinstance(row.get("result"), list)]
    if not done:
        return None
    if len(done) > 1:
        detail = (
            f"Task {position} has {len(done)} annotations; the one marked as ground truth, or the newest, was taken."
        )
        collection.say("several_annotations", detail, source, position)
    best = max(done, key=_worth)
    return best["result"] + ([] if best.get("ground_truth") else _other_choices(best, done))


def _annotations(task: dict) -> list[dict]:
    rows: list = next((task[key] for key in ANNOTATIONS if isinstance(task.get(key), list)), [])
    return [row for row in rows if isinstance(row, dict)]


def _say_open(collection: Collection, claim: Claim, position: int, task: dict) -> None:
    """Why a task has no annotations that count, though it has something."""
    skipped = [row for row in _annotations(task) if row.get("was_cancelled")]
    if skipped:
        drawn = ", and what was drawn on it before was not taken" if any(row.get("result") for row in skipped) else ""
        detail = f"Task {position} was skipped in Label Studio{drawn}; its image was kept unlabelled."
        collection.say("skipped_task", detail, claim, position)
    elif task.get("predictions"):
        detail = f"Task {position} has predictions only, which are no annotations; its image was kept unlabelled."
        collection.say("predictions_left_out", detail, claim, position)


def _worth(annotation: dict) -> tuple[bool, str, float]:
    return bool(annotation.get("ground_truth")), str(annotation.get("updated_at") or ""), number_of(annotation)


def _other_choices(best: dict, done: list[dict]) -> list[dict]:
    """Labels of the whole image that others have chosen last: who is right is not a matter of who was last."""
    others: dict[str, dict] = {}
    for row in sorted(done, key=_worth):
        others[str(row.get("completed_by"))] = row
    others.pop(str(best.get("completed_by")))
    return [
        result
        for row in others.values()
        for result in row["result"]
        if isinstance(result, dict) and "choices" in _value(result) and result.get("type") == "choices"
        if not any(isinstance(other, dict) and other.get("type") not in (None, "choices") for other in row["result"])
    ]


def number_of(row: dict) -> float:
    value = number(row.get("id"))
    return value if math.isfinite(value) else 0.0


def _min_results(task: dict) -> list | None:
    """JSON-MIN: what was drawn stands at the name of its control."""
    results: list = []
    for key, value in task.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            results += value
        elif isinstance(value, dict) and isinstance(value.get("choices"), list):
            results.append(value)
        elif key in ("choice", "choices", "class", "label") and isinstance(value, str):
            results.append({"choices": [value]})
    return results or None  # an empty list is not written: nobody knows what the task asked for


def _size(results: Sequence) -> tuple[int, int] | None:
    for result in results:
        if isinstance(result, dict):
            size = size_of(result.get("original_width"), result.get("original_height"))
            if size is not None and not number(result.get("image_rotation") or 0):
                return size
    return None


def _value(result: dict) -> dict:
    return result["value"] if isinstance(result.get("value"), dict) else result


def _labels(result: dict) -> list | None:
    value = _value(result)
    return next((value[key] for key in SHAPES if isinstance(value.get(key), list) and value[key]), None)


def _result(collection: Collection, claim: Claim, result: object, position: int, labelled: set) -> None:
    if not isinstance(result, dict):
        collection.leave_out(claim, "incomplete_annotation", f"Region {position} is none; it is left out.", position)
        return
    value, labels = _value(result), _labels(result)
    kind = str(result.get("type", ""))
    if kind == "taxonomy":
        detail = f"Region {position} is of a taxonomy, which is not read; it is left out."
        collection.leave_out(claim, "incomplete_annotation", detail, position)
        return
    if kind in WITHOUT_LABELS:
        claim.ignored += 1  # the image is not empty for having no boxes: boxes were not what was asked for
        return
    if labels is None:
        if "value" in result and kind in SHAPE_KINDS and result.get("id") in labelled:
            return  # the shape again, without its label: another result of the same id has both
        detail = f"Region {position} ({kind or 'unknown'}) has no label that is read; it is left out."
        collection.leave_out(claim, "incomplete_annotation", detail, position)
        return
    if result.get("image_rotation") not in (None, 0, "0"):
        detail = f"Region {position} was drawn on a turned image; it is left out."
        collection.leave_out(claim, "image_rotated", detail, position)
        return
    if "choices" in value:
        for label in labels:
            collection.add(claim, label, None, position)
        return
    box, is_outline = _box(value)
    if box is None:
        detail = f"Region {position} ({kind}) has no box; it is left out."
        collection.leave_out(claim, "incomplete_annotation", detail, position)
        return
    if is_outline:
        collection.say_outline(claim, f"Region {position} is no upright box", position)
    for label in labels:
        collection.add(claim, label, [edge / 100 for edge in box], position, FRACTIONS)


def _box(value: dict) -> tuple[Box | None, bool]:
    """In percent; and whether it is the box around something else."""
    if isinstance(value.get("points"), list):
        return around(points_of(value["points"])), True
    x, y = number(value.get("x")), number(value.get("y"))
    if "radiusX" in value:
        return around_ellipse(x, y, number(value.get("radiusX")), number(value.get("radiusY"))), True
    width, height = number(value.get("width")), number(value.get("height"))
    if not all(map(math.isfinite, (x, y, width, height))):
        return None, False
    degrees = number(value.get("rotation") or 0)
    if not degrees:
        return (x, y, x + width, y + height), False
    # Turned about its own corner, in pixels: percent of two sides are no angles.
    across, down = number(value.get("original_width")), number(value.get("original_height"))
    scale = across / down if across > 0 and down > 0 else 1.0
    box = turned((x * scale, y, (x + width) * scale, y + height), degrees, (x * scale, y))
    return (box[0] / scale, box[1], box[2] / scale, box[3]), True


class LabelStudioWriter:
    """`tasks.json` with finished annotations, the images in a folder a split; `data.split` says which."""

    def __init__(self, labels: list[str]) -> None:
        self._tasks: list[dict] = []
        self._labels = labels

    def image_path(self, exported: Exported) -> str:
        return f"{SPLIT_FOLDERS[exported.split]}/{exported.filename}"

    def add(self, exported: Exported) -> Iterator[tuple[str, bytes]]:
        path = self.image_path(exported)
        data = {"image": path} | ({"split": exported.split} if exported.split else {})
        boxes = [mark for mark in exported.marks if mark.box is not None]
        written = [_written(mark, exported, f"{len(self._tasks)}-{place}") for place, mark in enumerate(boxes)]
        choices = [mark.label for mark in exported.marks if mark.box is None]
        # Of `<Choices choice="multiple">` one result has all that were chosen.
        results = [*([_chosen(choices, exported, f"{len(self._tasks)}-choice")] if choices else []), *written]
        annotations = [{"result": results, "was_cancelled": False}] if exported.is_annotated else []
        self._tasks.append({"id": len(self._tasks) + 1, "data": data, "annotations": annotations})
        return iter(())

    def finish(self) -> Iterator[tuple[str, bytes]]:
        yield "tasks.json", json.dumps(self._tasks, ensure_ascii=False).encode()


def _about(exported: Exported, identifier: str) -> dict:
    size = {"original_width": exported.width, "original_height": exported.height}
    return {"id": identifier, "to_name": "image", **size}


def _chosen(labels: list[str], exported: Exported, identifier: str) -> dict:
    value = {"choices": labels}
    return {**_about(exported, identifier), "from_name": "choice", "type": "choices", "value": value}


def _written(mark: ParsedAnnotation, exported: Exported, identifier: str) -> dict:
    assert mark.box is not None
    x_min, y_min, x_max, y_max = mark.box
    place = {
        "x": x_min / exported.width * 100,
        "y": y_min / exported.height * 100,
        "width": (x_max - x_min) / exported.width * 100,
        "height": (y_max - y_min) / exported.height * 100,
        "rotation": 0,
    }
    return {
        **_about(exported, identifier),
        "from_name": "label",
        "type": "rectanglelabels",
        "image_rotation": 0,
        "value": {**place, "rectanglelabels": [mark.label]},
    }
