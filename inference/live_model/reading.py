"""What people read of a live model: how it stands, and which images to label next."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db.models import Count

from datasets.gallery.rows import grid_rows
from datasets.models import Annotation, Dataset, Image
from datasets.selectors import is_labelled
from inference.embeddings.embedders import NoEmbedder, embedder_for
from inference.embeddings.stores import embedded_in, store_of, uuids_of
from inference.live_model.box_reading import live_boxes_of
from inference.live_model.files import LiveState, read_curve, read_guesses, read_order
from projects.models import Project


@dataclass(frozen=True)
class LiveModelStatus:
    """How the live model of a project stands.

    Attributes:
        code: why there are no guesses, "" where there are some.
        images: of the project; `embedded` of them can be compared.
    """

    code: str
    detail: str
    images: int
    embedded: int
    embedder: str | None
    state: LiveState | None


NOT_YET = {
    "not_for_detection": "Labels of whole images are guessed in projects for classification. Here it says in the "
    "annotator what the boxes show that a detector suggests: train one, and let it suggest them.",
    "no_images": "Add images first.",
    "embedding": "The images are being compared with each other. Guesses come as soon as some are ready.",
    "too_few_labels": "Label at least one image for each of two labels.",
    "too_few_images": "Label at least one image with a label and one without it.",
    "fitting": "The first guesses come within seconds.",
}


def status_of(project: Project) -> LiveModelStatus:
    images = sum(Dataset.objects.filter(project=project).values_list("image_count", flat=True))
    try:
        embedder = embedder_for(project)
    except NoEmbedder as missing:
        code = missing.code if images else "no_images"
        return LiveModelStatus(code, NOT_YET.get(code, str(missing)), images, 0, None, None)
    store = store_of(project, embedder)
    embedded = embedded_in(project, store, images)
    guesses = read_guesses(project)
    state = None if guesses is None else guesses.state
    code = "" if state is not None else _why_not(project, images, embedded)
    return LiveModelStatus(code, NOT_YET.get(code, ""), images, embedded, embedder.title, state)


def live_model_of(project: Project) -> dict:
    """The same as one flat answer, with what it has learned and guesses of each label."""
    status, guesses = status_of(project), read_guesses(project)
    if guesses is None:
        learned: dict = {"version": 0, "fitted_at": None, "seconds": None, "accuracy": None, "labels": []}
        learned["learning_curve"] = None
        none = dict.fromkeys(("labelled", "guesses", "empty", "held_out"), 0)
        return asdict(status) | learned | none | {"boxes": live_boxes_of(project)}
    state = guesses.state
    counts = guesses.sets.count(len(state.labels))
    return asdict(status) | {
        "version": state.version,
        "fitted_at": datetime.fromisoformat(state.fitted_at),
        "seconds": state.seconds,
        "labelled": state.labelled,
        "guesses": state.guesses,
        "empty": int(guesses.sets.are_empty.sum()),
        "held_out": state.held_out,
        "accuracy": state.accuracy,
        "labels": [
            {"label": label, "images": images, "guesses": count, "held_out": tried, "right": right}
            for label, images, count, tried, right in zip(
                state.labels, state.images_by_label, counts, *_by_label(state), strict=True
            )
        ],
        "learning_curve": read_curve(project)[1],
        "boxes": None,
    }


def _by_label(state: LiveState) -> tuple[list[int], list[int]]:
    none = [0] * len(state.labels)
    return state.held_out_by_label or none, state.right_by_label or none


def next_images(project: Project, *, dataset: Dataset | None = None, limit: int = 50) -> list[dict]:
    """Grid rows of the images whose labels teach most, the first of all first."""
    rows = open_rows(project, uuids_of(read_order(project)))
    return [row for row in rows if dataset is None or row["dataset"] == str(dataset.pk)][:limit]


def open_rows(project: Project, keys: list[uuid.UUID]) -> list[dict]:
    """Grid rows of those that are still in the project, and have no label."""
    datasets = {str(pk) for pk in Dataset.objects.filter(project=project).values_list("pk", flat=True)}
    return [row for row in grid_rows(keys) if row["dataset"] in datasets and not row["annotated"]]


def why_never(project: Project) -> str:
    """The code of a project whose images are not guessed, "" of others."""
    return "not_for_detection" if project.kind.has_boxes else ""


def _why_not(project: Project, images: int, embedded: int) -> str:
    if never := why_never(project):
        return never
    if not images:
        return "no_images"
    if not (_tells_labels_apart if project.kind.has_single_labels else _tells_images_apart)(project):
        return "too_few_labels" if project.kind.has_single_labels else "too_few_images"
    return "embedding" if embedded < images else "fitting"


def _tells_labels_apart(project: Project) -> bool:
    labels = Annotation.objects.filter(confirmed=True, image__dataset__project=project).order_by().values("label")
    return labels.distinct()[:2].count() == 2


def _tells_images_apart(project: Project) -> bool:
    """Whether some label is on one labelled image and not on another."""
    carrying = Annotation.objects.filter(confirmed=True, image__dataset__project=project).order_by()
    labelled = Image.objects.filter(is_labelled(), dataset__project=project).count()
    counts = carrying.values("label").annotate(images=Count("image", distinct=True))
    return any(row["images"] < labelled for row in counts)
