"""What a benchmark answers."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        what: what was measured.
        ours, reference: both figures with their unit, for people.
        ratio: the one that the goal speaks of.
        goal: for example "≤ 1.5 ×"; empty where there is none.
        reached: whether the goal is met; None where there is none.
    """

    what: str
    ours: str
    reference: str
    ratio: float | None = None
    goal: str = ""
    reached: bool | None = None


def at_most(what: str, ours: str, reference: str, ratio: float, limit: float) -> Row:
    return Row(what, ours, reference, ratio, f"≤ {limit} ×", ratio <= limit)


def at_least(what: str, ours: str, reference: str, ratio: float, limit: float) -> Row:
    return Row(what, ours, reference, ratio, f"≥ {limit} ×", ratio >= limit)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` percent of the values lie, interpolated."""
    return statistics.quantiles(values, n=100, method="inclusive")[round(share) - 1]


def table(rows: Sequence[Row]) -> str:
    """Markdown."""
    lines = ["| what | ours | against | ratio | goal | reached |", "|---|---|---|---|---|---|"]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f} ×"
        reached = {True: "yes", False: "**no**", None: ""}[row.reached]
        lines.append(f"| {row.what} | {row.ours} | {row.reference} | {ratio} | {row.goal} | {reached} |")
    return "\n".join(lines)
