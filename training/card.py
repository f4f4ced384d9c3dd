"""The model card: what a model is, what it was made from, how good it is and where it fails."""

from __future__ import annotations

import json
from pathlib import Path

from common.words import counted
from inference.models import FileKind
from jobs.engine.files import made_files
from projects.models import Task
from training.measured import thresholds_by_label
from training.models import TrainingRun
from training.multilabel_card import limits_of, quality_of
from vision.training.result import TrainingResult


def model_card(run: TrainingRun, result: TrainingResult, actual: dict, folder: Path) -> dict[str, Path]:
    """Write the card as Markdown and JSON into the folder; returns these and the result's files by kind."""
    card = _facts(run, result, actual)
    markdown, data = folder / "model_card.md", folder / "model_card.json"
    markdown.write_text(_markdown(card), encoding="utf-8")
    data.write_text(json.dumps(card, indent=2, ensure_ascii=False), encoding="utf-8")
    files = made_files(folder, result.files)
    return files | {FileKind.MODEL_CARD: markdown, FileKind.MODEL_CARD_JSON: data}


def _facts(run: TrainingRun, result: TrainingResult, actual: dict) -> dict:
    snapshot = run.snapshot
    remarks = [remark["detail"] for remark in snapshot.counts.get("remarks", ())]
    return {
        "name": run.model_name,
        "task": run.project.task,
        "project": run.project.name,
        "training": str(run.pk),
        "class_names": result.class_names,
        "parameters": result.parameters,
        "data": {
            "dataset": snapshot.name_of_dataset,
            "snapshot": snapshot.number,
            "digest": snapshot.digest,
            "counts": snapshot.counts,
            "unreadable_images": len(result.broken),
        },
        "configuration": result.configuration,
        "versions": result.versions,
        "test": result.metrics,
        "validation": {key: result.validation_metrics[key] for key in VALIDATION if key in result.validation_metrics},
        "litert_largest_difference": result.litert_difference,
        "promised": run.estimate,
        "actual": actual,
        "input": _detector_input(result) if result.detector is not None else _classifier_input(result),
        "detector": result.detector,
        **({} if result.thresholds is None else {"thresholds": thresholds_by_label(result)}),
        "limits": LIMITS[run.project.kind](result, remarks),
    }


VALIDATION = (
    "count",
    "accuracy",
    "accuracy_interval",
    "mean_average_precision",
    "mean_average_precision_interval",
    "micro_f1",
    "ap",
    "ap50",
    "ap50_interval",
)


def _classifier_input(result: TrainingResult) -> dict:
    return {
        "size": [result.configuration["image_size"]] * 2,
        "values": "float32 RGB, 0 to 255, upright; scaled without keeping the aspect ratio",
        "output": "probability of each label, in the order of class_names",
    }


def _detector_input(result: TrainingResult) -> dict:
    return {
        "size": list(result.input_size),
        "values": "float32 RGB, 0 to 255, upright; scaled without distortion, at the top left, the rest grey (114)",
        "output": "boxes (100, 4) as x_min, y_min, x_max, y_max in pixels of the input, scores (100), labels (100) as "
        "numbers into class_names, count of those that are real; raw: offsets and logits of every anchor",
    }


def _detector_limits(result: TrainingResult, remarks: list[str]) -> list[str]:
    metrics = result.metrics
    limits = [
        f"Measured on {counted(metrics['count'], 'test image')} with {counted(metrics['boxes'], 'box', 'boxes')}."
    ]
    if metrics["ap50_interval"]:
        low, high = metrics["ap50_interval"]
        limits[0] += f" On images like these AP50 lies between {low:.3f} and {high:.3f} (95 % confidence)."
    limits.append("Images of another kind (camera, light, background, size of objects) than the data were not tested.")
    scarce = [row["label"] for row in metrics["per_class"] if 0 < row["boxes"] < 20]
    if scarce:
        limits.append(f"Fewer than 20 test boxes: {', '.join(scarce)}. Their figures are rough.")
    return limits + _not_measured(metrics, "box") + remarks


def _limits(result: TrainingResult, remarks: list[str]) -> list[str]:
    metrics = result.metrics
    low, high = metrics["accuracy_interval"]
    limits = [
        f"Measured on {counted(metrics['count'], 'test image')}: the true accuracy on images like these lies between "
        f"{low:.1%} and {high:.1%} (95 % confidence).",
        "Images of another kind (camera, light, background) than the data were not tested.",
        "The model always answers with one of its labels, also for images that show none of them.",
    ]
    scarce = [row["label"] for row in metrics["per_class"] if 0 < row["support"] < 20]
    if scarce:
        limits.append(f"Fewer than 20 test images: {', '.join(scarce)}. Their figures are rough.")
    return limits + _not_measured(metrics, "image") + remarks


def _multilabel_limits(result: TrainingResult, remarks: list[str]) -> list[str]:
    return limits_of(result) + _not_measured(result.metrics, "image") + remarks


LIMITS = {Task.CLASSIFICATION: _limits, Task.MULTILABEL: _multilabel_limits, Task.DETECTION: _detector_limits}


def _not_measured(metrics: dict, thing: str) -> list[str]:
    names = metrics.get("labels_not_measured", [])
    if not names:
        return []
    return [
        f"Not tested, for no test {thing} has them: {', '.join(names)}. Averages over labels cover the other "
        f"{metrics['labels_covered']}."
    ]


def _markdown(card: dict) -> str:
    kind, quality = KINDS[card["task"]]
    configuration = card["configuration"]
    return f"""# {card["name"]}

{kind} with {counted(len(card["class_names"]), "label")}, trained with ML Studio in the project {card["project"]}.

## How good it is

{quality(card)}

## Limits

{_bullets(card["limits"])}

## Data

Dataset {card["data"]["dataset"]}, snapshot {card["data"]["snapshot"]}, digest `{card["data"]["digest"]}`.
Images: {", ".join(f"{split} {count}" for split, count in card["data"]["counts"]["splits"].items())}.

## How it was made

- architecture {configuration["architecture"]}, {card["parameters"]:,} parameters
- input {card["input"]["size"][1]} x {card["input"]["size"][0]} px, {_start(configuration)}
- took {card["actual"]["seconds"]:.0f} s and {card["actual"]["memory_bytes"] / 1e6:.0f} MB of memory{_estimated(card)}
- LiteRT file agrees with Keras to {card["litert_largest_difference"]:.1e}

```json
{json.dumps(configuration, indent=2)}
```

## How to use it

Input: {card["input"]["values"]}, {card["input"]["size"][1]} x {card["input"]["size"][0]} px.
Output: {card["input"]["output"]}.

Made with {", ".join(f"{name} {version}" for name, version in card["versions"].items())}.
"""


def _classifier_quality(card: dict) -> str:
    test = card["test"]
    low, high = test["accuracy_interval"]
    rows = "\n".join(
        f"| {_cell(row['label'])} | {row['precision']:.3f} | {row['recall']:.3f} | {row['f1']:.3f} | {row['support']} |"
        for row in test["per_class"]
    )
    return f"""On {counted(test["count"], "test image")} used neither for training nor for choosing the model:

- accuracy **{test["accuracy"]:.3f}** (95 % confidence interval {low:.3f} to {high:.3f})
- balanced accuracy {test["balanced_accuracy"]:.3f} over {counted(test["labels_covered"], "label")}, macro F1
  {test["macro_f1"]:.3f}, expected calibration error {test["expected_calibration_error"]:.3f}{_confidence(test)}

| label | precision | recall | F1 | test images |
|---|---|---|---|---|
{rows}

### Confusion matrix

Rows are the truth, columns what the model said.

{_matrix(card["class_names"], test["confusion_matrix"])}"""


def _confidence(test: dict) -> str:
    """A line on how confidences were corrected; "" of a training of an earlier release."""
    scaling = test.get("temperature_scaling")
    if not scaling:
        return ""
    if scaling["reason"]:
        return f"\n- confidence is as the network gives it: {scaling['reason']}"
    return (
        f"\n- confidence corrected by a temperature of {scaling['temperature']:.2f}, fitted on "
        f"{counted(scaling['images'], 'validation image')}: calibration error {scaling['error_before']:.3f} without "
        f"it, {scaling['error_after']:.3f} with it"
    )


def _detector_quality(card: dict) -> str:
    test = card["test"]
    interval = test["ap50_interval"]
    sure = f" (95 % confidence interval {interval[0]:.3f} to {interval[1]:.3f})" if interval else ""
    rows = "\n".join(
        f"| {_cell(row['label'])} | {_figure(row['ap50'])} | {_figure(row['ap'])} | {_figure(row['ar'])} | "
        f"{row['threshold']:.2f} | {row['precision']:.3f} | {row['recall']:.3f} | {row['boxes']} |"
        for row in test["per_class"]
    )
    return f"""On {counted(test["count"], "test image")} used neither for training nor for choosing the model, by COCO's
definitions:

- AP50 **{_figure(test["ap50"])}**{sure}
- AP75 {_figure(test["ap75"])}, AP {_figure(test["ap"])}, AR {_figure(test["ar"])}
- at the score thresholds that predictions use (best on the validation images; labels with few boxes there have the
  common one, {test["threshold"]:.2f}): precision {test["precision"]:.3f}, recall {test["recall"]:.3f}

| label | AP50 | AP | AR | threshold | precision | recall | test boxes |
|---|---|---|---|---|---|---|---|
{rows}

### Confusion matrix

Boxes at those thresholds. Rows are the truth, columns what the model said.

{_matrix([*card["class_names"], "background"], test["confusion_matrix"])}"""


def _multilabel_quality(card: dict) -> str:
    test = card["test"]
    rows = "\n".join(
        f"| {_cell(row['label'])} | {_figure(row['average_precision'])} | {row['threshold']:.2f} | "
        f"{row['precision']:.3f} | {row['recall']:.3f} | {row['f1']:.3f} | {row['support']} |"
        for row in test["per_class"]
    )
    return quality_of(test, rows, _confidence(test))


# By task: what such a model is, and how good it is.
KINDS = {
    Task.CLASSIFICATION: ("An image classifier", _classifier_quality),
    Task.MULTILABEL: ("An image classifier that gives none to many labels", _multilabel_quality),
    Task.DETECTION: ("An object detector", _detector_quality),
}


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _estimated(card: dict) -> str:
    estimated = card["promised"]
    return (
        f" (estimated: about {estimated['seconds']:.0f} s, {estimated['memory_bytes'] / 1e6:.0f} MB)"
        if estimated
        else ""
    )


def _matrix(names: list[str], matrix: list[list[int]]) -> str:
    if len(names) > 30:
        return "With more than 30 labels it is in the JSON card."
    head = "| |" + "".join(f" {_cell(name)} |" for name in names)
    rows = [
        f"| **{_cell(name)}** |" + "".join(f" {n or ''} |" for n in row)
        for name, row in zip(names, matrix, strict=True)
    ]
    return "\n".join([head, "|---" * (len(names) + 1) + "|", *rows])


def _bullets(lines: list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _start(configuration: dict) -> str:
    return "pretrained on ImageNet" if configuration["weights"] == "imagenet" else "trained from scratch"
