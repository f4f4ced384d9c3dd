"""How many threads of this process work on a queue at once, without a thread that ever waits for another queue.

One worker process serves all queues. A message is taken at once: it finds a free place and works until the queue is
empty, or it finds none, is remembered, and lets its thread go.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.conf import settings

from jobs.work import shutting_down


class Lane:
    """The places of one queue in this process."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._lock = threading.Lock()
        self._busy = 0
        self._told_again = False

    def run(self, step: Callable[[], bool]) -> None:
        """Call `step` until it finds nothing to do or this process is to end. Returns at once when all places are
        taken; one of their holders then looks once more before it leaves."""
        if not self._enter():
            return
        has_left = False
        try:
            while not has_left and not shutting_down.is_set():
                if not step():
                    has_left = self._leave()
        finally:
            if not has_left:
                with self._lock:
                    self._busy -= 1

    def _enter(self) -> bool:
        with self._lock:
            if self._busy >= self._slots:
                self._told_again = True
                return False
            self._busy += 1
            return True

    def _leave(self) -> bool:
        """False when a message came while all places were taken: it may be about work that `step` has not seen."""
        with self._lock:
            if self._told_again:
                self._told_again = False
                return False
            self._busy -= 1
            return True


_lanes: dict[str, Lane] = {}
_lanes_lock = threading.Lock()


def lane(queue: str) -> Lane:
    """The lane of a queue; `QUEUE_SLOTS` says how many places it has."""
    with _lanes_lock:
        if queue not in _lanes:
            _lanes[queue] = Lane(settings.QUEUE_SLOTS[queue])
        return _lanes[queue]
