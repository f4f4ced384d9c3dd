"""Processes that are started, watched, started again with patience, and stopped together."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

STABLE_SECONDS = 30.0
MAX_BACKOFF_SECONDS = 30.0
STOP_SECONDS = 20.0


@dataclass
class Child:
    """One process of the studio.

    Attributes:
        stop_order: children with a lower number are stopped first; the broker is the last.
        memory_bytes: private writable memory that it may have; 0: no limit.
    """

    name: str
    command: list[str]
    environment: dict[str, str]
    pass_fds: tuple[int, ...] = ()
    memory_bytes: int = 0
    stop_order: int = 0
    process: subprocess.Popen | None = None
    started: float = 0.0
    backoff: float = 0.5
    restart_at: float = 0.0
    restarts: int = field(default=0)

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command,
            env=self.environment,
            pass_fds=self.pass_fds,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches the launcher alone, which stops the others in order
            preexec_fn=self._prepare if sys.platform == "linux" else None,
        )
        self.started = time.monotonic()

    def _prepare(self) -> None:
        """Between fork and exec: Linux ends the child when the launcher is gone (prctl PR_SET_PDEATHSIG)."""
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)
        if self.memory_bytes:
            # The soft limit only: processes in the sandbox have limits of their own, which may be higher.
            hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
            most = self.memory_bytes if hard == resource.RLIM_INFINITY else min(self.memory_bytes, hard)
            resource.setrlimit(resource.RLIMIT_DATA, (most, hard))

    def watch(self, say: Callable[[str], None]) -> None:
        """Start it again when it has died, later each time."""
        now = time.monotonic()
        if self.process is not None and self.process.poll() is None:
            if now - self.started > STABLE_SECONDS:
                self.backoff = 0.5
            return
        if self.process is not None:
            say(f"{self.name} {_ending(self.process.returncode)}; starting it again in {self.backoff:g} s")
            self.process = None
            self.restart_at = now + self.backoff
            self.backoff = min(self.backoff * 2, MAX_BACKOFF_SECONDS)
        elif now >= self.restart_at:
            self.restarts += 1
            self.start()

    def terminate(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def wait(self, deadline: float) -> bool:
        """Whether it ended before the deadline; afterwards its whole session is killed."""
        if self.process is None:
            return True
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
            return True
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            return False


def stop_all(children: list[Child], say: Callable[[str], None]) -> None:
    """Stop the children, those with a lower `stop_order` first."""
    for order in sorted({child.stop_order for child in children}):
        group = [child for child in children if child.stop_order == order]
        for child in group:
            child.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child in group:
            if not child.wait(deadline):
                say(f"{child.name} did not stop in {STOP_SECONDS:g} s and was killed")


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with status {code}"
