"""What a model predicted of many images or frames, as JSON and CSV."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from inference.models import Model
from inference.serving.prediction import (
    Prediction,
    serving_thresholds,
)
from jobs.context import JobContext
from vision.formats.csv_writer import plain

COLUMNS = ("label", "score", "x_min", "y_min", "x_max", "y_max", "track", "threshold")


class PredictionFiles:
    """predictions.json and predictions.csv, written as they come."""

    def __init__(self, folder: Path, model: Model, columns: tuple[str, ...], threshold: float | None) -> None:
        self._thresholds = serving_thresholds(model, threshold)
        self.json_path, self.csv_path = folder / "predictions.json", folder / "predictions.csv"
        self._json = open(self.json_path, "w", encoding="utf-8")  # noqa: SIM115 - closed by __exit__
        self._csv = open(self.csv_path, "w", encoding="utf-8", newline="")  # noqa: SIM115
        self._rows = csv.writer(self._csv)
        self._rows.writerow([*columns, *COLUMNS])
        head = {"id": str(model.pk), "name": model.name, "version": model.version}
        head |= {"thresholds": self._thresholds}
        self._json.write(f'{{"model": {json.dumps(head, ensure_ascii=False)}, "predictions": [')
        self._separator = "\n"

    def add(self, where: dict, prediction: Prediction, cells: tuple) -> None:
        """One image or frame; in the CSV a row for each label or box, one without when there is nothing."""
        self._json.write(self._separator + json.dumps({**where, **asdict(prediction)}, ensure_ascii=False))
        self._separator = ",\n"
        labels = [answer for answer in prediction.labels if answer.get("is_present", True)]
        for detection in prediction.boxes or labels or [{}]:
            box = detection.get("box", ["", "", "", ""])
            name = _plain(detection.get("label", ""))
            lowest = self._thresholds.get(detection.get("label", ""), "")
            self._rows.writerow(
                [*map(_plain, cells), name, detection.get("score", ""), *box, detection.get("track", ""), lowest]
            )

    def end(self, rejected: list[dict]) -> None:
        self._json.write(f'\n], "rejected": {json.dumps(rejected, ensure_ascii=False)}}}\n')

    def keep(self, context: JobContext) -> None:
        context.keep_file("predictions.json", self.json_path, "application/json")
        context.keep_file("predictions.csv", self.csv_path, "text/csv")

    def __enter__(self) -> PredictionFiles:
        return self

    def __exit__(self, *_: Any) -> None:
        self._json.close()
        self._csv.close()


def _plain(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    return plain(value) if isinstance(value, str) else value
