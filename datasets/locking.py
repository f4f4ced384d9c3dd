"""One order of locks for whatever changes what projects and datasets count: projects first, then datasets, by key."""

from __future__ import annotations

from collections.abc import Iterable

from datasets.models import Dataset
from datasets.selectors import kept_datasets, live_datasets
from projects.models import Project


def lock_datasets(pks: Iterable, *, with_trash: bool = False) -> dict[object, Dataset]:
    """These datasets, as far as they still exist and are neither in the trash nor being removed, with their projects,
    until the transaction ends.

    Rows that only refer to them can be added meanwhile: PostgreSQL's weaker lock is enough for counts.
    """
    keys, datasets = set(pks), kept_datasets() if with_trash else live_datasets()
    lock_projects(datasets.filter(pk__in=keys).values_list("project_id", flat=True))
    rows = datasets.select_for_update(no_key=True, of=("self",)).filter(pk__in=keys).order_by("pk")
    return {row.pk: row for row in rows}


def lock_projects(pks: Iterable) -> None:
    keys = sorted(set(pks))
    list(Project.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk").values_list("pk"))
