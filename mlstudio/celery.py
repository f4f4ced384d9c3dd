"""The Celery app of workers, trainer and beat."""

from __future__ import annotations

import os
import threading
import warnings
from typing import Any

from celery import Celery, Task, signals
from celery.exceptions import SecurityWarning
from django_structlog.celery.steps import DjangoStructLogInitStep

from mlstudio.garbage import collect_nothing_yet, leave_out_what_stays

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlstudio.settings")

# Our messages are JSON, never pickles, so it does not matter which user the worker runs as.
warnings.filterwarnings("ignore", category=SecurityWarning)

collect_nothing_yet()  # Django is set up later, when the app is loaded


class StudioTask(Task):
    """A task of the periodic queue runs once at a time in a process: a slow one must not fill the threads that the
    messages of all queues need. What is left out is sent again by beat."""

    _running: set[str] = set()
    _lock = threading.Lock()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if (self.request.delivery_info or {}).get("routing_key") != "periodic":
            return super().__call__(*args, **kwargs)
        with self._lock:
            if self.name in self._running:
                return None
            self._running.add(self.name)
        try:
            return super().__call__(*args, **kwargs)
        finally:
            with self._lock:
                self._running.discard(self.name)


app = Celery("mlstudio", task_cls=StudioTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(DjangoStructLogInitStep)
app.autodiscover_tasks()


@signals.setup_logging.connect
def keep_our_logging(**kwargs: Any) -> None:
    """Celery would replace the handlers; Django's settings have configured them already."""


@signals.worker_ready.connect
def pause_less(**kwargs: Any) -> None:
    leave_out_what_stays()


@signals.worker_ready.connect
def keep_an_engine_ready(**kwargs: Any) -> None:
    from jobs.engine import warm

    warm.ENGINE.open()


@signals.worker_shutting_down.connect
def let_go_of_work(**kwargs: Any) -> None:
    """Long work sees this and releases its lease, so that it goes on at the next start."""
    from jobs.engine import warm
    from jobs.work import shutting_down

    shutting_down.set()
    warm.ENGINE.close()
