"""Kept counts, compared with what is there: whatever made one of them drift, an hour later it is right again."""

from __future__ import annotations

import uuid

import structlog
from django.db import transaction
from django.db.models import Count, QuerySet
from django.db.models import Model as Row

from datasets.gallery.recounting import correct_facets
from datasets.models import Dataset, Image, Label
from inference.models import Model
from projects.models import Project

log = structlog.get_logger(__name__)


def correct_counts() -> int:
    """Returns how many counts were wrong."""
    return (
        _correct(Dataset, "image_count", Image.objects.all(), "dataset")
        + _correct(Project, "image_count", Image.objects.all(), "dataset__project")
        + _correct(Project, "dataset_count", Dataset.objects.all(), "project")
        + _correct(Project, "label_count", Label.objects.all(), "project")
        + _correct(Project, "model_count", Model.objects.all(), "project")
        + correct_facets()
    )


def _correct(owner: type[Row], field: str, counted: QuerySet, path: str) -> int:
    actual = dict(counted.order_by().values_list(path).annotate(rows=Count("pk")))
    # What is being removed has fewer and fewer rows, and nobody who reads its counts.
    is_live = {"deleting_since" if owner is Project else "project__deleting_since": None}
    kept = list(owner._default_manager.filter(**is_live).values_list("pk", field))
    suspects = [pk for pk, count in kept if count != actual.get(pk, 0)]
    return sum(_recount(owner, pk, field, counted.filter(**{path: pk})) for pk in suspects)


@transaction.atomic
def _recount(owner: type[Row], pk: uuid.UUID, field: str, counted: QuerySet) -> bool:
    """With the row locked, for what looked wrong may have been a change on its way."""
    row = owner._default_manager.select_for_update().filter(pk=pk).first()
    count = counted.count()
    if row is None or getattr(row, field) == count:
        return False
    log.warning("count_corrected", kind=owner.__name__, pk=str(pk), field=field, kept=getattr(row, field), actual=count)
    owner._default_manager.filter(pk=pk).update(**{field: count})
    return True
