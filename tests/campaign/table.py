"""`python -m tests.campaign.table SUMMARY...`: what campaigns saw, a row for each, as a table."""

from __future__ import annotations

import json
import sys
from pathlib import Path

COLUMNS = ("database", "seed", "rounds", "in flight", "acknowledged", "unanswered", "refused", "pairs", "violations")


def main(paths: list[str]) -> None:
    rows = [_row(json.loads(Path(path).read_text())) for path in paths]
    totals = ["", "all", *(sum(row[place] for row in rows) for place in range(2, len(COLUMNS)))]
    lines = [COLUMNS, ["---"] * len(COLUMNS), *rows, totals]
    sys.stdout.write("".join(f"| {' | '.join(map(str, line))} |\n" for line in lines))


def _row(summary: dict) -> list:
    answers = (sum(summary[name].values()) for name in ("acknowledged", "unanswered", "refused"))
    return [
        summary["database"],
        summary["seed"],
        summary["rounds"],
        summary["rounds_with_a_request_in_flight"],
        *answers,
        len(summary["pairs"]),
        len(summary["violations"]),
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
