"""When a webhook delivery that failed is sent again, and when it is given up."""

from __future__ import annotations

from datetime import datetime, timedelta

# After each failure: the whole lasts a day and a half.
PAUSES = (10, 60, 300, 1800, 7200, 21_600, 86_400)


def next_attempt_at(attempts: int, now: datetime) -> datetime | None:
    """When to try again after this many attempts that failed; None: not any more."""
    if attempts > len(PAUSES):
        return None
    return now + timedelta(seconds=PAUSES[attempts - 1])
