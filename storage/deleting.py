"""Changing and deleting very many rows without holding up everybody else who wants to write."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

from django.db import connection
from django.db.models import CASCADE, SET_NULL, Model, QuerySet

from storage.database import atomic_again, relations_to

Item = TypeVar("Item")

CHUNK = 500
# Images that are changed in one transaction: more, with their history and what is deleted with them, hold others up.
PART = 250
# Those who wait for the lock of SQLite look for it each tenth of a second: a pause that is longer lets all of them in.
PAUSE_SECONDS = 0.11
WORK_SECONDS = 0.4
_paused = threading.local()


def let_others_write() -> None:
    """Called between two transactions: pauses when this thread has written for a while."""
    if connection.in_atomic_block:  # a pause inside of one would hold the others
        return
    if time.monotonic() - getattr(_paused, "at", 0.0) > WORK_SECONDS:
        time.sleep(PAUSE_SECONDS)
        _paused.at = time.monotonic()


def in_parts(items: Sequence[Item], size: int = 0) -> Iterator[Sequence[Item]]:
    """The items, `PART` or `size` at a time, for a transaction each; in between others can write."""
    size = size or PART
    for start in range(0, len(items), size):
        if start:
            let_others_write()
        yield items[start : start + size]


def delete_in_chunks(rows: QuerySet, *, size: int = CHUNK) -> int:
    """Delete the rows, and before them what is deleted with them, in transactions of at most `size` rows each.

    It can be broken off and called again. Returns how many of the rows themselves were deleted.
    """
    deleted = 0
    while pks := list(rows.order_by().values_list("pk", flat=True)[:size]):
        for relation in relations_to(rows.model):
            if getattr(relation, "on_delete", None) is CASCADE:
                below = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": pks})
                delete_in_chunks(below, size=size)
        deleted += _delete(rows.model, pks)
        let_others_write()
    return deleted


def delete_at_once(rows: QuerySet) -> None:
    """Delete the rows and all below them by one statement for each table, without reading them. No signals are sent.

    For some hundred rows, in the caller's transaction.
    """
    for relation in relations_to(rows.model):
        below = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": rows})
        if getattr(relation, "on_delete", None) is CASCADE:
            delete_at_once(below)
        elif getattr(relation, "on_delete", None) is SET_NULL:
            below.update(**{relation.field.name: None})
    rows.order_by()._raw_delete(using=rows.db)


@atomic_again
def _delete(model: type[Model], pks: list) -> int:
    return model._base_manager.filter(pk__in=pks).delete()[1].get(model._meta.label, 0)
