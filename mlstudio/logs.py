"""What is not worth a line: heartbeats of the machinery, starts whose end is logged."""

from __future__ import annotations

import logging

QUIET_EVENTS = {"request_started", "task_enqueued", "task_started"}
QUIET_TASKS = {"projects.tasks.reap_jobs", "training.tasks.reap_trainings", "storage.tasks.replicate_pending",
               "datasets.tasks.make_missing_thumbnails"}  # fmt: skip
QUIET_REQUESTS = ("GET /healthz/", "GET /readyz/", "GET /metrics")


class WorthALine(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        event = record.msg if isinstance(record.msg, dict) else {}
        if record.levelno > logging.INFO:
            return True
        if event.get("event") in QUIET_EVENTS:
            return False
        if event.get("event") == "task_succeeded":
            return event.get("task") not in QUIET_TASKS
        return event.get("request") not in QUIET_REQUESTS
