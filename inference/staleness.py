"""Whether a file of a detector was written with other thresholds than the model has now."""

from __future__ import annotations

from inference.models import FileKind, Model, ModelFile
from inference.runtime.kinds import has_boxes_inside
from projects.models import Task

THRESHOLDS = ("score_threshold", "label_thresholds", "iou_threshold")


def settings_inside(model: Model, kind: str) -> dict:
    """What a file that is written now has inside of how a detector's output is read: the thresholds in the program of a
    bundle, the suppression in the graph of an export. Empty for what has none of it."""
    if model.task != Task.DETECTION:
        return {}
    if kind == FileKind.BUNDLE:
        return {name: model.detector[name] for name in THRESHOLDS if name in model.detector}
    return {"iou_threshold": model.detector["iou_threshold"]} if has_boxes_inside(kind) else {}


def is_stale(file: ModelFile) -> bool:
    """Whether those have changed since the file was written. One from before they were noted counts as current."""
    inside = file.report.get("detector", {})
    return any(file.model.detector.get(name) != value for name, value in inside.items())


def is_outdated(info: dict, model: Model | None) -> bool:
    """Whether what devices were told of a detector is no longer what the model says."""
    told = info.get("detector") or {}
    return model is not None and any(told.get(name) != model.detector.get(name) for name in THRESHOLDS if told)
