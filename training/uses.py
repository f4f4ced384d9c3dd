"""Trainings and searches that need a project, a dataset or a model."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import partial

from django.db.models import Q

from datasets.models import Dataset
from inference.models import Model
from jobs.errors import WorkHasEnded
from jobs.models import ENDED
from projects.models import Project
from projects.uses import Use, finds_uses_of, work_in_use
from training.models import Search, TrainingRun
from training.searches import cancel_search


@finds_uses_of(Project)
def work_of_project(project: Project) -> Iterable[Use]:
    return _unfinished(Q(project=project))


@finds_uses_of(Dataset)
def work_of_dataset(dataset: Dataset) -> Iterable[Use]:
    return _unfinished(Q(snapshot__dataset=dataset))


@finds_uses_of(Model)
def work_of_model(model: Model) -> Iterable[Use]:
    """Of its own project: what others train from a public model does not keep it here."""
    return _unfinished(Q(base_model=model, project=model.project_id))


def _unfinished(condition: Q) -> Iterable[Use]:
    for search in Search.objects.filter(condition).exclude(state__in=ENDED).order_by("id"):
        name = search.name or "without a name"
        detail = f"The search '{name}' is {search.state}: cancel it first ({search.pk})."
        yield Use("search", str(search.pk), name, detail, cancel=partial(_cancel, search))
    runs = TrainingRun.objects.filter(condition).exclude(state__in=ENDED).order_by("id")
    yield from work_in_use(
        runs, "training", lambda run: run.name or run.configuration.get("architecture", "without a name")
    )


def _cancel(search: Search) -> None:
    with suppress(WorkHasEnded):
        cancel_search(search=search)
