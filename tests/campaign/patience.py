"""Time as a studio has it: on a machine that is busy with other things it passes more slowly."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil


class OwnTime:
    """Seconds, less the share in which threads of these processes were ready to run and had no core.

    Work that gets no core is not stuck. Where the system does not say how long threads wait (all but Linux), these are
    the seconds of the clock.
    """

    def __init__(self, processes: Callable[[], Iterable[psutil.Process]]) -> None:
        self._processes = processes
        self._seconds = 0.0
        self._looked = time.monotonic()
        self._threads = self._look()

    def seconds(self) -> float:
        """Since the beginning. To be asked every now and then: threads that came and went in between do not count."""
        now, threads = time.monotonic(), self._look()
        ran = waited = 0
        for thread, (running, waiting) in threads.items():
            before = self._threads.get(thread, (0, 0))
            ran, waited = ran + running - before[0], waited + waiting - before[1]
        self._seconds += (now - self._looked) * (ran / (ran + waited) if ran + waited > 0 else 1.0)
        self._looked, self._threads = now, threads
        return self._seconds

    def _look(self) -> dict[str, tuple[int, int]]:
        """Of each thread the nanoseconds in which it ran, and in which it waited for a core."""
        found = {}
        processes: Iterable[psutil.Process] = ()
        with contextlib.suppress(psutil.Error):  # all of them have ended
            processes = self._processes()
        for process in processes:
            for path in Path(f"/proc/{process.pid}/task").glob("*/schedstat"):
                with contextlib.suppress(OSError, ValueError):
                    running, waiting, _ = map(int, path.read_text().split())
                    found[path.parent.name] = running, waiting
        return found
