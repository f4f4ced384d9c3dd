"""Messages to the workers. Each says only that a queue has work, so it may be lost, late or sent once for many.

A thread of its own sends them: a broker that is away or hangs must not hold up the request that made the work.
"""

from __future__ import annotations

import threading

import structlog

log = structlog.get_logger(__name__)


class Messenger:
    """Sends `(task, queue)` pairs, one after another; the same pair that waits already is not added again."""

    def __init__(self) -> None:
        self._pending: dict[tuple[str, str], None] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def send(self, task: str, queue: str) -> None:
        with self._changed:
            self._pending[task, queue] = None
            if self._thread is None or not self._thread.is_alive():  # not yet, or lost in a fork
                self._thread = threading.Thread(target=self._run, name="messenger", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._pending:
                    self._changed.wait()
                task, queue = next(iter(self._pending))
                del self._pending[task, queue]
            _publish(task, queue)


def _publish(task: str, queue: str) -> None:
    from celery import current_app

    try:
        current_app.send_task(task, args=[queue], queue=queue)
    except Exception as error:  # whatever a broker does: it is told again by beat
        log.warning("broker_unreachable", task=task, queue=queue, error=str(error))


_messenger = Messenger()
send = _messenger.send
