"""What a model thinks of images that nobody has labelled yet, as annotations to confirm."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db.models import QuerySet

from datasets.history import recorded
from datasets.ingest import edges_of
from datasets.labels import ensure_labels
from datasets.models import Annotation, Image, Origin
from datasets.selectors import is_labelled
from inference.models import Model
from inference.serving.prediction import Prediction
from projects.models import Project
from storage.database import atomic_again


def unlabelled(images: QuerySet[Image]) -> QuerySet[Image]:
    """Those that nobody has looked at and that have no confirmed annotation."""
    return images.filter(~is_labelled())


@atomic_again
def store_suggestions(
    *, project: Project, model: Model, predictions: Sequence[tuple[Image, Prediction]], user: User | None = None
) -> int:
    """Make unconfirmed annotations of predictions: the best label, every label that is present, or every box. They
    replace earlier suggestions.

    An image that was labelled or looked at meanwhile is left alone. Labels that the project does not have are made.
    The history of each image names `user`, who asked for them.

    Returns:
        How many annotations were made.
    """
    images = Image.objects.filter(pk__in=[image.pk for image, _ in predictions])
    # Held before they are looked at: somebody who labels one of them does so before this, or after it.
    list(images.select_for_update().order_by("pk").values_list("pk"))
    open_images = set(unlabelled(images).values_list("pk", flat=True))
    rows: list[Annotation] = []
    stored = [(image, prediction) for image, prediction in predictions if image.pk in open_images]
    names = [mark["label"] for _, prediction in stored for mark in prediction.answers]
    labels = ensure_labels(project=project, names=names)
    for image, prediction in stored:
        for mark in prediction.answers:
            box = mark.get("box")
            if box is not None:
                box = _inside(box, image)
                if box is None:
                    continue
            rows.append(
                Annotation(
                    image=image,
                    label=labels[mark["label"]],
                    origin=Origin.MODEL,
                    confirmed=False,
                    score=mark["score"],
                    **edges_of(box),
                )
            )
    with recorded(sorted(open_images), user):
        Annotation.objects.filter(image__in=open_images, confirmed=False, origin=Origin.MODEL).delete()
        Annotation.objects.bulk_create(rows, batch_size=2000)
    return len(rows)


def _inside(box: Sequence[float], image: Image) -> tuple[float, float, float, float] | None:
    x_min, y_min = max(box[0], 0.0), max(box[1], 0.0)
    x_max, y_max = min(box[2], float(image.width)), min(box[3], float(image.height))
    return (x_min, y_min, x_max, y_max) if x_max - x_min >= 1 and y_max - y_min >= 1 else None
