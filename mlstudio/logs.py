"""What is not worth a line: heartbeats of the machinery, starts whose end is logged, reads that went well. And what no
line may hold: addresses that are secrets, of invitations, password resets and signed files."""

from __future__ import annotations

import logging
import re
from collections.abc import MutableMapping
from typing import Any

QUIET_EVENTS = {
    "request_started",
    "task_enqueued",
    "task_started",
    "task_succeeded",
    "streaming_started",
    "streaming_finished",
    "streaming_cancelled",
}
READS = ("GET ", "HEAD ", "OPTIONS ")


class WorthALine(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        event = record.msg if isinstance(record.msg, dict) else {}
        if record.levelno > logging.INFO:
            return True
        if event.get("event") in QUIET_EVENTS:
            return False
        is_read = str(event.get("request", "")).startswith(READS)
        return not (is_read and int(event.get("code", 200)) < 400)


HIDDEN = "***"
# Also as a page to go to after a login: `?next=%2Fjoin%2F…`.
SLASH, PART = r"(?:/|%2[Ff])", r"[^/%&\s?'\"]+"
IN_PATH = re.compile(rf"({SLASH}join{SLASH}|{SLASH}reset{SLASH}{PART}{SLASH}){PART}")
IN_QUERY = re.compile(r"([?&](?:signature|token)=)[^&\s'\"]+")


def hide_secrets(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of structlog: those who read the log of a refused request must not be able to repeat it."""
    for name, value in event.items():
        if isinstance(value, str) and ("/" in value or "=" in value):
            event[name] = IN_QUERY.sub(rf"\1{HIDDEN}", IN_PATH.sub(rf"\1{HIDDEN}", value))
    return event


class WithoutTrace(logging.Filter):
    """Requests for a name that this is not come from anybody, by the thousand: each is one line."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info, record.levelno, record.levelname = None, logging.WARNING, "WARNING"
        return True
