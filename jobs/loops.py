"""Loops over rows that beat starts again and again: a row that raises must not keep all later ones from their turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import structlog

log = structlog.get_logger(__name__)
Item = TypeVar("Item")
Result = TypeVar("Result")


def each(items: Iterable[Item], step: Callable[[Item], Result], *, loop: str) -> list[Result]:
    """What `step` says of each item; an error is logged with the item, and the loop goes on."""
    results = []
    for item in items:
        try:
            results.append(step(item))
        except Exception:
            log.exception("loop_step_failed", loop=loop, item=str(getattr(item, "pk", item)))
    return results
