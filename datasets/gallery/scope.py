"""In which datasets images are looked for: those of a project, one of them, or all that a user may see."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet, Sum

from datasets.models import ANY_LABEL, Dataset, FacetCount
from datasets.selectors import datasets_of


@dataclass(frozen=True)
class Scope:
    """`datasets`: their keys; `project`: the one of which they are all; None where there is none like that."""

    datasets: tuple[uuid.UUID, ...]
    project: uuid.UUID | None = None

    def images(self) -> Q:
        """Written so that one index gives them in the order of their keys, as long as they are of one project."""
        if len(self.datasets) == 1:
            return Q(dataset=self.datasets[0])
        if self.project is None or not self.datasets:  # none: the project is not one that the user may see
            return Q(dataset__in=self.datasets)
        return Q(project_key=self.project) & ~Q(dataset__in=_hidden(self.project))

    def projects(self) -> QuerySet:
        """Keys of the projects that the datasets are of, for subqueries."""
        return Dataset.objects.filter(pk__in=self.datasets).order_by().values("project")

    def counts(self, labels: Iterable | None = None) -> Counter:
        """(label or `ANY_LABEL`, code) → how many images; `labels` names those that are wanted."""
        rows = FacetCount.objects.filter(dataset__in=self.datasets, images__gt=0)
        if labels is not None:
            rows = rows.filter(label_key__in=list(labels))
        counted = rows.order_by().values_list("label_key", "facets").annotate(n=Sum("images"))
        return Counter({(label, code): n for label, code, n in counted})

    def counts_by_dataset(self, labels: Iterable = (ANY_LABEL,)) -> list[tuple]:
        """(dataset, code, how many)."""
        rows = FacetCount.objects.filter(dataset__in=self.datasets, images__gt=0, label_key__in=list(labels))
        return list(rows.order_by().values_list("dataset_id", "facets", "images"))


def _hidden(project: uuid.UUID) -> list:
    """Datasets that are being removed, or lie in the trash: their images may still name the project that they were in.
    Not those that hold single images in the trash, which name it."""
    removed = Q(project__deleting_since__isnull=False)
    trashed = Q(project__trash_of=project, images_in_trash=None)
    return list(Dataset.objects.filter(removed | trashed).values_list("pk", flat=True))


def scope_of(user: User, *, project: uuid.UUID | None = None, dataset: uuid.UUID | None = None) -> Scope:
    rows = datasets_of(user)
    if project is not None:
        rows = rows.filter(project=project)
    if dataset is not None:
        rows = rows.filter(pk=dataset)
    return Scope(tuple(rows.order_by("pk").values_list("pk", flat=True)), project if dataset is None else None)
