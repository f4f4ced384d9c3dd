"""Where a model comes from, and what came of it."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import CharField, Count, F, QuerySet, Value

from datasets.models import Annotation, Snapshot, SnapshotImage
from inference.models import Model
from projects.selectors import role_in


def ancestors(model: Model, visible: QuerySet[Model]) -> list[Model]:
    """The models that it started from, the nearest first, as far as they are visible."""
    bases: list[Model] = []
    while model.base_model_id is not None and len(bases) < 100:
        base = visible.filter(pk=model.base_model_id).first()
        if base is None:
            break
        bases.append(base)
        model = base
    return bases


def descendants(model: Model, visible: QuerySet[Model]) -> QuerySet[Model]:
    """The models that started from it."""
    return visible.filter(base_model=model.pk).order_by("id")


MOST_LABELLERS = 100


def labelled_by(snapshot: Snapshot, user: User) -> list[dict]:
    """Who confirmed or made how many of the annotations that its images have now, the most first.

    A snapshot keeps what was annotated and not by whom. Who is no member of the project gets no names: a public model
    says where it comes from, not who works there.
    """
    images = SnapshotImage.objects.filter(snapshot=snapshot, image__isnull=False)
    confirmed = Annotation.objects.filter(image__in=images.values("image"), confirmed=True)
    name = Value(None, CharField()) if role_in(snapshot.project, user) is None else F("created_by__username")
    rows = confirmed.values("origin", user=name).annotate(annotations=Count("id"))
    return list(rows.order_by("-annotations", "origin", "user")[:MOST_LABELLERS])  # type: ignore[arg-type]
