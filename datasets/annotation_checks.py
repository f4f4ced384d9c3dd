"""Whether an annotation fits its image."""

from __future__ import annotations

import math
from collections.abc import Sequence

from django.contrib.auth.models import User

from common.errors import Invalid
from datasets.models import Annotation, Image
from vision.formats.boxes import on_grid

EDGES = ("x_min", "y_min", "x_max", "y_max")


def checked_annotation(image: Image, annotation: dict, index: int, user: User | None) -> Annotation:
    label, box = annotation["label"], annotation.get("box")
    if label.project_id != image.dataset.project_id:
        raise Invalid(f"Annotation {index}: the label is of another project.", attr="annotations")
    if not image.project.kind.has_boxes:
        if box is not None:
            raise Invalid(f"Annotation {index}: a {image.project.task} project has no boxes.", attr="annotations")
        return Annotation(image=image, label=label, created_by=user)
    if box is None:
        raise Invalid(f"Annotation {index}: a detection project needs a box.", attr="annotations")
    x_min, y_min, x_max, y_max = _clipped(box, image, index)
    return Annotation(image=image, label=label, x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max, created_by=user)


def _clipped(box: Sequence[float], image: Image, index: int) -> tuple[float, float, float, float]:
    if not all(math.isfinite(value) for value in box):
        raise Invalid(f"Annotation {index}: the box has a value that is no number.", attr="annotations")
    limits = (image.width, image.height, image.width, image.height)
    clipped = (min(max(edge, 0.0), float(limit)) for edge, limit in zip(box, limits, strict=True))
    x_min, y_min, x_max, y_max = on_grid(clipped)
    if x_max <= x_min or y_max <= y_min:
        raise Invalid(
            f"Annotation {index}: the box {list(box)} has no area inside the image ({image.width} x {image.height}).",
            attr="annotations",
        )
    return x_min, y_min, x_max, y_max
