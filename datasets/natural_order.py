"""The order in which people read names: 2 before 10."""

from __future__ import annotations

import re


def natural_key(name: str) -> tuple:
    """What to sort names by: their numbers by value, all else by letters whatever their case."""
    parts = re.split(r"([0-9]+)", name)
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part.casefold()) for part in parts if part), name
