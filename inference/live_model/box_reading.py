"""What people read of the live model of boxes."""

from __future__ import annotations

import uuid

import numpy as np

from datasets.models import Annotation, Image
from datasets.selectors import labels_of
from inference.embeddings.stores import uuids_of
from inference.live_model.box_fitting import read_box_guesses
from projects.models import Project
from vision.analysis.feature_store import Lookup, ids_of


def box_guesses_of(image: Image) -> list[dict]:
    """What the live model says of the suggestions of an image: `annotation`, `label` and `confidence` of each.

    Suggestions that came after it has learned are left out until it has looked at them.
    """
    guesses = read_box_guesses(image.project)
    if guesses is None:
        return []
    waiting = Annotation.objects.filter(image=image, confirmed=False, x_min__isnull=False)
    keys: list[uuid.UUID] = list(waiting.order_by("pk").values_list("pk", flat=True))
    if not keys:
        return []
    rows = Lookup(guesses.ids).rows_of(ids_of(keys))
    there = {str(pk) for pk in labels_of(image.project).values_list("pk", flat=True)}
    is_there = np.array([label in there for label in guesses.state.labels], bool)
    found = np.flatnonzero(rows >= 0)
    found = found[is_there[guesses.labels[rows[found]]]]  # labels may have been deleted since
    return [
        {
            "annotation": str(key),
            "label": guesses.state.labels[guesses.labels[row]],
            "confidence": round(float(guesses.confidences[row]), 4),
        }
        for key, row in zip(uuids_of(ids_of([keys[place] for place in found])), rows[found].tolist(), strict=True)
    ]


def live_boxes_of(project: Project) -> dict | None:
    """How the live model of boxes stands; None before it has learned."""
    guesses = read_box_guesses(project)
    if guesses is None:
        return None
    state = guesses.state
    return {
        "version": state.version,
        "boxes": sum(state.boxes_by_label),
        "suggestions": state.suggestions,
        "held_out": state.held_out,
        "accuracy": round(state.right / state.held_out, 4) if state.held_out else None,
        "labels": [
            {"label": label, "boxes": count} for label, count in zip(state.labels, state.boxes_by_label, strict=True)
        ],
    }
