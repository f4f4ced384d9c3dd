"""Suggestions of models that wait for a look: which, and how many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from django.db.models import Count, F, IntegerField, QuerySet
from django.db.models.functions import Cast, Floor, Least

from datasets.models import Annotation, Dataset, Label

TENTHS = 10


def waiting(
    *,
    datasets: Sequence[Dataset],
    label: Label | None = None,
    lowest: float | None = None,
    highest: float | None = None,
) -> QuerySet[Annotation]:
    rows = Annotation.objects.filter(confirmed=False, image__dataset__in=datasets)
    if label is not None:
        rows = rows.filter(label=label)
    if lowest is not None:
        rows = rows.filter(score__gte=lowest)
    return rows if highest is None else rows.filter(score__lte=highest)


def count_suggestions(rows: QuerySet[Annotation]) -> dict:
    tenth = Cast(Floor(Least(F("score") * TENTHS, float(TENTHS - 1))), IntegerField())
    scored = rows.exclude(score=None).annotate(tenth=tenth).values_list("tenth").annotate(n=Count("pk"))
    by_tenth = Counter(dict(scored.order_by()))
    by_label = dict(rows.order_by().values_list("label").annotate(n=Count("pk")))
    labels = Label.objects.filter(pk__in=by_label)
    return {
        "total": sum(by_label.values()),
        "images": rows.order_by().values("image").distinct().count(),
        "labels": [{"id": label.pk, "name": label.name, "count": by_label[label.pk]} for label in labels],
        "scores": [{"at_least": n / TENTHS, "count": by_tenth[n]} for n in range(TENTHS)],
    }
