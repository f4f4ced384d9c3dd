"""Deleting very many rows without holding up everybody else who wants to write."""

from __future__ import annotations

import time

from django.db.models import CASCADE, Model, QuerySet

from storage.database import atomic_again, relations_to

CHUNK = 500
# Between two transactions, so that those who wait for the lock of SQLite get their turn.
PAUSE_SECONDS = 0.03


def delete_in_chunks(rows: QuerySet, *, size: int = CHUNK) -> int:
    """Delete the rows, and before them what is deleted with them, in transactions of at most `size` rows each.

    It can be broken off and called again. Returns how many of the rows themselves were deleted.
    """
    deleted = 0
    while pks := list(rows.order_by("pk").values_list("pk", flat=True)[:size]):
        for relation in relations_to(rows.model):
            if getattr(relation, "on_delete", None) is CASCADE:
                below = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": pks})
                delete_in_chunks(below, size=size)
        deleted += _delete(rows.model, pks)
        time.sleep(PAUSE_SECONDS)
    return deleted


@atomic_again
def _delete(model: type[Model], pks: list) -> int:
    return model._base_manager.filter(pk__in=pks).delete()[1].get(model._meta.label, 0)
