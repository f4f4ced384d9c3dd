"""What rows are called in lists, for those who may know it."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Real
from typing import Any

from inference.models import Model, Visibility


def figures_of(metrics: dict) -> dict[str, Any]:
    """The single numbers of metrics: what a list shows, without matrices and what there is for each label."""
    return {name: value for name, value in metrics.items() if value is None or isinstance(value, Real)}


def names_of_models(keys: Iterable[str]) -> dict[str, str]:
    return {str(model.pk): str(model) for model in Model.objects.filter(pk__in=keys).only("name", "version")}


def name_of_base(row: Any) -> str | None:
    """What the `base_model` of a model, a training or a search is called: it may be of a project that others do not
    see."""
    base: Model | None = row.base_model
    if base is None or (base.project_id != row.project_id and base.visibility != Visibility.PUBLIC):
        return None
    return str(base)
