"""Whether a file or a deployment has other thresholds than its model has now."""

from __future__ import annotations

from inference.models import FileKind, Model, ModelFile
from projects.models import Task
from vision.runtime.kinds import has_boxes_inside

THRESHOLDS = ("score_threshold", "label_thresholds", "iou_threshold")


def settings_inside(model: Model, kind: str) -> dict:
    """What a file that is written now has inside of how a model's output is read, as fields of its report: the
    thresholds in the program of a bundle, a detector's suppression in the graph of an export. Empty for what has none
    of it."""
    task = Task(model.task)
    if task is Task.MULTILABEL:
        return {"label_thresholds": model.label_thresholds} if kind == FileKind.BUNDLE else {}
    if not task.has_boxes:
        return {"score_threshold": model.score_threshold} if kind == FileKind.BUNDLE else {}
    if kind == FileKind.BUNDLE:
        return {"detector": {name: model.detector[name] for name in THRESHOLDS if name in model.detector}}
    return {"detector": {"iou_threshold": model.detector["iou_threshold"]}} if has_boxes_inside(kind) else {}


def is_stale(file: ModelFile) -> bool:
    """Whether those have changed since the file was written. One from before they were noted counts as current."""
    inside = file.report.get("detector", {})
    if any(file.model.detector.get(name) != value for name, value in inside.items()):
        return True
    if "label_thresholds" in file.report:
        return file.report["label_thresholds"] != file.model.label_thresholds
    return "score_threshold" in file.report and file.report["score_threshold"] != file.model.score_threshold


def is_outdated(info: dict, model: Model | None) -> bool:
    """Whether what devices were sent of a model's thresholds is no longer what the model has."""
    if model is None:
        return False
    sent = info.get("detector") or {}
    if any(sent.get(name) != model.detector.get(name) for name in THRESHOLDS if sent):
        return True
    if model.task == Task.MULTILABEL:
        return (info.get("label_thresholds") or {}) != model.label_thresholds
    return model.task == Task.CLASSIFICATION and info.get("score_threshold") != model.score_threshold
