"""How much memory decoded images may take in this process at one time."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class DecodeBudget:
    """Bytes that threads share, first come first served.

    A piece that is larger than the whole budget is let in when nothing else is. A thread that holds some gets more at
    once: it must not wait for itself.
    """

    def __init__(self, total_bytes: int) -> None:
        self.total_bytes = total_bytes
        self.used_bytes = 0
        self._changed = threading.Condition()
        self._line: deque[object] = deque()
        self._holding = threading.local()

    @contextmanager
    def hold(self, size_bytes: int) -> Iterator[None]:
        """Wait for so many bytes and keep them until the block ends."""
        is_nested = getattr(self._holding, "depth", 0) > 0
        self._take(size_bytes, wait=not is_nested)
        self._holding.depth = getattr(self._holding, "depth", 0) + 1
        try:
            yield
        finally:
            self._holding.depth -= 1
            with self._changed:
                self.used_bytes -= size_bytes
                self._changed.notify_all()

    def _take(self, size_bytes: int, wait: bool) -> None:
        ticket = object()
        with self._changed:
            if wait:
                self._line.append(ticket)
                try:
                    self._changed.wait_for(lambda: self._line[0] is ticket and self._fits(size_bytes))
                finally:
                    self._line.remove(ticket)
                    self._changed.notify_all()
            self.used_bytes += size_bytes

    def _fits(self, size_bytes: int) -> bool:
        return self.used_bytes == 0 or self.used_bytes + size_bytes <= self.total_bytes


DECODING = DecodeBudget(int(os.environ.get("MLSTUDIO_DECODE_BYTES") or 512 << 20))
