"""What a model said of each image that was kept out of its training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from django.http import HttpRequest

from custom_vision.image_rows import addresses, find_images, images_json
from custom_vision.performance import evaluation_of
from custom_vision.predictions import Tags, bounding_box
from datasets.models import Image
from inference.evaluation.evaluations import outcomes_of
from training.models import TrainingRun
from vision.analysis.predictions import DetectorPredictions, MultilabelPredictions


class ImagePerformances:
    """The test images of an iteration that are still there, the newest first."""

    def __init__(self, run: TrainingRun, tags: Sequence[UUID], *, is_oldest_first: bool = False) -> None:
        self._tags = Tags(run)
        self._outcomes = outcomes_of(evaluation_of(run))
        wanted = {str(tag) for tag in tags}
        keys = [key for index, key in enumerate(self._outcomes.keys) if not wanted or self._true(index) & wanted]
        self._index = {key: index for index, key in enumerate(self._outcomes.keys)}
        images = find_images(run.project, [UUID(key) for key in keys])
        self.images = sorted(images, key=lambda image: str(image.pk), reverse=not is_oldest_first)

    def rows(self, request: HttpRequest, page: slice) -> list[dict[str, Any]]:
        images = self.images[page]
        rows = []
        for image, row in zip(images, images_json(request, images), strict=True):
            place = addresses(request, image.pk)
            kept = {name: value for name, value in row.items() if not name.endswith("Uri")}
            shown = {"imageUri": place["originalImageUri"], "thumbnailUri": place["thumbnailUri"]}
            rows.append({**kept, **shown, "predictions": list(self._predictions(image))})
        return rows

    def _true(self, index: int) -> set[str]:
        """Tags that the image really has."""
        outcomes = self._outcomes
        if isinstance(outcomes, DetectorPredictions):
            labels = outcomes.truths[index].labels
        elif isinstance(outcomes, MultilabelPredictions):
            labels = np.flatnonzero(outcomes.truth[index])
        else:
            labels = outcomes.truth[index : index + 1]
        return {self._tags.id_of(outcomes.class_names[int(label)]) or "" for label in labels}

    def _predictions(self, image: Image) -> Iterator[dict[str, Any]]:
        outcomes, index = self._outcomes, self._index[str(image.pk)]
        names = outcomes.class_names
        if not isinstance(outcomes, DetectorPredictions):
            scores = outcomes.probabilities[index]
            for label in np.argsort(-scores, kind="stable"):
                yield {"probability": float(scores[label]), **self._tags.describe(names[int(label)])}
            return
        found = outcomes.found[index]
        for box, score, label in zip(found.boxes.tolist(), found.scores, found.labels, strict=True):
            place = bounding_box(box, image.width, image.height)
            yield {"probability": float(score), **self._tags.describe(names[int(label)]), "boundingBox": place}
