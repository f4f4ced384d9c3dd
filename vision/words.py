"""Counts in sentences for people."""

from __future__ import annotations


def counted(count: int, singular: str, plural: str = "") -> str:
    """`1 label`, `1,200 labels`."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"
