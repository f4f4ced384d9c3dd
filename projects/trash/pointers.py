"""What refers to something in the trash, and outlives it, does so no longer until it is restored."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db.models import SET_NULL, Model

from storage.database import relations_to


def let_go(row: Model, *, but: tuple[type[Model], ...] = ()) -> list[dict[str, Any]]:
    """Clear every reference to the row that its deletion would clear, but for those of some models.

    Returns them as JSON, for `point_again`.
    """
    cleared = []
    for relation in relations_to(type(row)):
        model, name = relation.related_model, relation.field.name
        if getattr(relation, "on_delete", None) is not SET_NULL or model in but:
            continue
        rows = model._base_manager.filter(**{name: row.pk})
        keys = [str(pk) for pk in rows.values_list("pk", flat=True)]
        if keys:
            rows.update(**{name: None})
            cleared.append({"model": model._meta.label, "field": name, "rows": keys})
    return cleared


def point_again(row: Model, pointers: list[dict[str, Any]]) -> None:
    """Set the references that `let_go` cleared, where nothing else is referred to by now."""
    for pointer in pointers:
        rows = apps.get_model(pointer["model"])._base_manager.filter(pk__in=pointer["rows"])
        rows.filter(**{pointer["field"]: None}).update(**{pointer["field"]: row.pk})
