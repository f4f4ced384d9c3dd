"""How much memory decoded images may take in this process at one time."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

# So little is not waited for: thumbnails and photographs of a camera at a fraction of their size.
SMALL_BYTES = 8 << 20


class DecodingBusy(Exception):
    """As many threads as may wait for room do so already: the work should be tried again later."""


class DecodeBudget:
    """Bytes that threads share, first come first served.

    A piece that is larger than the whole budget is let in when nothing else is, and a small one at once: it must not
    stand behind a large one. A thread that holds some gets more at once: it must not wait for itself.

    Attributes:
        most_waiting: so many threads may wait; None: all. Where threads are few, those that wait keep others from
            being answered.
    """

    def __init__(self, total_bytes: int, most_waiting: int | None = None) -> None:
        self.total_bytes = total_bytes
        self.most_waiting = most_waiting
        self.used_bytes = 0
        self._changed = threading.Condition()
        self._line: deque[object] = deque()
        self._holding = threading.local()

    @contextmanager
    def hold(self, size_bytes: int) -> Iterator[None]:
        """Wait for so many bytes and keep them until the block ends.

        Raises:
            DecodingBusy: too many wait already.
        """
        is_nested = getattr(self._holding, "depth", 0) > 0
        self._take(size_bytes, wait=not is_nested and size_bytes > SMALL_BYTES)
        self._holding.depth = getattr(self._holding, "depth", 0) + 1
        try:
            yield
        finally:
            self._holding.depth -= 1
            with self._changed:
                self.used_bytes -= size_bytes
                self._changed.notify_all()

    def _take(self, size_bytes: int, wait: bool) -> None:
        with self._changed:
            if wait and (self._line or not self._fits(size_bytes)):
                self._wait(size_bytes)
            self.used_bytes += size_bytes

    def _wait(self, size_bytes: int) -> None:
        if self.most_waiting is not None and len(self._line) >= self.most_waiting:
            raise DecodingBusy()
        ticket = object()
        self._line.append(ticket)
        try:
            self._changed.wait_for(lambda: self._line[0] is ticket and self._fits(size_bytes))
        finally:
            self._line.remove(ticket)
            self._changed.notify_all()

    def _fits(self, size_bytes: int) -> bool:
        return self.used_bytes == 0 or self.used_bytes + size_bytes <= self.total_bytes


DECODING = DecodeBudget(int(os.environ.get("MLSTUDIO_DECODE_BYTES") or 512 << 20))
