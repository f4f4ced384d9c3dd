"""Keeping the leases of what this process works on, whatever the work itself is busy with."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import Error, connection
from django.utils import timezone

from jobs.models import Work, WorkState

log = structlog.get_logger(__name__)

# So often in the time of a lease: one beat may fail, or wait for a lock, without harm.
BEATS_A_LEASE = 3


class Heartbeat:
    """A thread that renews leases on a connection of its own.

    It only ever renews what is still held: a holder that has lost its lease hears so at its next report.
    """

    def __init__(self) -> None:
        self._held: dict[object, Work] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @contextmanager
    def keeping(self, work: Work) -> Iterator[None]:
        """Renew the lease of claimed work until the block ends."""
        key = object()
        with self._changed:
            self._held[key] = work
            if self._thread is None or not self._thread.is_alive():  # not yet, or lost in a fork
                self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
                self._thread.start()
            self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                del self._held[key]

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._held:
                    self._changed.wait()
            # A lease is new when its work comes here, so the first beat has time.
            time.sleep(settings.LEASE_SECONDS / BEATS_A_LEASE)
            self.beat()

    def beat(self) -> None:
        """Renew all leases once, now."""
        with self._changed:
            held = list(self._held.values())
        try:
            for work in held:
                _renew(work)
        except Error as error:  # the lease outlasts one beat
            log.warning("heartbeat_missed", error=str(error)[:200])
        finally:
            connection.close()


def _renew(work: Work) -> None:
    until = timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
    held = type(work)._default_manager.filter(pk=work.pk, lease=work.lease, state=WorkState.RUNNING)
    held.update(lease_expires_at=until)


_heartbeat = Heartbeat()
keeping = _heartbeat.keeping
