"""What the model card says of a model that gives an image none to many labels."""

from __future__ import annotations

from common.words import counted
from vision.training.result import TrainingResult

FEW = 20


def limits_of(result: TrainingResult) -> list[str]:
    metrics = result.metrics
    limits = [f"Measured on {counted(metrics['count'], 'test image')}."]
    if metrics["mean_average_precision_interval"]:
        low, high = metrics["mean_average_precision_interval"]
        limits[0] += (
            f" On images like these the mean average precision lies between {low:.3f} and {high:.3f} (95 % confidence)."
        )
    limits += [
        "Images of another kind (camera, light, background) than the data were not tested.",
        "Each label is decided by itself: an image may get none, or labels that never come together.",
    ]
    scarce = [row["label"] for row in metrics["per_class"] if 0 < row["support"] < FEW]
    if scarce:
        limits.append(f"Fewer than {FEW} test images: {', '.join(scarce)}. Their figures are rough.")
    always = [row["label"] for row in metrics["per_class"] if row["support"] == metrics["count"]]
    if always:
        limits.append(
            f"On every test image: {', '.join(always)}. Whether the model sees that it is not there was not tested."
        )
    return limits


def quality_of(test: dict, rows_of: str, confidence: str) -> str:
    """Args: rows_of: the rows of the table of labels; confidence: a line on how scores were corrected, or ""."""
    interval = test["mean_average_precision_interval"]
    sure = f" (95 % confidence interval {interval[0]:.3f} to {interval[1]:.3f})" if interval else ""
    low, high = test["subset_accuracy_interval"]
    return f"""On {counted(test["count"], "test image")} used neither for training nor for choosing the model:

- mean average precision **{test["mean_average_precision"]:.3f}**{sure} over
  {counted(test["labels_covered"], "label")}
- at the thresholds that predictions use (best F1 on the validation images; labels with few images there have the common
  one): F1 {test["micro_f1"]:.3f} of all labels together, {test["macro_f1"]:.3f} as the mean of the labels
- images with exactly their labels {test["subset_accuracy"]:.3f} (95 % confidence interval {low:.3f} to {high:.3f}),
  expected calibration error {test["expected_calibration_error"]:.3f}{confidence}

| label | average precision | threshold | precision | recall | F1 | test images |
|---|---|---|---|---|---|---|
{rows_of}"""
