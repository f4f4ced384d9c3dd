"""The model card: what a model is, what it was made from, how good it is and where it fails."""

from __future__ import annotations

import json
from pathlib import Path

from inference.models import FileKind
from training.models import TrainingRun


def model_card(run: TrainingRun, result: dict, actual: dict, folder: Path) -> dict[str, Path]:
    """Write the card as Markdown and JSON into the folder; returns these and the result's files by kind."""
    card = _facts(run, result, actual)
    markdown, data = folder / "model_card.md", folder / "model_card.json"
    markdown.write_text(_markdown(card), encoding="utf-8")
    data.write_text(json.dumps(card, indent=2, ensure_ascii=False), encoding="utf-8")
    files = {kind: Path(path) for kind, path in result["files"].items()}
    return files | {FileKind.MODEL_CARD: markdown, FileKind.MODEL_CARD_JSON: data}


def _facts(run: TrainingRun, result: dict, actual: dict) -> dict:
    snapshot = run.snapshot
    return {
        "name": run.name or result["configuration"]["architecture"],
        "task": run.project.task,
        "project": run.project.name,
        "training": str(run.pk),
        "class_names": result["class_names"],
        "parameters": result["parameters"],
        "data": {
            "dataset": snapshot.dataset.name,
            "snapshot": snapshot.number,
            "digest": snapshot.digest,
            "counts": snapshot.counts,
            "unreadable_images": len(result["broken"]),
        },
        "configuration": result["configuration"],
        "versions": result["versions"],
        "test": result["metrics"],
        "validation": {key: result["validation_metrics"][key] for key in ("count", "accuracy", "accuracy_interval")},
        "litert_largest_difference": result["litert_difference"],
        "promised": run.estimate,
        "actual": actual,
        "input": {
            "size": [result["configuration"]["image_size"]] * 2,
            "values": "float32 RGB, 0 to 255, upright; scaled without keeping the aspect ratio",
            "output": "probability of each label, in the order of class_names",
        },
        "limits": _limits(result),
    }


def _limits(result: dict) -> list[str]:
    metrics = result["metrics"]
    low, high = metrics["accuracy_interval"]
    limits = [
        f"Measured on {metrics['count']} test images: the true accuracy on pictures like these lies between "
        f"{low:.1%} and {high:.1%} (95 % confidence).",
        "Pictures of another kind (camera, light, background) than the data were not tested.",
        "The model always answers with one of its labels, also for pictures that show none of them.",
    ]
    scarce = [one["label"] for one in metrics["per_class"] if one["support"] < 20]
    if scarce:
        limits.append(f"Fewer than 20 test images: {', '.join(scarce)}. Their figures are rough.")
    return limits


def _markdown(card: dict) -> str:
    test = card["test"]
    low, high = test["accuracy_interval"]
    configuration = card["configuration"]
    rows = "\n".join(
        f"| {_cell(one['label'])} | {one['precision']:.3f} | {one['recall']:.3f} | {one['f1']:.3f} | {one['support']} |"
        for one in test["per_class"]
    )
    return f"""# {card["name"]}

An image classifier with {len(card["class_names"])} labels, trained with ML Studio in the project {card["project"]}.

## How good it is

On {test["count"]} test images that were used neither for training nor for choosing the model:

- accuracy **{test["accuracy"]:.3f}** (95 % confidence interval {low:.3f} to {high:.3f})
- macro F1 {test["macro_f1"]:.3f}, expected calibration error {test["expected_calibration_error"]:.3f}

| label | precision | recall | F1 | test images |
|---|---|---|---|---|
{rows}

### Confusion matrix

Rows are the truth, columns what the model said.

{_matrix(card["class_names"], test["confusion_matrix"])}

## Limits

{_bullets(card["limits"])}

## Data

Dataset {card["data"]["dataset"]}, snapshot {card["data"]["snapshot"]}, digest `{card["data"]["digest"]}`.
Images: {", ".join(f"{split} {count}" for split, count in card["data"]["counts"]["splits"].items())}.

## How it was made

- architecture {configuration["architecture"]}, {card["parameters"]:,} parameters
- input {configuration["image_size"]} px, {_start(configuration)}
- took {card["actual"]["seconds"]:.0f} s and {card["actual"]["memory_bytes"] / 2**20:.0f} MiB of memory{_promise(card)}
- LiteRT file agrees with Keras to {card["litert_largest_difference"]:.1e}

```json
{json.dumps(configuration, indent=2)}
```

## How to use it

Input: {card["input"]["values"]}, {card["input"]["size"][0]} x {card["input"]["size"][1]} px.
Output: {card["input"]["output"]}.

Made with {", ".join(f"{name} {version}" for name, version in card["versions"].items())}.
"""


def _promise(card: dict) -> str:
    promised = card["promised"]
    return (
        f" (promised: about {promised['seconds']:.0f} s, {promised['memory_bytes'] / 2**20:.0f} MiB)"
        if promised
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
