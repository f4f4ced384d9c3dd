"""Multilabel models side by side on the same images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inference.errors import NothingToCompare
from vision.analysis.comparison import mean_average_precision_difference
from vision.analysis.predictions import MultilabelPredictions
from vision.runtime.multilabel_metrics import multilabel_metrics


class SeveralLabels:
    """Multilabel models on the same images, by the labels that all of them know.

    Args:
        rows: of each model, where its images are, in the order of `keys`.

    Raises:
        NothingToCompare: they have no label in common.
    """

    def __init__(
        self, predictions: Sequence[MultilabelPredictions], rows: Sequence[Sequence[int]], keys: list[str]
    ) -> None:
        first, *others = predictions
        self._names = [name for name in first.class_names if all(name in other.class_names for other in others)]
        if not self._names:
            raise NothingToCompare()
        self._keys = keys
        columns = [[outcomes.class_names.index(name) for name in self._names] for outcomes in predictions]
        places = [np.ix_(own, column) for own, column in zip(rows, columns, strict=True)]
        self._truth = first.truth[places[0]]
        self._scores = [outcomes.probabilities[place] for outcomes, place in zip(predictions, places, strict=True)]
        self._thresholds = [
            [outcomes.thresholds[index] for index in column]
            for outcomes, column in zip(predictions, columns, strict=True)
        ]
        self._said = [
            scores >= np.asarray(limits) for scores, limits in zip(self._scores, self._thresholds, strict=True)
        ]

    def figures(self, index: int) -> dict:
        metrics = multilabel_metrics(self._scores[index], self._truth, self._names, self._thresholds[index])
        names = ("mean_average_precision", "mean_average_precision_interval", "micro_f1", "macro_f1", "subset_accuracy")
        per_label = {row["label"]: row["average_precision"] for row in metrics["per_class"]}
        return {**{name: metrics[name] for name in names}, "average_precision_by_label": per_label}

    def test(self, first: int, second: int) -> dict:
        difference = mean_average_precision_difference(self._scores[first], self._scores[second], self._truth)
        return {"test": "paired_bootstrap_mean_average_precision", **difference}

    def differences(self) -> list[dict]:
        """Images of which the models say different labels: those with the largest difference in mistakes first."""
        wrong = np.stack([(said != self._truth).sum(axis=1) for said in self._said])
        differing = np.flatnonzero(np.any([said != self._said[0] for said in self._said], axis=(0, 2)))
        spread = wrong.max(axis=0) - wrong.min(axis=0)
        return [
            {
                "image": self._keys[index],
                "labels": self._named(self._truth[index]),
                "answers": [{"labels": self._named(said[index])} for said in self._said],
            }
            for index in sorted(differing.tolist(), key=lambda index: -int(spread[index]))
        ]

    def _named(self, present: np.ndarray) -> list[str]:
        return [name for name, is_present in zip(self._names, present, strict=True) if is_present]
