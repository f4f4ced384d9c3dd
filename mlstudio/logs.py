"""What is not worth a line: heartbeats of the machinery, starts whose end is logged, reads that went well."""

from __future__ import annotations

import logging

QUIET_EVENTS = {"request_started", "task_enqueued", "task_started", "task_succeeded", "streaming_started",
                "streaming_finished"}  # fmt: skip
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
