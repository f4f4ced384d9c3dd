"""One order of locks for whatever changes what projects and datasets count: projects first, then datasets, by key."""

from __future__ import annotations

from collections.abc import Iterable

from datasets.models import Dataset
from datasets.selectors import live_datasets
from projects.models import Project


def lock_datasets(pks: Iterable) -> dict[object, Dataset]:
    """These datasets, as far as they still exist and are not being removed, with their projects, until the
    transaction ends.

    Rows that only refer to them can be added meanwhile: PostgreSQL's weaker lock is enough for counts.
    """
    wanted = set(pks)
    lock_projects(live_datasets().filter(pk__in=wanted).values_list("project_id", flat=True))
    rows = live_datasets().select_for_update(no_key=True, of=("self",)).filter(pk__in=wanted).order_by("pk")
    return {row.pk: row for row in rows}


def lock_projects(pks: Iterable) -> None:
    wanted = sorted(set(pks))
    list(Project.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk").values_list("pk"))
