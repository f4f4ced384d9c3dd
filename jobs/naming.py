"""Names of what jobs are about, which rooms above know: for a whole page with one query a kind."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

# By the name of a job's parameter: keys → name by key, as text.
NAMES: dict[str, Callable[[Iterable[str]], dict[str, str]]] = {}


def names_for(jobs: Sequence[Any]) -> dict[str, dict[str, str]]:
    """Of all that these jobs are about: parameter → key → name."""
    found = {}
    for parameter, look_up in NAMES.items():
        keys = {key for job in jobs if is_key(key := job.parameters.get(parameter))}
        found[parameter] = look_up(keys) if keys else {}
    return found


def is_key(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(uuid.UUID(value))
    except ValueError:
        return False
